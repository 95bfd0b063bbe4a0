#include "agent/process/supervised.h"

#include "agent/process/descriptors.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace holdfast::agent {
namespace {

constexpr int look_again_ms = 20;
constexpr int pid_written_ms_max = 5'000;
constexpr int killed_ms_max = 10'000;

std::int64_t now_ms() {
    return system_clock().steady_ns() / 1'000'000;
}

/// The pid file, locked; or nothing if another holds it. Who only looks takes LOCK_SH.
Result<std::optional<Fd>> lock(const std::string& path, int how) {
    Fd file = HF_TRY(open_file(path, O_RDWR | O_CREAT));
    if (::flock(file.get(), how | LOCK_NB) == 0) return std::optional<Fd>(std::move(file));
    if (errno == EWOULDBLOCK) return std::optional<Fd>();
    return io_error(errno, "lock " + path);
}

/// For a new process. Somebody may just be looking whether it lives, so it tries a few times.
Result<Fd> lock_for_start(const ProcessPlace& place) {
    for (int tries = 0; tries < 10; ++tries) {
        auto file = HF_TRY(lock(place.pid_file(), LOCK_EX));
        if (file) return std::move(*file);
        (void)::poll(nullptr, 0, look_again_ms);
    }
    return Error{Errc::Conflict, place.name + " runs already"};
}

/// Runs in the child of the child: nothing here may allocate.
[[noreturn]] void become(char* const* command, char* const* environment, int in, int out, int log,
                         int pid_file) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), ::getpid());
    const auto length = static_cast<std::size_t>(end.ptr - digits.data());
    if (::pwrite(pid_file, digits.data(), length, 0) < 0) ::_exit(126);
    if (!place_descriptors({in, out, log, pid_file})) ::_exit(126);
    reset_signals();
    if (::chdir("/") == 0) ::execve(command[0], command, environment);
    ::_exit(127);
}

/// Starts the process as nobody's child. Errors: Io.
Result<void> spawn(const std::vector<std::string>& command, int in, int out, int log,
                   int pid_file) {
    Strings arguments(command);
    Strings environment(plain_environment());
    const pid_t between = ::fork();
    if (between < 0) return io_error(errno, "start " + command[0]);
    if (between == 0) {
        (void)::setsid();
        if (::fork() == 0) {
            become(arguments.get(), environment.get(), in, out, log, pid_file);
        }
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(between, &status, 0) < 0 && errno == EINTR) continue;
    return {};
}

/// The first line of `out`, or what came before its end or the deadline.
Result<std::string> read_answer(const Fd& out, int ms_max) {
    const std::int64_t deadline = now_ms() + ms_max;
    std::string answer;
    while (answer.find('\n') == std::string::npos && answer.size() < answer_bytes_max) {
        const std::int64_t left_ms = deadline - now_ms();
        if (left_ms <= 0) return Error{Errc::Unreachable, "it did not answer in time"};
        pollfd watched{out.get(), POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(left_ms)) < 0 && errno != EINTR) {
            return io_error(errno, "wait for its answer");
        }
        if (watched.revents == 0) continue;
        std::array<char, 512> piece{};
        const ssize_t got = ::read(out.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        answer.append(piece.data(), static_cast<std::size_t>(got));
    }
    return answer.substr(0, answer.find('\n'));
}

Result<void> check_answer(const ProcessPlace& place, const std::string& answer) {
    if (answer == "ready") return {};
    constexpr std::string_view failed = "failed: ";
    if (answer.starts_with(failed)) return Error{Errc::Io, answer.substr(failed.size())};
    const std::string said = log_tail(place);
    return Error{Errc::Io, "it ended at once" + (said.empty() ? "" : ": " + said)};
}

Result<void> start_locked(const ProcessPlace& place, const ProcessOrder& order,
                          const Fd& pid_file) {
    if (::ftruncate(pid_file.get(), 0) != 0) return io_error(errno, "clear " + place.pid_file());
    const Fd log = HF_TRY(open_file(place.log_file(), O_WRONLY | O_CREAT | O_APPEND));
    Pipe input = HF_TRY(Pipe::make());
    Pipe output = HF_TRY(Pipe::make());
    HF_TRY(spawn(order.command, input.read.get(), output.write.get(), log.get(), pid_file.get()));
    input.read.reset();
    output.write.reset();
    // A process that ended before it read all says why in its answer.
    (void)write_all(input.write, order.input, "its input");
    input.write.reset();
    return check_answer(place, HF_TRY(read_answer(output.read, order.answer_ms_max)));
}

