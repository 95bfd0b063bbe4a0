#include "agent/process/command.h"

#include "agent/process/descriptors.h"
#include "vault/base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace holdfast::agent {
namespace {

constexpr std::size_t error_tail_max = 2'000;

struct Running {
    pid_t pid = -1;
    Fd in, out, err;
};

Result<Running> start(const CommandOrder& order) {
    Strings arguments(order.command);
    std::vector<std::string> words = plain_environment();
    words.insert(words.end(), order.environment.begin(), order.environment.end());
    Strings environment(std::move(words));
    Pipe in = HF_TRY(Pipe::make());
    Pipe out = HF_TRY(Pipe::make());
    Pipe err = HF_TRY(Pipe::make());
    const pid_t pid = ::fork();
    if (pid < 0) return io_error(errno, "start " + order.command[0]);
    if (pid == 0) {
        (void)::setpgid(0, 0);
        if (!place_descriptors({in.read.get(), out.write.get(), err.write.get()})) ::_exit(126);
        reset_signals();
        if (::chdir("/") == 0) ::execve(arguments.get()[0], arguments.get(), environment.get());
        ::_exit(127);
    }
    (void)::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
    return Running{pid, std::move(in.write), std::move(out.read), std::move(err.read)};
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Takes what there is; at the end lets go of `from`.
Result<void> take(Fd& from, const std::function<Result<void>(View)>& into) {
    std::array<std::uint8_t, 65'536> piece{};
    const ssize_t got = ::read(from.get(), piece.data(), piece.size());
    if (got == 0 || (got < 0 && errno != EINTR)) from.reset();
    if (got > 0) return into(View(piece).first(static_cast<std::size_t>(got)));
    return {};
}

void give(Fd& to, View& rest) {
    const ssize_t done = rest.empty() ? 0 : ::write(to.get(), rest.data(), rest.size());
    if (done > 0) rest = rest.subspan(static_cast<std::size_t>(done));
    const bool gone = done < 0 && errno != EINTR && errno != EAGAIN;
    if (rest.empty() || gone) to.reset();
}

/// Feeds and listens until both outputs have ended. False: the deadline came first.
Result<bool> talk(Running& running, const CommandOrder& order, std::int64_t deadline_ns,
                  CommandResult& result) {
    View input = order.input;
    const auto keep = [&](View piece) -> Result<void> {
        result.output += as_text(piece);
        if (result.output.size() > command_output_max) result.output.resize(command_output_max);
        return {};
    };
    const auto keep_tail = [&](View piece) -> Result<void> {
        result.error_tail += as_text(piece);
        if (result.error_tail.size() > 2 * error_tail_max) {
            result.error_tail.erase(0, result.error_tail.size() - error_tail_max);
        }
        return {};
    };
    while (running.out || running.err) {
        const std::int64_t left_ms = (deadline_ns - system_clock().steady_ns()) / 1'000'000;
        if (left_ms <= 0) return false;
        std::array<pollfd, 3> watched{{{running.out.get(), POLLIN, 0},
                                       {running.err.get(), POLLIN, 0},
                                       {running.in.get(), POLLOUT, 0}}};
        if (::poll(watched.data(), watched.size(), static_cast<int>(left_ms)) <= 0) continue;
        if (watched[0].revents != 0) {
            HF_TRY(order.on_output ? take(running.out, order.on_output) : take(running.out, keep));
        }
        if (watched[1].revents != 0) HF_TRY(take(running.err, keep_tail));
        if (watched[2].revents != 0) give(running.in, input);
    }
    return true;
}

}  // namespace

Result<CommandResult> run_command(const CommandOrder& order) {
    if (::access(order.command[0].c_str(), X_OK) != 0) {
        return Error{Errc::NotFound, order.command[0] + " is not here, or no program"};
    }
    Running running = HF_TRY(start(order));
    CommandResult result;
    const std::int64_t deadline =
        system_clock().steady_ns() + std::int64_t{order.ms_max} * 1'000'000;
    const auto ended = talk(running, order, deadline, result);
    if (!ended || !*ended) (void)::kill(-running.pid, SIGKILL);
    result.status = wait_for(running.pid);
    if (!ended) return ended.error();
    if (!*ended) {
        return Error{Errc::Unreachable, order.command[0] + " took longer than " +
                                            std::to_string(order.ms_max / 1000) +
                                            " s and was killed"};
    }
    while (!result.error_tail.empty() && result.error_tail.back() == '\n') {
        result.error_tail.pop_back();
    }
    return result;
}

}  // namespace holdfast::agent
