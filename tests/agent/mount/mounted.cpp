#include "tests/agent/mount/mounted.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace holdfast::agent {

ScratchFolder::ScratchFolder() {
    std::string name = "/tmp/hf-mount-test-XXXXXX";
    HF_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
    std::filesystem::create_directory(path_ + "/lower");
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool can_mount() {
    const bool able = ::geteuid() == 0 && path_exists("/dev/fuse");
    if (!able) std::puts("skipped: mounting needs root and /dev/fuse");
    return able;
}

std::string get(const std::string& path) {
    const auto all = read_file(path, 64 << 20);
    return all ? std::string(as_text(*all)) : all.error().message;
}

void overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    HF_ASSERT(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
              static_cast<ssize_t>(bytes.size()));
}

Mounted::~Mounted() {
    if (pid_ > 0) kill();
    (void)::umount2(path().c_str(), MNT_DETACH);
}

std::string Mounted::log() const {
    const auto text = read_file(base_ + "/log", 1 << 20);
    return text ? std::string(as_text(*text)) : std::string();
}

bool Mounted::start() {
    std::filesystem::create_directories(path());
    std::array<int, 2> ready{};
    HF_ASSERT(::pipe(ready.data()) == 0);
    std::vector<std::string> args{MOUNT_FOLDER,
                                  base_ + "/lower",
                                  base_ + "/mnt",
                                  overlay_argument.empty() ? overlay() : overlay_argument,
                                  snapshot_id,
                                  std::to_string(ready[1]),
                                  with_status ? base_ + "/status" : "-"};
    args.insert(args.end(), options.begin(), options.end());
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(ready[0]);
        const int log = ::open((base_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(log, STDERR_FILENO);
        if (!fault.empty()) ::setenv("HOLDFAST_FAULT", fault.c_str(), 1);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(ready[1]);
    const Fd from(ready[0]);
    char byte = 0;
    const bool up = ::read(from.get(), &byte, 1) == 1;  // Ends when the process does.
    if (!up) wait();
    return up;
}

int Mounted::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    (void)::umount2(path().c_str(), MNT_DETACH);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Mounted::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
}

int Mounted::stop() {
    ::kill(pid_, SIGTERM);
    return wait();
}

int Mounted::unmount() {
    (void)::umount2(path().c_str(), 0);
    return wait();
}

bool Mounted::dead() {
    int status = 0;
    if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = -1;
    (void)::umount2(path().c_str(), MNT_DETACH);
    return true;
}

}  // namespace holdfast::agent
