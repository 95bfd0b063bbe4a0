#include "agent/host/program/sealing.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast::agent {
namespace {

constexpr int room_namespaces =
    CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

Result<void> raise_loopback() {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return io_error(errno, "make a socket");
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
        return io_error(errno, "raise the room's loopback");
    }
    return {};
}

Result<void> write_map(const char* path, const std::string& text) {
    const Fd file = HF_TRY(open_file(path, O_WRONLY));
    return write_all(file, as_view(text), path);
}

/// One user and one group exist in it, those that we are.
Result<void> own_user_namespace(const User& user) {
    if (::unshare(CLONE_NEWUSER) != 0) return io_error(errno, "make a user namespace");
    const auto one = [](auto id) { return std::to_string(id) + " " + std::to_string(id) + " 1\n"; };
    HF_TRY(write_map("/proc/self/setgroups", "deny"));
    HF_TRY(write_map("/proc/self/uid_map", one(user.uid)));
    return write_map("/proc/self/gid_map", one(user.gid));
}

/// Every capability is out of reach, and those that a new user namespace gave are put down.
Result<void> drop_capabilities() {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability) != 0) return io_error(errno, "drop a capability");
    }
    return {};
}

Result<void> clear_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    if (::syscall(SYS_capset, &header, none.data()) != 0) {
        return io_error(errno, "put down capabilities");
    }
    return {};
}

Result<void> join(pid_t init, int namespaces) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, init, 0)));
    if (!process) {
        return Error{Errc::NotFound, "process " + std::to_string(init) + " has ended"};
    }
    if (::setns(process.get(), namespaces) != 0) return io_error(errno, "join the room");
    return {};
}

}  // namespace

Result<void> leave_namespaces(const std::string& host_name) {
    if (::unshare(room_namespaces) != 0) {
        return Error{Errc::Denied, std::string("make namespaces: ") + std::strerror(errno) +
                                       "; is this root, and outside a container?"};
    }
    if (::sethostname(host_name.data(), host_name.size()) != 0) {
        return io_error(errno, "name the room");
    }
    return raise_loopback();
}

Result<void> drop_rights(const User& user) {
    HF_TRY(drop_capabilities());
    if (::setgroups(user.groups.size(), user.groups.data()) != 0 ||
        ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0) {
        return io_error(errno, "become the system's user");
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return io_error(errno, "stay unprivileged");
    const rlimit no_core{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &no_core);
    (void)::prctl(PR_SET_DUMPABLE, 1);  // Else the maps are root's to write.
    // Some kernels are set up without; the room is sealed by its other walls then.
    if (own_user_namespace(user)) HF_TRY(drop_capabilities());  // It gave all of them anew.
    return clear_capabilities();
}

Result<void> join_namespaces(pid_t init) {
    return join(init, room_namespaces);
}

Result<void> join_network(pid_t init) {
    return join(init, CLONE_NEWNET);
}

}  // namespace holdfast::agent
