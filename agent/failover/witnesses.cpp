#include "agent/failover/witnesses.h"

#include "agent/failover/approval.h"
#include "agent/failover/holder.h"
#include "replicator/control/control_client.h"
#include "vault/base/file.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <thread>

namespace holdfast::agent {
namespace {

/// Calls ask(client, witness) for all at once, since one that is away takes its time to be so.
template <class Answer>
std::vector<Result<Answer>> ask_each(
    const Home& home, const std::vector<NamedWitness>& witnesses,
    const std::function<Result<Answer>(replicator::ControlClient&, const NamedWitness&)>& ask) {
    std::vector<std::optional<Result<Answer>>> answers(witnesses.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
        threads.emplace_back([&, i] {
            auto client = replicator::ControlClient::make(home.run);
            answers[i] = client ? ask(*client, witnesses[i]) : Result<Answer>(client.error());
        });
    }
    for (std::thread& one : threads) one.join();
    std::vector<Result<Answer>> out;
    for (auto& one : answers) out.push_back(std::move(*one));
    return out;
}

/// What one witness knows; what contradicts us is kept, and told.
Result<void> take_in(const Home& home, RunStore& store, const NamedWitness& witness, View object,
                     std::int64_t now_ms, WitnessNews& news) {
    const auto taken = take_holder(home, store, object, now_ms);
    if (taken) return {};
    const auto record = vault::parse_record(object);
    const auto holder = record ? parse_holder(*record) : Result<Holder>(record.error());
    if (taken.error().code == Errc::Conflict && holder) {
        HF_TRY(store.add_conflict(holder->owner, holder->system,
                                  {holder->term, 0, Buffer(object.begin(), object.end())}));
    }
    news.alarms.push_back(name_of(witness) + " keeps a record that this node cannot take in: " +
                          taken.error().message);
    return {};
}

}  // namespace

std::string name_of(const NamedWitness& witness) {
    return witness.name.empty() ? witness.trust.brief() : witness.name;
}

std::vector<NamedWitness> WitnessPanel::all() const {
    std::vector<NamedWitness> out;
    for (const WitnessSet& set : sets) {
        for (const NamedWitness& one : set.members) {
            if (std::ranges::find(out, one.trust, &NamedWitness::trust) == out.end()) {
                out.push_back(one);
            }
        }
    }
    return out;
}

bool WitnessPanel::majority(const std::set<TrustId>& said) const {
    return std::ranges::all_of(sets, [&](const WitnessSet& set) {
        const auto count = std::ranges::count_if(
            set.members, [&](const NamedWitness& one) { return said.contains(one.trust); });
        return static_cast<std::size_t>(count) >= set.majority();
    });
}

Result<WitnessPanel> witnesses_of(const Home& home, const TrustId& owner) {
    if (!path_exists(home.state + "/replicator.db")) return WitnessPanel{};
    auto client = HF_TRY(replicator::ControlClient::make(home.run));
    WitnessPanel panel;
    panel.sets = HF_TRY(client.witnesses(owner));
    return panel;
}

std::vector<WitnessAnswer> ask_witnesses(const Home& home, const WitnessPanel& panel, View holder) {
    const auto witnesses = panel.all();
    auto replies = ask_each<WitnessReply>(
        home, witnesses, [&](replicator::ControlClient& client, const NamedWitness& one) {
            return client.witness(one.trust, holder);
        });
    std::vector<WitnessAnswer> out;
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
        out.push_back({witnesses[i], std::move(replies[i])});
    }
    return out;
}

Result<WitnessNews> learn_terms(const Home& home, RunStore& store, const TrustId& owner,
                                const std::string& system, std::int64_t now_ms) {
    const WitnessPanel panel = HF_TRY(witnesses_of(home, owner));
    const auto witnesses = panel.all();
    const auto found = ask_each<Buffer>(
        home, witnesses, [&](replicator::ControlClient& client, const NamedWitness& one) {
            return client.newest_at(one.trust, owner, system);
        });
    WitnessNews news;
    std::set<TrustId> answered;
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
        if (found[i]) HF_TRY(take_in(home, store, witnesses[i], *found[i], now_ms, news));
        if (found[i] || found[i].error().code == Errc::NotFound) {
            answered.insert(witnesses[i].trust);
        } else {
            news.silent.push_back(name_of(witnesses[i]) + ": " + found[i].error().message);
        }
    }
    news.asked = witnesses.size();
    news.answered = answered.size();
    news.majority = panel.majority(answered);
    const auto newest = HF_TRY(store.newest_holder(owner, system));
    if (newest) news.newest_term = newest->term;
    return news;
}

}  // namespace holdfast::agent
