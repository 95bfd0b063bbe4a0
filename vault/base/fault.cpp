#include "vault/base/fault.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace holdfast {
namespace {

std::atomic<long> calls{0};

void print_count() {
    std::fprintf(stderr, "fault points: %ld\n", calls.load());
}

struct Wanted {
    long call = -1;  // -1: off. 0: count only.
    int signal = SIGKILL;
};

const Wanted& wanted() {
    static const Wanted found = []() -> Wanted {
        const char* text = std::getenv("HOLDFAST_FAULT");
        if (text == nullptr) return {};
        if (std::strcmp(text, "count") == 0) {
            std::atexit(print_count);
            return {0, SIGKILL};
        }
        constexpr const char* stop = "stop:";
        const bool stops = std::strncmp(text, stop, std::strlen(stop)) == 0;
        const char* number = stops ? text + std::strlen(stop) : text;
        return {std::strtol(number, nullptr, 10), stops ? SIGSTOP : SIGKILL};
    }();
    return found;
}

}  // namespace

void fault_point(const char* name) {
    const Wanted& at = wanted();
    if (at.call < 0) return;
    if (calls.fetch_add(1) + 1 != at.call) return;
    std::fprintf(stderr, "fault point %ld: %s\n", at.call, name);
    std::raise(at.signal);  // Sent to this thread, felt by all of them.
}

}  // namespace holdfast
