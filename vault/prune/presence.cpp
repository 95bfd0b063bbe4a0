#include "vault/prune/presence.h"

#include "vault/base/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>

namespace holdfast::vault {
namespace {

constexpr std::size_t presence_bytes_max = 32;

/// Prune may have taken the file for one that was left behind, before it was locked.
Result<bool> has_name(const Fd& fd, const std::string& path) {
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return io_error(errno, "stat " + path);
    return info.st_nlink != 0;
}

/// 0, which erases nothing, until the process has written its generation.
Result<std::uint64_t> generation_in(const std::string& path) {
    const auto text = read_file(path, presence_bytes_max);
    if (!text && text.error().code == Errc::NotFound) {
        return std::numeric_limits<std::uint64_t>::max();  // It has just ended.
    }
    if (!text) return text.error();
    const std::string_view digits = as_text(*text);
    std::uint64_t generation = 0;
    const auto [end, bad] =
        std::from_chars(digits.data(), digits.data() + digits.size(), generation);
    const bool whole = bad == std::errc() && end == digits.data() + digits.size();
    return whole ? generation : std::uint64_t{0};
}

}  // namespace

Result<Presence> Presence::enter(const std::string& folder, ChunkIndex& index, Random& random) {
    HF_TRY(make_folders(folder));
    for (;;) {
        std::array<std::uint8_t, 16> name{};
        random.fill(name);
        const std::string path = folder + "/" + to_hex(name);
        Fd fd = HF_TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL));
        HF_TRY(take_lock(fd, path));
        if (!HF_TRY(has_name(fd, path))) continue;
        Presence presence(path, std::move(fd));
        const std::string generation = std::to_string(HF_TRY(index.doom_generation()));
        HF_TRY(write_all(presence.fd_, as_view(generation), path));
        return presence;
    }
}

Presence& Presence::operator=(Presence&& other) noexcept {
    if (this == &other) return *this;
    leave();
    path_ = std::move(other.path_);
    fd_ = std::move(other.fd_);
    return *this;
}

void Presence::leave() {
    // What cannot be removed is taken for left behind by the next prune.
    if (fd_) ::unlink(path_.c_str());
    fd_.reset();
}

Result<Present> present_in(const std::string& folder) {
    HF_TRY(make_folders(folder));
    Present out;
    out.oldest_generation = std::numeric_limits<std::uint64_t>::max();
    std::error_code failed;
    for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string path = at->path().string();
        const auto fd = open_file(path, O_RDWR);
        if (!fd && fd.error().code == Errc::NotFound) continue;
        if (!fd) return fd.error();
        if (::flock(fd->get(), LOCK_EX | LOCK_NB) == 0) {
            if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
                return io_error(errno, "remove " + path);
            }
            continue;
        }
        if (errno != EWOULDBLOCK) return io_error(errno, "lock " + path);
        ++out.processes;
        out.oldest_generation = std::min(out.oldest_generation, HF_TRY(generation_in(path)));
    }
    if (failed) return Error{Errc::Io, "read " + folder + ": " + failed.message()};
    return out;
}

}  // namespace holdfast::vault
