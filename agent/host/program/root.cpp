// The room's root: an empty file system of its own, on which little is put and nothing is added.
#include "agent/host/program/sealing.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

namespace holdfast::agent {
namespace {

constexpr const char* small = "mode=1777,size=512m";
constexpr std::array<const char*, 9> system_folders{"usr",   "etc",   "bin",    "sbin", "lib",
                                                    "lib32", "lib64", "libx32", "opt"};
constexpr std::array<const char*, 6> devices{"null", "zero", "full", "random", "urandom", "tty"};

Result<void> mount_at(const char* what, const std::string& where, const char* type,
                      unsigned long flags, const char* options) {
    if (::mount(what, where.c_str(), type, flags, options) != 0) {
        return io_error(errno, "mount " + where);
    }
    return {};
}

Result<void> seal_mount(const std::string& path, unsigned long flags) {
    mount_attr wanted{};
    wanted.attr_set = flags;
    if (::mount_setattr(AT_FDCWD, path.c_str(), AT_RECURSIVE, &wanted, sizeof wanted) != 0) {
        return io_error(errno, "seal " + path);
    }
    return {};
}

Result<void> bind_mount(const std::string& from, const std::string& to, unsigned long flags) {
    HF_TRY(mount_at(from.c_str(), to, nullptr, MS_BIND | MS_REC, nullptr));
    return seal_mount(to, flags);
}

class Root {
public:
    explicit Root(std::string at) : at_(std::move(at)) {}

    Result<void> build(const RoomOrder& order) {
        HF_TRY(mount_at("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
        HF_TRY(mount_at("room", at_, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m"));
        for (const char* folder : system_folders) HF_TRY(add_system_folder(folder));
        HF_TRY(add_own_folders());
        HF_TRY(add_devices());
        for (const std::string& folder : order.writable) HF_TRY(add_folder(folder));
        for (const std::string& program : order.programs) HF_TRY(add_program(program));
        return enter();
    }

private:
    Result<void> add_system_folder(const std::string& name) {
        const std::string from = "/" + name;
        struct stat about {};
        if (::lstat(from.c_str(), &about) != 0) return {};
        if (S_ISLNK(about.st_mode)) {
            std::array<char, PATH_MAX> target{};
            if (::readlink(from.c_str(), target.data(), target.size() - 1) < 0 ||
                ::symlink(target.data(), (at_ + from).c_str()) != 0) {
                return io_error(errno, "link " + from + " in the room");
            }
            return {};
        }
        HF_TRY(make_folders(at_ + from, 0755));
        return bind_mount(from, at_ + from,
                          MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }

    Result<void> add_own_folders() {
        for (const char* folder : {"/tmp", "/var/tmp", "/run", "/dev"}) {
            HF_TRY(make_folders(at_ + folder, 0755));
            const bool is_dev = std::string_view(folder) == "/dev";
            HF_TRY(mount_at("room", at_ + folder, "tmpfs", MS_NOSUID | (is_dev ? 0 : MS_NODEV),
                            is_dev ? "mode=0755,size=64k" : small));
        }
        HF_TRY(make_folders(at_ + "/proc", 0555));
        if (::symlink("/run", (at_ + "/var/run").c_str()) != 0) return io_error(errno, "/var/run");
        return {};
    }

    Result<void> add_devices() {
        for (const std::string name : devices) {
            const std::string to = at_ + "/dev/" + name;
            HF_TRY(open_file(to, O_WRONLY | O_CREAT, 0666));
            HF_TRY(mount_at(("/dev/" + name).c_str(), to, nullptr, MS_BIND, nullptr));
        }
        HF_TRY(make_folders(at_ + "/dev/shm", 0755));
        HF_TRY(mount_at("room", at_ + "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, small));
        if (::symlink("/proc/self/fd", (at_ + "/dev/fd").c_str()) != 0) {
            return io_error(errno, "/dev/fd");
        }
        return {};
    }

    Result<void> add_folder(const std::string& path) {
        HF_TRY(make_folders(at_ + path, 0755));
        return bind_mount(path, at_ + path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }

    Result<void> add_program(const std::string& path) {
        const std::string to = at_ + path;
        HF_TRY(make_folders(to.substr(0, to.rfind('/')), 0755));
        HF_TRY(open_file(to, O_WRONLY | O_CREAT, 0755));
        return bind_mount(path, to, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }

    Result<void> enter() {
        if (::chdir(at_.c_str()) != 0) return io_error(errno, "enter " + at_);
        // The old root comes to lie on the new one, and is taken off it.
        if (::syscall(SYS_pivot_root, ".", ".") != 0) return io_error(errno, "change the root");
        if (::umount2(".", MNT_DETACH) != 0) return io_error(errno, "leave the old root");
        if (::chdir("/") != 0) return io_error(errno, "enter the new root");
        return mount_at("room", "/", nullptr,
                        MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr);
    }

    std::string at_;
};

}  // namespace

Result<void> build_root(const RoomOrder& order, const std::string& root) {
    return Root(root).build(order);
}

Result<void> mount_proc() {
    return mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

}  // namespace holdfast::agent
