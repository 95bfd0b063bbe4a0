#include "agent/restore/unfinished.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t mark_bytes_max = 256;
constexpr std::uint64_t boot_bytes = 36;  // A UUID; /proc says that the file is empty.

std::string mark_in(const std::string& folder) {
    return folder + "/" + unfinished_mark;
}

Result<std::string> boot() {
    const std::string path = "/proc/sys/kernel/random/boot_id";
    const Fd fd = HF_TRY(open_file(path, O_RDONLY));
    return std::string(as_text(HF_TRY(read_exact(fd, 0, boot_bytes, path))));
}

}  // namespace

Result<std::optional<UnfinishedRestore>> unfinished_restore(const std::string& folder) {
    const auto text = read_file(mark_in(folder), mark_bytes_max);
    if (!text && text.error().code == Errc::NotFound) return std::optional<UnfinishedRestore>();
    if (!text) return text.error();
    const std::string_view line = as_text(*text);
    const std::size_t space = line.find(' ');
    const auto id = vault::SnapshotId::from_text(line.substr(0, space));
    if (space == std::string_view::npos || !id) {
        return Error{Errc::Corrupt, mark_in(folder) + ": not the mark of a restore"};
    }
    UnfinishedRestore found;
    found.snapshot = *id;
    found.same_boot = line.substr(space + 1) == HF_TRY(boot()) + "\n";
    return std::optional<UnfinishedRestore>(found);
}

Result<void> mark_unfinished(const std::string& folder, const vault::SnapshotId& snapshot) {
    const std::string line = snapshot.hex() + " " + HF_TRY(boot()) + "\n";
    return write_file_durably(mark_in(folder), as_view(line));
}

Result<void> unmark_unfinished(const std::string& folder) {
    struct stat before {};
    if (stat(folder.c_str(), &before) != 0) return io_error(errno, "look at " + folder);
    if (::unlink(mark_in(folder).c_str()) != 0) {
        if (errno == ENOENT) return {};
        return io_error(errno, "remove " + mark_in(folder));
    }
    const struct timespec times[2] = {{0, UTIME_OMIT}, before.st_mtim};
    if (utimensat(AT_FDCWD, folder.c_str(), times, 0) != 0) {
        return io_error(errno, "set the time of " + folder);
    }
    return sync_folder(folder);
}

}  // namespace holdfast::agent
