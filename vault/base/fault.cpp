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

/// -1: off. 0: count only. N: die at the N-th call.
long wanted() {
    static const long n = [] {
        const char* text = std::getenv("HOLDFAST_FAULT");
        if (text == nullptr) return -1L;
        if (std::strcmp(text, "count") == 0) {
            std::atexit(print_count);
            return 0L;
        }
        return std::strtol(text, nullptr, 10);
    }();
    return n;
}

}  // namespace

void fault_point(const char* name) {
    const long n = wanted();
    if (n < 0) return;
    if (calls.fetch_add(1) + 1 != n) return;
    std::fprintf(stderr, "fault point %ld: %s\n", n, name);
    std::raise(SIGKILL);
}

}  // namespace holdfast