Result<pid_t> pid_in(const ProcessPlace& place) {
    for (const std::int64_t deadline = now_ms() + pid_written_ms_max;;) {
        const Buffer text = HF_TRY(read_file(place.pid_file(), 64));
        pid_t pid = 0;
        const std::string_view digits = as_text(text);
        std::from_chars(digits.data(), digits.data() + digits.size(), pid);
        if (pid > 0) return pid;
        if (now_ms() > deadline) return Error{Errc::Io, place.pid_file() + " holds no pid"};
        (void)::poll(nullptr, 0, look_again_ms);  // Between its fork and its first step.
    }
}

/// Waits until nothing of `ended` holds the lock; a successor may. Answers whether that happened in
/// time.
Result<bool> wait_unlocked(const ProcessPlace& place, pid_t ended, int ms_max) {
    for (const std::int64_t deadline = now_ms() + ms_max;;) {
        const auto holder = HF_TRY(find_process(place));
        if (holder != ended) return true;
        const std::int64_t left_ms = deadline - now_ms();
        if (left_ms <= 0) return false;
        (void)::poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(left_ms, look_again_ms)));
    }
}

/// True if that process of the place, and whatever it left behind, is gone within `ms_max`.
Result<bool> wait_until_gone(const ProcessPlace& place, pid_t pid, int ms_max) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const std::int64_t deadline = now_ms() + ms_max;
    while (process) {
        const std::int64_t left_ms = std::max<std::int64_t>(deadline - now_ms(), 0);
        pollfd watched{process.get(), POLLIN, 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(left_ms));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        break;
    }
    // Whatever it left behind holds the lock a moment longer.
    const std::int64_t left_ms = std::max<std::int64_t>(deadline - now_ms(), 0);
    return wait_unlocked(place, pid, static_cast<int>(left_ms));
}

}  // namespace

Result<pid_t> start_process(const ProcessPlace& place, const ProcessOrder& order) {
    if (!path_exists(order.command[0])) {
        return Error{Errc::NotFound, order.command[0] + " is not installed"};
    }
    Fd pid_file = HF_TRY(lock_for_start(place));
    auto started = start_locked(place, order, pid_file);
    pid_file.reset();
    if (!started) {
        HF_TRY(end_process(place, SIGKILL, 0));
        return std::move(started).error().within(place.name);
    }
    return pid_in(place);
}

Result<std::optional<pid_t>> find_process(const ProcessPlace& place) {
    if (!path_exists(place.pid_file())) return std::optional<pid_t>();
    if (HF_TRY(lock(place.pid_file(), LOCK_SH))) return std::optional<pid_t>();
    return std::optional<pid_t>(HF_TRY(pid_in(place)));
}

Result<bool> wait_for_end(const ProcessPlace& place, int ms_max) {
    const auto pid = HF_TRY(find_process(place));
    if (!pid) return true;
    return wait_until_gone(place, *pid, ms_max);
}

Result<void> end_process(const ProcessPlace& place, int signal_number, int ms_max) {
    const auto pid = HF_TRY(find_process(place));
    if (!pid) return {};
    (void)::kill(*pid, signal_number);
    if (HF_TRY(wait_until_gone(place, *pid, ms_max))) return {};
    (void)::kill(*pid, SIGKILL);
    if (HF_TRY(wait_until_gone(place, *pid, killed_ms_max))) return {};
    return Error{Errc::Io, place.name + " (pid " + std::to_string(*pid) + ") cannot be killed"};
}

std::string log_tail(const ProcessPlace& place, std::size_t bytes_max) {
    const auto file = open_file(place.log_file(), O_RDONLY);
    if (!file) return {};
    const off_t size = ::lseek(file->get(), 0, SEEK_END);
    const off_t start = std::max<off_t>(0, size - static_cast<off_t>(bytes_max));
    const auto text = read_exact(*file, static_cast<std::uint64_t>(start),
                                 static_cast<std::uint64_t>(size - start), place.log_file());
    if (!text) return {};
    std::string tail(as_text(*text));
    while (!tail.empty() && tail.back() == '\n') tail.pop_back();
    return tail;
}

}  // namespace holdfast::agent
