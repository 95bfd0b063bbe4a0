// Ticker: tells how far the copy is about five times a second, and asks whether to go on.
#pragma once

#include "agent/source/files/copy.h"
#include "vault/base/clock.h"

namespace holdfast::agent::files {

class Ticker {
public:
    explicit Ticker(const Progress& progress) : progress_(&progress) {}

    /// Cheap enough for every file. Errors: Interrupted.
    Result<void> tick(const FilesFacts& facts) {
        return ++calls_ % 64 == 0 ? tell(facts) : Result<void>();
    }
    /// For every large piece of work. Errors: Interrupted.
    Result<void> tell(const FilesFacts& facts) {
        if (!*progress_) return {};
        const std::int64_t now = system_clock().steady_ns();
        if (now < next_ns_) return {};
        next_ns_ = now + interval_ns;
        if ((*progress_)(facts)) return {};
        return Error{Errc::Interrupted, "stopped while files were copied; nothing was stored"};
    }

private:
    static constexpr std::int64_t interval_ns = 200'000'000;
    const Progress* progress_;
    std::uint64_t calls_ = 0;
    std::int64_t next_ns_ = 0;
};

}  // namespace holdfast::agent::files
