#include "images/demo/epr/ack_log.h"
#include "images/demo/epr/database.h"
#include "images/demo/epr/transaction.h"
#include "images/demo/epr/verbs.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace holdfast::demo {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t retry_pause_ns = second_ns / 5;

/// SIGTERM and SIGINT as something to wait for, so that no transaction is cut in its middle.
class StopSignal {
public:
    static Result<StopSignal> catch_now() {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return io_error(errno, "block SIGTERM");
        Fd fd(::signalfd(-1, &set, SFD_CLOEXEC));
        if (!fd) return io_error(errno, "signalfd");
        return StopSignal(std::move(fd));
    }
    /// True if the signal came before `wait_ns` had passed.
    bool within(std::int64_t wait_ns) const {
        pollfd wait{fd_.get(), POLLIN, 0};
        timespec limit{wait_ns / second_ns, wait_ns % second_ns};
        return ::ppoll(&wait, 1, &limit, nullptr) > 0;
    }

private:
    explicit StopSignal(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

/// When the next transaction is due.
class Pace {
public:
    Pace(double rate, const Clock& clock)
        : step_ns_(rate > 0 ? static_cast<std::int64_t>(1e9 / rate) : 0),
          clock_(&clock),
          due_ns_(clock.steady_ns()) {}
    /// How long to wait. A stall is not made up for by a burst of more than a second's worth.
    std::int64_t wait_ns() {
        const std::int64_t now = clock_->steady_ns();
        due_ns_ = std::max(due_ns_ + step_ns_, now - second_ns);
        return std::max<std::int64_t>(0, due_ns_ - now);
    }

private:
    std::int64_t step_ns_;
    const Clock* clock_;
    std::int64_t due_ns_;
};

class Writer {
public:
    Writer(const WriteOrder& order, const Clock& clock, StopSignal stop)
        : order_(&order), clock_(&clock), stop_(std::move(stop)), pace_(order.rate, clock) {}

    /// Writes until stopped or done; after a lost connection as long as --retry allows.
    Result<void> run() {
        for (;;) {
            Result<void> outcome = session();
            if (outcome || outcome.error().code != Errc::Unreachable) return outcome;
            if (failing_since_ns_ == 0) failing_since_ns_ = clock_->steady_ns();
            const auto patience = static_cast<std::int64_t>(order_->retry_s) * second_ns;
            if (clock_->steady_ns() - failing_since_ns_ >= patience) return outcome;
            std::fprintf(stderr, "%s; trying again\n", outcome.error().message.c_str());
            if (stop_.within(retry_pause_ns)) return {};
        }
    }
    std::uint64_t written() const { return written_; }

private:
    /// One connection's life.
    Result<void> session() {
        Database database = HF_TRY(Database::open(order_->place.database));
        const Ledger ledger = HF_TRY(read_ledger(database));
        if (ledger.seed != order_->seed) {
            return Error{Errc::Invalid, "the database was loaded from seed " +
                                            std::to_string(ledger.seed) + ", not from " +
                                            std::to_string(order_->seed)};
        }
        const Dataset data = HF_TRY(Dataset::make(ledger.seed, ledger.megabytes));
        AckLog log = HF_TRY(AckLog::open(order_->log, data.seed, data.megabytes));
        std::printf("writing from transaction %llu\n",
                    static_cast<unsigned long long>(ledger.last + 1));
        std::fflush(stdout);
        Result<void> outcome = transactions(database, data, log, ledger.last + 1);
        const Result<void> synced = log.sync();
        return outcome ? synced : outcome;
    }

    Result<void> transactions(Database& database, const Dataset& data, AckLog& log,
                              std::uint64_t k) {
        for (; order_->count == 0 || written_ < order_->count; ++k) {
            if (stop_.within(pace_.wait_ns())) return {};
            HF_TRY(write_transaction(database, data, order_->place.documents, k));
            HF_TRY(log.append({k, clock_->wall_ms()}));
            failing_since_ns_ = 0;
            ++written_;
        }
        return {};
    }

    const WriteOrder* order_;
    const Clock* clock_;
    StopSignal stop_;
    Pace pace_;
    std::uint64_t written_ = 0;
    std::int64_t failing_since_ns_ = 0;
};

}  // namespace

Result<void> write(const WriteOrder& order, const Clock& clock) {
    Writer writer(order, clock, HF_TRY(StopSignal::catch_now()));
    Result<void> outcome = writer.run();
    std::printf("wrote %llu transactions\n", static_cast<unsigned long long>(writer.written()));
    return outcome;
}

}  // namespace holdfast::demo
