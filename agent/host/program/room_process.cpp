#include "agent/host/program/room_process.h"

#include "agent/host/program/sealing.h"
#include "agent/process/descriptors.h"
#include "agent/process/supervised.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace holdfast::agent {
namespace {

constexpr std::size_t order_bytes_max = 1 << 20;

Result<Buffer> read_input() {
    Buffer all;
    std::array<std::uint8_t, 4096> piece{};
    for (;;) {
        const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(errno, "read the order");
        if (got == 0) return all;
        all.insert(all.end(), piece.begin(), piece.begin() + got);
        if (all.size() > order_bytes_max) return Error{Errc::Invalid, "an order too long"};
    }
}

int status_of(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

void block(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : signals) sigaddset(&set, number);
    (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
}

int next_signal(const timespec* limit) {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGCHLD}) sigaddset(&set, number);
    return limit != nullptr ? ::sigtimedwait(&set, nullptr, limit) : ::sigwaitinfo(&set, nullptr);
}

/// Becomes `command` as `user`; on failure says why on standard error, and a byte on `tell`.
[[noreturn]] void become(const User& user, const Arguments& command, int tell = -1) {
    Strings arguments(command);
    Strings environment(
        {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/tmp", "TMPDIR=/tmp"});
    if (const auto dropped = drop_rights(user); !dropped) {
        std::fprintf(stderr, "%s\n", dropped.error().message.c_str());
        if (tell >= 0) (void)!::write(tell, "x", 1);
        ::_exit(126);
    }
    reset_signals();
    ::execve(arguments.get()[0], arguments.get(), environment.get());
    std::fprintf(stderr, "%s: %s\n", command[0].c_str(), ::strerror(errno));
    if (tell >= 0) (void)!::write(tell, "x", 1);
    ::_exit(127);
}

/// The runtime, as the room's second process. `began` closes when its program begins.
pid_t start_runtime(const RoomOrder& order, const User& user, const Fd& began) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    (void)::fcntl(began.get(), F_SETFD, FD_CLOEXEC);
    (void)::setsid();
    const int null = ::open("/dev/null", O_RDONLY);
    (void)::dup2(null, STDIN_FILENO);
    (void)::dup2(STDERR_FILENO, STDOUT_FILENO);
    (void)::close_range(lock_fd, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    become(user, order.start, began.get());
}

/// The room's first process: reaps, and stops the runtime when told to. Its end ends all in it.
int be_init(const RoomOrder& order, const User& user, Fd began) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (const auto mounted = mount_proc(); !mounted) {
        std::fprintf(stderr, "%s\n", mounted.error().message.c_str());
        (void)!::write(began.get(), "x", 1);
        return 126;
    }
    const pid_t runtime = start_runtime(order, user, began);
    began.reset();
    bool stopping = false;
    for (;;) {
        const timespec limit{order.stop_seconds, 0};
        const int signal_number = next_signal(stopping ? &limit : nullptr);
        if (signal_number == SIGTERM && !stopping) {
            stopping = true;
            (void)::kill(runtime, order.stop_signal);
        }
        if (signal_number < 0 && errno == EAGAIN) (void)::kill(runtime, SIGKILL);
        int status = 0;
        for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (ended == runtime) return status_of(status);
        }
    }
}

/// True if the runtime's program began: the pipe then closes without a byte.
bool has_begun(const Fd& began) {
    std::array<char, 1> byte{};
    ssize_t got = 0;
    while ((got = ::read(began.get(), byte.data(), 1)) < 0 && errno == EINTR) continue;
    return got == 0;
}

void answer(const char* text) {
    std::fputs(text, stdout);
    std::fflush(stdout);
    const int null = ::open("/dev/null", O_WRONLY);
    (void)::dup2(null, STDOUT_FILENO);
}

/// The room's parent, outside: passes SIGTERM on, and ends with the room.
int watch(pid_t init) {
    for (;;) {
        if (next_signal(nullptr) == SIGTERM) (void)::kill(init, SIGTERM);
        int status = 0;
        if (::waitpid(init, &status, WNOHANG) == init) return status_of(status);
    }
}

}  // namespace

Result<int> run_room() {
    const Buffer input = HF_TRY(read_input());
    const ParsedRoom parsed = HF_TRY(parse_room(input));
    const User user = HF_TRY(find_user(parsed.order.user));
    const Fd folder = HF_TRY(open_file(parsed.folder, O_RDONLY | O_DIRECTORY));
    HF_TRY(leave_namespaces(parsed.order.name));
    HF_TRY(build_root(parsed.order, parsed.folder + "/root"));
    block({SIGTERM, SIGCHLD});
    Pipe began = HF_TRY(Pipe::make());
    const pid_t init = ::fork();
    if (init < 0) return io_error(errno, "start the room");
    if (init == 0) {
        began.read.reset();
        ::_exit(be_init(parsed.order, user, std::move(began.write)));
    }
    began.write.reset();
    const Fd file(
        ::openat(folder.get(), "room.init", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return io_error(errno, "write room.init");
    HF_TRY(write_all(file, as_view(std::to_string(init)), "room.init"));
    if (has_begun(began.read)) answer("ready\n");
    const int status = watch(init);
    std::fprintf(stderr, "holdfast-host: the system ended with status %d\n", status);
    return status;
}

Result<int> enter_room(pid_t init, const std::string& user_name, const Arguments& command) {
    const User user = HF_TRY(find_user(user_name));
    HF_TRY(join_namespaces(init));
    const pid_t child = ::fork();
    if (child < 0) return io_error(errno, "start " + command[0]);
    if (child == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::chdir("/") != 0) ::_exit(126);  // "/" is the new root, so it is there.
        become(user, command);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return status_of(status);
}

}  // namespace holdfast::agent
