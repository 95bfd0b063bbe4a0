#include "agent/failover/run.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

namespace holdfast::agent {
namespace {

Json to_json(const CheckOutcome& check) {
    return {{"name", check.name},
            {"passed", check.passed},
            {"said", check.said},
            {"took_ms", check.took_ms}};
}

Json to_json(const Signatory& person) {
    return {{"name", person.name},
            {"key", person.key},
            {"time_ms", person.time_ms},
            {"attested", person.attested},
            {"vouched", person.vouched}};
}

Json to_json(const WitnessFact& one) {
    return {{"trust", one.trust},
            {"name", one.name},
            {"outcome", one.outcome},
            {"said", one.said},
            {"record", one.record}};
}

Json to_json(const ReleaseNote& release) {
    if (release.snapshot.empty()) return nullptr;
    return {{"snapshot", release.snapshot}, {"host", release.host},
            {"node", release.node},         {"purpose", release.purpose},
            {"time_ms", release.time_ms},   {"until_ms", release.until_ms},
            {"people", release.people}};
}

ReleaseNote release_in(const Json& facts) {
    const auto at = facts.find("release");
    if (at == facts.end() || !at->is_object()) return {};
    return {text_in(*at, "snapshot"), text_in(*at, "host"),      text_in(*at, "node"),
            text_in(*at, "purpose"),  number_in(*at, "time_ms"), number_in(*at, "until_ms"),
            texts_in(*at, "people")};
}

Json to_json(const RunFacts& facts) {
    Json out{{"snapshot", facts.snapshot},
             {"snapshot_ms", facts.snapshot_ms},
             {"title", facts.title},
             {"supplier", facts.supplier},
             {"plan", facts.plan},
             {"plan_hash", facts.plan_hash},
             {"data_age_ms_max", facts.data_age_ms_max},
             {"time_to_run_ms_max", facts.time_to_run_ms_max},
             {"proven_ms", facts.proven_ms},
             {"opened_ms", facts.opened_ms},
             {"term", facts.term},
             {"checks", Json::array()},
             {"endpoints", Json::array()},
             {"people", Json::array()},
             {"release", to_json(facts.release)},
             {"remarks", facts.remarks},
             {"failure", facts.failure},
             {"evidence", facts.evidence},
             {"boot", facts.boot},
             {"witnesses", Json::array()},
             {"about", facts.about},
             {"question", facts.question}};
    for (const WitnessFact& one : facts.witnesses) out["witnesses"].push_back(to_json(one));
    for (const CheckOutcome& check : facts.checks) out["checks"].push_back(to_json(check));
    for (const Signatory& person : facts.people) out["people"].push_back(to_json(person));
    for (const OpenEndpoint& one : facts.endpoints) {
        out["endpoints"].push_back({{"name", one.name}, {"address", one.address}});
    }
    return out;
}

/// How old the data was, and how long it took: what the objectives are about.
Json measured(const Run& run) {
    const RunFacts& facts = run.facts;
    Json out = Json::object();
    if (facts.snapshot_ms != 0) out["data_age_ms"] = run.ordered_ms - facts.snapshot_ms;
    if (facts.proven_ms != 0) out["time_to_proof_ms"] = facts.proven_ms - run.ordered_ms;
    if (facts.opened_ms != 0) out["time_to_run_ms"] = facts.opened_ms - run.ordered_ms;
    return out;
}

}  // namespace

std::string facts_json(const RunFacts& facts) {
    return json_text(to_json(facts));
}

Result<RunFacts> parse_facts(std::string_view text) {
    const Json from = HF_TRY(parse_object(text, "what a run learnt"));
    RunFacts facts;
    facts.snapshot = text_in(from, "snapshot");
    facts.snapshot_ms = number_in(from, "snapshot_ms");
    facts.title = text_in(from, "title");
    facts.supplier = text_in(from, "supplier");
    facts.plan = text_in(from, "plan");
    facts.plan_hash = text_in(from, "plan_hash");
    facts.data_age_ms_max = number_in(from, "data_age_ms_max");
    facts.time_to_run_ms_max = number_in(from, "time_to_run_ms_max");
    facts.proven_ms = number_in(from, "proven_ms");
    facts.opened_ms = number_in(from, "opened_ms");
    facts.term = static_cast<std::uint64_t>(number_in(from, "term"));
    facts.failure = text_in(from, "failure");
    facts.evidence = text_in(from, "evidence");
    facts.boot = text_in(from, "boot");
    facts.release = release_in(from);
    facts.about = text_in(from, "about");
    facts.question = text_in(from, "question");
    facts.remarks = texts_in(from, "remarks");
    for (const Json& one : list_in(from, "witnesses")) {
        facts.witnesses.push_back({text_in(one, "trust"), text_in(one, "name"),
                                   text_in(one, "outcome"), text_in(one, "said"),
                                   text_in(one, "record")});
    }
    for (const Json& one : list_in(from, "checks")) {
        facts.checks.push_back({text_in(one, "name"), flag_in(one, "passed"), text_in(one, "said"),
                                number_in(one, "took_ms")});
    }
    for (const Json& one : list_in(from, "endpoints")) {
        facts.endpoints.push_back({text_in(one, "name"), text_in(one, "address")});
    }
    for (const Json& one : list_in(from, "people")) {
        facts.people.push_back({text_in(one, "name"), text_in(one, "key"),
                                number_in(one, "time_ms"), text_in(one, "attested"),
                                text_in(one, "vouched")});
    }
    return facts;
}

std::string run_json(const Run& run) {
    Json out{{"id", run.id},
             {"name", run.name()},
             {"kind", name_of(run.kind)},
             {"state", name_of(run.state)},
             {"over", is_over(run.state)},
             {"system", run.system},
             {"owner", run.owner.hex()},
             {"ordered_ms", run.ordered_ms},
             {"ordered", format_time(run.ordered_ms)},
             {"ended_ms", run.ended_ms},
             {"ordered_by", run.ordered_by},
             {"note", run.note},
             {"asked", name_of(run.asked)},
             {"steps", Json::array()},
             {"facts", to_json(run.facts)},
             {"measured", measured(run)}};
    for (const StepRecord& step : run.steps) {
        out["steps"].push_back({{"name", step.name},
                                {"state", name_of(step.state)},
                                {"begun_ms", step.begun_ms},
                                {"ended_ms", step.ended_ms},
                                {"outcome", step.outcome}});
    }
    return json_text(out);
}

}  // namespace holdfast::agent
