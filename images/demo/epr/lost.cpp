#include "images/demo/epr/ack_log.h"
#include "images/demo/epr/verbs.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace holdfast::demo {
namespace {

struct Loss {
    std::uint64_t transactions = 0;
    std::uint64_t rows = 0;
    std::uint64_t letters = 0;
    std::uint64_t last = 0;  // The last transaction that was acknowledged; n if none was beyond it.
    double seconds = 0;      // From the last acknowledgement that is kept to the last of all.
};

/// The moment from which on nothing is kept: the last acknowledgement up to n before the first that
/// is lost; if the log has none, the first that is lost.
std::int64_t kept_until(const AckHistory& history, const Ack& first_lost) {
    std::int64_t moment = first_lost.wall_ms;
    for (const Ack& ack : history.acks) {
        if (ack.k == first_lost.k && ack.wall_ms == first_lost.wall_ms) break;
        moment = ack.wall_ms;
    }
    return moment;
}

Loss loss_of(const Dataset& data, const AckHistory& history, std::uint64_t n) {
    Loss loss;
    loss.last = n;
    const std::vector<Ack> beyond = acks_beyond(history, n);
    if (beyond.empty()) return loss;
    for (const Ack& ack : beyond) {
        loss.rows += rows_of_transaction(data, ack.k);
        loss.letters += ack.k % letter_every == 0 ? 1 : 0;
    }
    loss.transactions = beyond.size();
    loss.last = beyond.back().k;
    const std::int64_t span = beyond.back().wall_ms - kept_until(history, beyond.front());
    loss.seconds = static_cast<double>(span) / 1000;
    return loss;
}

}  // namespace

Result<void> lost(const std::string& log, std::uint64_t n, bool json) {
    const AckHistory history = HF_TRY(read_acks(log));
    if (history.bytes == 0) return Error{Errc::Invalid, log + " is empty: no writer began it"};
    const Dataset data = HF_TRY(Dataset::make(history.seed, history.megabytes).within(log));
    const Loss loss = loss_of(data, history, n);
    if (json) {
        const nlohmann::ordered_json out{{"n", n},
                                         {"last_acknowledged", loss.last},
                                         {"transactions", loss.transactions},
                                         {"rows", loss.rows},
                                         {"letters", loss.letters},
                                         {"seconds", loss.seconds}};
        std::puts(out.dump().c_str());
        return {};
    }
    std::printf(
        "lost beyond transaction %llu: %llu acknowledged transactions, %llu rows, "
        "%llu letters, %.3f seconds\n",
        static_cast<unsigned long long>(n), static_cast<unsigned long long>(loss.transactions),
        static_cast<unsigned long long>(loss.rows), static_cast<unsigned long long>(loss.letters),
        loss.seconds);
    return {};
}

}  // namespace holdfast::demo
