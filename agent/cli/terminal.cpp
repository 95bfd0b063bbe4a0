#include "agent/cli/terminal.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace holdfast::agent::cli {
namespace {

constexpr std::int64_t draw_every_ns = 100'000'000;
constexpr std::int64_t second_ns = 1'000'000'000;

}  // namespace

int fail(const Error& error) {
    fmt::print(stderr, "holdfast: {}\n", error.message);
    return error.code == Errc::Invalid ? Usage : Failed;
}

void warn(std::string_view message) {
    fmt::print(stderr, "holdfast: warning: {}\n", message);
}

Error answer_lost(int failed) {
    if (failed == EPIPE) {
        std::signal(SIGPIPE, SIG_DFL);
        std::raise(SIGPIPE);
    }
    return io_error(failed, "write the answer");
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        if (byte < 0x20 || byte == 0x7f) out[i] = '?';
        // U+0080 to U+009F, of which some terminals make escape sequences.
        const bool lead = byte == 0xc2 && i + 1 < out.size();
        if (lead && static_cast<unsigned char>(out[i + 1]) < 0xa0) out.replace(i, 2, "?");
    }
    return out;
}

bool stderr_is_terminal() {
    return isatty(STDERR_FILENO) != 0;
}

bool stdin_is_terminal() {
    return isatty(STDIN_FILENO) != 0;
}

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes);
    const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    for (value /= 1024; value >= 1024 && unit < 4; ++unit) value /= 1024;
    return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : 1, units[unit]);
}

std::string human_duration(std::int64_t ms) {
    if (ms < 1000) return fmt::format("{} ms", ms);
    if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
    const std::int64_t seconds = ms / 1000;
    if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
    return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string human_age(std::int64_t ms) {
    if (ms < 0) return "from the future (is a clock wrong?)";
    const std::int64_t seconds = ms / 1000;
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 7200) return fmt::format("{} min", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} days", seconds / 86400);
}

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), on_(stderr_is_terminal()), start_ns_(system_clock().steady_ns()) {}

ProgressLine::~ProgressLine() {
    if (on_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::show(std::uint64_t done_bytes, std::uint64_t all_bytes, std::string_view note) {
    const std::int64_t now = system_clock().steady_ns();
    if (!on_ || now < next_ns_) return;
    next_ns_ = now + draw_every_ns;
    const double seconds = static_cast<double>(now - start_ns_) / second_ns;
    const double rate = seconds > 0.2 ? static_cast<double>(done_bytes) / seconds : 0;
    std::string line = fmt::format("{}: {}", what_, human_bytes(done_bytes));
    if (all_bytes > done_bytes) line += fmt::format(" of {}", human_bytes(all_bytes));
    if (rate > 0) line += fmt::format(", {}/s", human_bytes(static_cast<std::uint64_t>(rate)));
    if (rate > 0 && all_bytes > done_bytes) {
        const double left = static_cast<double>(all_bytes - done_bytes) / rate;
        line += fmt::format(", {} left", human_duration(static_cast<std::int64_t>(left * 1000)));
    }
    if (!note.empty()) line += fmt::format(", {}", note);
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
}

}  // namespace holdfast::agent::cli
