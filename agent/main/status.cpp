#include "agent/main/status.h"

#include "agent/config/systems.h"
#include "agent/failover/older_term.h"
#include "agent/failover/plan.h"
#include "agent/failover/terms.h"
#include "agent/host/room.h"
#include "agent/main/at_partners.h"
#include "agent/node/node.h"
#include "vault/base/json.h"

namespace holdfast::agent {
namespace {

/// A drill counts as long as nothing of the plan has changed since.
Result<std::string> readiness_of(const Home& home, const SystemSettings& system,
                                 const std::optional<Readiness>& drilled) {
    if (!system.plan) return std::string("no plan");
    if (!drilled) return std::string("never drilled");
    if (!drilled->passed || !drilled->cleaned_up) return std::string("broken");
    const auto hash = plan_hash(home, system.text, system.plan->runtime);
    if (!hash) return std::string("broken");
    return std::string(*hash == drilled->plan_hash ? "ready" : "stale");
}

/// The last drill, with what it measured.
Result<Json> drill_json(RunStore& store, const std::optional<Readiness>& drilled) {
    if (!drilled) return Json(nullptr);
    Json out{{"run", drilled->run},
             {"passed", drilled->passed && drilled->cleaned_up},
             {"ended_ms", drilled->time_ms}};
    const auto run = store.run(drilled->run);
    if (!run && run.error().code == Errc::NotFound) return out;
    const RunFacts facts = HF_TRY(run).facts;
    if (facts.proven_ms != 0) out["time_to_proof_ms"] = facts.proven_ms - run->ordered_ms;
    return out;
}

/// The failover that opened the system here, if it was not stopped since.
Result<Json> open_run(const Home& home, RunStore& store, const std::string& system,
                      const TrustId& owner) {
    for (const Run& run : HF_TRY(store.runs())) {
        if (run.kind != RunKind::Failover || run.state != RunState::Succeeded) continue;
        if (run.system != system || run.owner != owner) continue;
        const bool is_running = HF_TRY(is_room_open(home.mounts + "/" + run.name()));
        Json out{{"run", run.id},
                 {"term", run.facts.term},
                 {"running", is_running},
                 {"endpoints", Json::array()}};
        for (const OpenEndpoint& one : run.facts.endpoints) {
            out["endpoints"].push_back({{"name", one.name}, {"address", one.address}});
        }
        return out;
    }
    return Json(nullptr);
}

Result<Json> system_json(const Home& home, RunStore& store, const Node& node,
                         const std::string& name) {
    const SystemSettings system = HF_TRY(load_system(home, name));
    const auto drilled = HF_TRY(store.readiness(name));
    Json out{{"name", name},
             {"title", system.title},
             {"supplier", system.supplier},
             {"drilled_ms", drilled ? drilled->time_ms : 0}};
    out["readiness"] = HF_TRY(readiness_of(home, system, drilled));
    out["drill"] = HF_TRY(drill_json(store, drilled));
    out["holder"] = HF_TRY(holder_text(store, node.settings.trust, name));
    out["runs_here"] = HF_TRY(open_run(home, store, name, node.settings.trust));
    out["alarm"] = HF_TRY(live_copies_text(store, node.settings.trust, system));
    if (const auto newest = node.vault->reader().latest(name)) {
        out["snapshot"] = newest->id.hex();
        out["snapshot_ms"] = newest->time;
    }
    if (system.objectives) {
        out["data_age_ms_max"] = system.objectives->data_age_ms;
        out["time_to_run_ms_max"] = system.objectives->time_to_run_ms;
    }
    return out;
}

}  // namespace

Result<std::string> status_json(const Home& home, const Clock& clock, RunStore& store) {
    const Node node = HF_TRY(open_node(home));
    Json out{{"trust", node.settings.trust.hex()},
             {"name", node.vault->roster().name},
             {"node", node.settings.name},
             {"time_ms", clock.wall_ms()},
             {"systems", Json::array()}};
    const AtPartners partners = AtPartners::ask(home);
    for (const std::string& name : HF_TRY(list_systems(home))) {
        Json system = HF_TRY(system_json(home, store, node, name));
        partners.add_to(system, node.vault->roster().name, node.settings.trust,
                        node.vault->reader());
        out["systems"].push_back(std::move(system));
    }
    out["hosted"] = partners.hosted();
    return json_text(out);
}

}  // namespace holdfast::agent
