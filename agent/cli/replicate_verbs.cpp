// replicate: bring snapshots to partners now, and watch how it goes. The replicator does the work:
// whoever stops watching stops nothing.
#include "agent/cli/context.h"
#include "agent/cli/replicate.h"
#include "agent/cli/watch.h"
#include "agent/config/node_settings.h"
#include "replicator/control/control_client.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <memory>

namespace holdfast::agent::cli {
namespace {

using replicator::PartnerInfo;
using replicator::TransferInfo;

constexpr int look_every_ms = 200;

struct ReplicateOptions {
    std::string partner;
    bool wait = false;
};

struct Started {
    PartnerInfo partner;
    std::uint64_t id = 0;
    TransferInfo seen;  // As it was last.
};

struct Outcome {
    std::vector<Started> transfers;
    std::vector<std::string> warnings;
    bool watched_to_end = false;
};

/// Sums over all transfers, for whoever draws.
struct Watched {
    std::atomic<std::uint64_t> bytes_done{0};
    std::atomic<std::uint64_t> bytes_all{0};
    std::atomic<std::uint64_t> snapshots_left{0};
    std::atomic<bool> stop{false};
};

/// Why nothing is brought to this partner, or what to mind; empty: nothing.
std::string objection(const PartnerInfo& one, bool named) {
    const std::string name = printable(one.name);
    if (one.agreement_as_owner == 0 && (named || one.agreement_as_host == 0)) {
        return "no agreement in force lets " + name + " keep our data (holdfast agreement propose)";
    }
    if (one.agreement_as_owner != 0 && !one.confirmed) {
        return name + " is not confirmed: compare the words by phone (holdfast partner list)";
    }
    return {};
}

Result<Outcome> start(replicator::ControlClient& replicator, const ReplicateOptions& options) {
    std::vector<PartnerInfo> partners;
    const bool named = !options.partner.empty();
    if (named) {
        partners.push_back(HF_TRY(replicator.find_partner(options.partner)));
    } else {
        partners = HF_TRY(replicator.partners());
    }
    Outcome out;
    for (PartnerInfo& one : partners) {
        const std::string problem = objection(one, named);
        if (!problem.empty()) out.warnings.push_back(problem);
        if (one.agreement_as_owner == 0) continue;
        if (one.address.empty() && !named) continue;
        const auto ids = HF_TRY(replicator.replicate(one.trust));
        if (ids.size() != 1) return Error{Errc::Corrupt, "the replicator started no transfer"};
        out.transfers.push_back({std::move(one), ids.front(), {}});
    }
    if (out.transfers.empty() && out.warnings.empty()) {
        out.warnings.emplace_back("no partner keeps our data (holdfast agreement propose)");
    }
    return out;
}

/// Looks at all transfers once. True: all have ended.
Result<bool> look(replicator::ControlClient& replicator, std::vector<Started>& transfers,
                  Watched& watched) {
    std::uint64_t done = 0;
    std::uint64_t all = 0;
    std::uint64_t left = 0;
    bool ended = true;
    const auto known = HF_TRY(replicator.transfers());
    for (Started& one : transfers) {
        const auto found = std::ranges::find_if(known, [&](const TransferInfo& info) {
            return info.id == one.id && info.partner == one.partner.trust;
        });
        if (found == known.end()) {
            return Error{Errc::Interrupted,
                         "the node was started anew meanwhile; what is left to "
                         "bring goes on by itself: holdfast replicate --wait"};
        }
        one.seen = *found;
        done += found->bytes_done;
        all += found->bytes_all;
        left += found->entries_all - std::min(found->entries_all, found->entries_done);
        ended = ended && found->ended_ms != 0;
    }
    watched.bytes_done = done;
    watched.bytes_all = all;
    watched.snapshots_left = left;
    return ended;
}

/// A transfer that was under way already may have begun before our newest snapshot was there: it is
/// followed by another.
Result<bool> follow_up(replicator::ControlClient& replicator, std::vector<Started>& transfers,
                       std::int64_t asked_ms) {
    bool again = false;
    for (Started& one : transfers) {
        if (one.seen.started_ms >= asked_ms || one.seen.state != "done") continue;
        one.id = HF_TRY(replicator.replicate(one.partner.trust)).at(0);
        again = true;
    }
    return again;
}

/// True if all ended; false if `watched.stop` came first.
Result<bool> wait_for_all(replicator::ControlClient& replicator, std::vector<Started>& transfers,
                          Watched& watched, std::int64_t asked_ms) {
    while (!watched.stop) {
        if (HF_TRY(look(replicator, transfers, watched)) &&
            !HF_TRY(follow_up(replicator, transfers, asked_ms))) {
            return true;
        }
        ::poll(nullptr, 0, look_every_ms);
    }
    return false;
}

Json to_json(const Started& one) {
    return {{"partner", one.partner.name},
            {"trust", one.partner.trust.hex()},
            {"transfer", one.id},
            {"state", one.seen.state.empty() ? "running" : one.seen.state},
            {"problem", one.seen.problem},
            {"objects", one.seen.objects_done},
            {"bytes", one.seen.bytes_done},
            {"entries", one.seen.entries_done},
            {"receipts", one.seen.receipts}};
}

void print(const Started& one) {
    const std::string name = printable(one.partner.name);
    const TransferInfo& seen = one.seen;
    if (seen.ended_ms == 0) {
        fmt::print("{}: the transfer goes on\n", name);
    } else if (seen.state != "done") {
        fmt::print("{}: failed after {}: {}\n", name, human_bytes(seen.bytes_done),
                   printable(seen.problem));
    } else if (seen.objects_done == 0 && seen.receipts == 0) {
        fmt::print("{}: has everything already\n", name);
    } else {
        fmt::print("{}: {} in {} objects brought, {} snapshots receipted; {}\n", name,
                   human_bytes(seen.bytes_done), seen.objects_done, seen.receipts,
                   human_duration(seen.ended_ms - seen.started_ms));
    }
}

void print(const Context& context, const Outcome& outcome) {
    Json out = Json::array();
    for (const Started& one : outcome.transfers) {
        out.push_back(to_json(one));
        if (!context.json) print(one);
    }
    if (context.json)
        fmt::print("{}\n", json_text({{"transfers", out}, {"warnings", outcome.warnings}}));
    for (const std::string& warning : outcome.warnings) warn(warning);
}

int exit_code(const Outcome& outcome) {
    std::string failed;
    for (const Started& one : outcome.transfers) {
        if (one.seen.state != "failed") continue;
        failed += (failed.empty() ? "" : ", ") + printable(one.partner.name);
    }
    if (!failed.empty()) return fail({Errc::Unreachable, "not brought to " + failed});
    return outcome.warnings.empty() ? Done : DoneWithWarnings;
}

Result<Outcome> replicate_watched(const Home& home, const ReplicateOptions& options) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    const std::int64_t asked_ms = system_clock().wall_ms();
    Outcome out = HF_TRY(start(replicator, options));
    if (!options.wait || out.transfers.empty()) return out;
    Watched watched;
    out.watched_to_end = HF_TRY(watch(
        "replicate", watched.stop,
        [&](ProgressLine& line) {
            line.show(watched.bytes_done, watched.bytes_all,
                      fmt::format("{} snapshots to go", watched.snapshots_left.load()));
        },
        [&] { return wait_for_all(replicator, out.transfers, watched, asked_ms); }));
    if (!out.watched_to_end) {
        fmt::print(stderr, "No longer watching; the transfer goes on while the node runs.\n");
    }
    return out;
}

int replicate(const Context& context, const ReplicateOptions& options) {
    auto outcome = replicate_watched(context.home(), options);
    if (!outcome) return fail(outcome.error());
    print(context, *outcome);
    return exit_code(*outcome);
}

}  // namespace

