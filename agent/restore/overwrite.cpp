#include "agent/restore/overwrite.h"

#include "vault/base/file.h"
#include "vault/crypto/hash.h"
#include "vault/snapshot/type_bits.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace holdfast::agent {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t digits = 16;

struct Word {
    std::string_view word;
    Overwrite overwrite;
};
constexpr Word words[] = {{"never", Overwrite::Never},
                          {"if-older", Overwrite::IfOlder},
                          {"if-changed", Overwrite::IfChanged},
                          {"always", Overwrite::Always}};

std::int64_t mtime_ns(const struct stat& there) {
    return static_cast<std::int64_t>(there.st_mtim.tv_sec) * second_ns + there.st_mtim.tv_nsec;
}

/// True if `there`, which is of the entry's kind, is as the entry says.
bool same(int in, const std::string& name, const struct stat& there, const vault::Entry& entry) {
    switch (entry.type) {
        case vault::FileType::Regular:
            return static_cast<std::uint64_t>(there.st_size) == entry.size &&
                   mtime_ns(there) == entry.mtime_ns;
        case vault::FileType::Symlink: {
            std::string target(PATH_MAX, '\0');
            const ssize_t length = readlinkat(in, name.c_str(), target.data(), target.size());
            return length >= 0 &&
                   target.substr(0, static_cast<std::size_t>(length)) == entry.link_target;
        }
        case vault::FileType::CharDevice:
        case vault::FileType::BlockDevice:
            return there.st_rdev == entry.device;
        case vault::FileType::Directory:
        case vault::FileType::Fifo:
        case vault::FileType::Socket:
            return true;
    }
    return false;
}

}  // namespace

Result<Overwrite> parse_overwrite(std::string_view word) {
    for (const Word& one : words) {
        if (one.word == word) return one.overwrite;
    }
    return Error{Errc::Invalid,
                 "\"" + std::string(word) + "\" is none of never, if-older, if-changed, always"};
}

Result<Finding> look_at(int in, const std::string& name, const vault::Entry& entry,
                        Overwrite overwrite) {
    struct stat there {};
    if (fstatat(in, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return Finding::Nothing;
        return io_error(errno, "look at " + entry.path);
    }
    const bool same_kind = (there.st_mode & S_IFMT) == vault::type_bits(entry.type);
    if (same_kind && entry.type == vault::FileType::Directory) return Finding::Same;
    switch (overwrite) {
        case Overwrite::Refuse:
        case Overwrite::Never:
            return Finding::Stays;
        case Overwrite::IfOlder:
            return mtime_ns(there) < entry.mtime_ns ? Finding::Goes : Finding::Stays;
        case Overwrite::IfChanged:
            return same_kind && same(in, name, there, entry) ? Finding::Same : Finding::Goes;
        case Overwrite::Always:
            return Finding::Goes;
    }
    return Finding::Stays;
}

int make_way(int in, const std::string& name, const vault::Entry& entry) {
    struct stat there {};
    if (fstatat(in, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : -1;
    }
    if (S_ISDIR(there.st_mode)) {
        if (entry.type == vault::FileType::Directory) return 0;
        return unlinkat(in, name.c_str(), AT_REMOVEDIR);
    }
    // A file is replaced by its rename, at once.
    if (entry.type == vault::FileType::Regular) return 0;
    return unlinkat(in, name.c_str(), 0);
}

std::string unfinished_name(const std::string& name) {
    return ".holdfast-restore-" +
           vault::hash("unfinished restore", as_view(name)).hex().substr(0, digits);
}

}  // namespace holdfast::agent
