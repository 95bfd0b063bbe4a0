#include "agent/failover/older_term.h"

#include "agent/config/node_settings.h"
#include "agent/failover/holder.h"
#include "agent/failover/terms.h"
#include "agent/failover/witnesses.h"
#include "agent/source/postgres/probe.h"
#include "replicator/control/control_client.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr int answer_ms_max = 5'000;

/// Behind our own relay it is not the old side that answers.
bool is_relay(const SystemSettings& system, const PostgresSourceSettings& from) {
    const std::string address = from.host + ":" + std::to_string(from.port);
    return std::ranges::any_of(system.endpoints, [&](const EndpointSettings& endpoint) {
        return endpoint.relay == address;
    });
}

/// "127.0.0.1:5432" of the first database among the sources that answers; empty: none does.
std::string answering(const SystemSettings& system) {
    for (const SourceSettings& source : system.sources) {
        const auto* from = std::get_if<PostgresSourceSettings>(&source.of);
        if (from == nullptr || is_relay(system, *from)) continue;
        postgres::PostgresSettings settings;
        settings.host = from->host;
        settings.port = from->port;
        settings.user = from->user;
        settings.passfile = from->passfile;
        settings.sslmode = from->sslmode;
        settings.sslrootcert = from->sslrootcert;
        if (postgres::answers(settings, answer_ms_max)) {
            return from->host + ":" + std::to_string(from->port);
        }
    }
    return {};
}

/// "Trumpton (node-1)": what people know it by, if this node's replicator can tell.
std::string place_text(const Home& home, const TrustId& own, const Holder& holder) {
    if (holder.host == own) return holder.node;
    std::string name = holder.host.brief();
    if (auto replicator = replicator::ControlClient::make(home.run)) {
        if (const auto partner = replicator->find_partner(holder.host.hex())) name = partner->name;
    }
    return name + " (" + holder.node + ")";
}

Result<std::string> since_text(RunStore& store, const StoredHolder& held, const Holder& holder) {
    if (held.run == 0) return ", from the copy of " + format_time(holder.snapshot_ms);
    const Run run = HF_TRY(store.run(held.run));
    const std::int64_t opened_ms = run.facts.opened_ms != 0 ? run.facts.opened_ms : run.ordered_ms;
    return " since " + format_time(opened_ms) + " (" + run.name() + " here)";
}

/// After a recovery, or a run that was ordered elsewhere, the witnesses alone may know of the term.
/// A snapshot does not wait for a partner's repair, so their silence refuses nothing.
Result<void> ask_the_witnesses(const Home& home, RunStore& store, const TrustId& own,
                               const std::string& system, const Clock& clock) {
    const auto news = learn_terms(home, store, own, system, clock.wall_ms());
    if (news || news.error().code == Errc::Unreachable) return {};
    return news.error();
}

}  // namespace

Result<void> check_term(const Home& home, const SystemSettings& system, const Clock& clock) {
    const auto store = HF_TRY(RunStore::open(home.state + "/runs.db"));
    const TrustId own = HF_TRY(load_node(home)).trust;
    HF_TRY(ask_the_witnesses(home, *store, own, system.name, clock));
    const auto held = HF_TRY(store->newest_holder(own, system.name));
    if (!held || held->term <= system.term) return {};
    const Holder holder = HF_TRY(parse_holder(HF_TRY(vault::parse_record(held->record))));
    const std::string since = HF_TRY(since_text(*store, *held, holder));
    const std::string old_side = answering(system);
    HF_TRY(store->set_old_side(own, system.name, {clock.wall_ms(), held->term, old_side}));
    const std::string term = std::to_string(held->term);
    const std::string now =
        system.supplier.empty() ? "its old sources hold" : system.supplier + " serves";
    return Error{Errc::Denied,
                 system.name + " is held by " + place_text(home, own, holder) + " under term " +
                     term + since + "; what " + now + " now is an older copy (term " +
                     std::to_string(system.term) + "). Nothing was copied." +
                     (old_side.empty() ? "" : " TWO COPIES ARE LIVE: " + old_side + " answers.") +
                     " When its sources are where it runs now, say so: term = " + term +
                     " in systems/" + system.name + ".toml"};
}

Result<std::string> live_copies_text(RunStore& store, const TrustId& own,
                                     const SystemSettings& system) {
    const auto seen = HF_TRY(store.old_side(own, system.name));
    if (!seen || seen->address.empty() || seen->term <= system.term) return std::string();
    return "TWO COPIES ARE LIVE: " + seen->address + " answered at " + format_time(seen->time_ms) +
           ", though " + HF_TRY(holder_text(store, own, system.name));
}

}  // namespace holdfast::agent