Result<void> bring_to_partners(const Home& home, const std::vector<std::string>& without) {
    const NodeSettings node = HF_TRY(load_node(home));
    if (!node.peer) return {};
    const Outcome outcome = HF_TRY(replicate_watched(home, {{}, true}));
    if (!outcome.transfers.empty() && !outcome.watched_to_end) {
        return Error{Errc::Interrupted, "stopped before all partners had it; run it again"};
    }
    for (const Started& one : outcome.transfers) {
        if (one.seen.state == "done") continue;
        if (std::ranges::find(without, one.partner.name) != without.end()) continue;
        return Error{Errc::Unreachable,
                     "not brought to " + printable(one.partner.name) + ": " + one.seen.problem};
    }
    return {};
}

void add_replicate_verbs(Command app, Context& context) {
    auto options = std::make_shared<ReplicateOptions>();
    Command verb = app.add_subcommand("replicate", "bring our snapshots to partners now");
    verb.add_option("PARTNER", options->partner, "only to this one");
    verb.add_flag("--wait", options->wait, "watch until all is brought and receipted");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "The node does it by itself after each snapshot and every five minutes.\n"
        "Exit code 1: failed at a partner, which is named; 3: a partner has no agreement, or is\n"
        "not confirmed.\n"
        "Example: holdfast replicate --wait");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return replicate(context, *options); };
    });
}

}  // namespace holdfast::agent::cli
