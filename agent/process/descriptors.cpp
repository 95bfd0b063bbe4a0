#include "agent/process/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

namespace holdfast::agent {
namespace {

constexpr int descriptors_max = 8;
constexpr int above_all = 64;  // Beyond where they will be placed.

}  // namespace

Result<Pipe> Pipe::make() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return io_error(errno, "make a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Strings::Strings(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
}

std::vector<std::string> plain_environment() {
    std::vector<std::string> out{
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
    if (const char* programs = std::getenv("HOLDFAST_PROGRAMS")) {
        out.push_back(std::string("HOLDFAST_PROGRAMS=") + programs);
    }
    return out;
}

bool place_descriptors(std::initializer_list<int> descriptors) {
    std::array<int, descriptors_max> moved{};
    std::size_t count = 0;
    for (const int fd : descriptors) {  // First out of the way of one another.
        if (count == moved.size()) return false;
        moved[count] = ::fcntl(fd, F_DUPFD, above_all);
        if (moved[count++] < 0) return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (::dup2(moved[i], static_cast<int>(i)) < 0) return false;
    }
    return ::close_range(static_cast<unsigned>(count), UINT_MAX, 0) == 0;
}

void reset_signals() {
    for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace holdfast::agent
