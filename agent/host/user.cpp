#include "agent/host/user.h"

#include "vault/base/file.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace holdfast::agent {
namespace {

constexpr int groups_max = 256;
constexpr std::size_t entry_bytes = 16 << 10;

}  // namespace

Result<User> find_user(const std::string& name) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, entry_bytes> room{};
    (void)::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    if (found == nullptr) {
        return Error{Errc::Invalid, "there is no user " + name + " on this machine"};
    }
    if (entry.pw_uid == 0) return Error{Errc::Invalid, "a system never runs as root"};
    User user{entry.pw_uid, entry.pw_gid, {}};
    int count = groups_max;
    user.groups.resize(groups_max);
    if (::getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0) count = 0;
    user.groups.resize(static_cast<std::size_t>(count));
    return user;
}

Result<void> make_private_folder(const std::string& path, const User& user) {
    HF_TRY(make_folders(path));
    if (::chown(path.c_str(), user.uid, user.gid) != 0 || ::chmod(path.c_str(), 0700) != 0) {
        return io_error(errno, "give " + path + " to its user");
    }
    return {};
}

}  // namespace holdfast::agent
