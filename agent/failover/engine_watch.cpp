// The watch over terms: what witnesses know of this trust's systems, and of those that are open
// here, is asked for when the engine opens and every minute from then on.
//
// What comes of it is kept in the run store; the runs' own threads act on it.
#include "agent/config/node_settings.h"
#include "agent/config/systems.h"
#include "agent/failover/engine.h"
#include "agent/failover/witnesses.h"

#include <chrono>
#include <cstdio>
#include <set>
#include <utility>

namespace holdfast::agent {
namespace {

constexpr std::chrono::seconds look_every{60};
constexpr std::chrono::seconds look_again{5};  // The replicator may just be starting.

using Watched = std::set<std::pair<TrustId, std::string>>;

Result<Watched> watched(const Home& home, RunStore& store) {
    Watched out;
    const TrustId own = HF_TRY(load_node(home)).trust;
    for (const std::string& system : HF_TRY(list_systems(home))) out.insert({own, system});
    for (const std::int64_t id : HF_TRY(store.under_way())) {
        const Run run = HF_TRY(store.run(id));
        out.insert({run.owner, run.system});
    }
    return out;
}

}  // namespace

Result<std::string> Engine::look_at_terms() {
    std::string told;
    for (const auto& [owner, system] : HF_TRY(watched(home_, *store_))) {
        if (ending_) return told;
        const WitnessNews news =
            HF_TRY(learn_terms(home_, *store_, owner, system, clock_->wall_ms()));
        for (const std::string& alarm : news.alarms) told += system + ": ALARM: " + alarm + "\n";
    }
    return told;
}

void Engine::watch_terms() {
    std::string said;
    while (!ending_) {
        const auto looked = look_at_terms();
        std::string text = looked ? *looked : looked.error().message + "\n";
        if (text != said) std::fprintf(stderr, "terms: %s", text.c_str());
        said = std::move(text);
        wake();
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, looked ? look_every : look_again, [&] { return ending_.load(); });
    }
}

}  // namespace holdfast::agent
