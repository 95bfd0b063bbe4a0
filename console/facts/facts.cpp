#include "console/facts/facts.h"

#include <nlohmann/json.hpp>

namespace holdfast::console {
namespace {

using Json = nlohmann::json;

/// The field if it is there; null, which is of no type that is asked for, if not.
const Json& field(const Json& object, const char* name) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

std::string text(const Json& object, const char* name) {
    const Json& value = field(object, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag(const Json& object, const char* name) {
    const Json& value = field(object, name);
    return value.is_boolean() && value.get<bool>();
}

std::optional<std::int64_t> number(const Json& object, const char* name) {
    const Json& value = field(object, name);
    if (!value.is_number_integer()) return std::nullopt;
    return value.get<std::int64_t>();
}

std::int64_t moment(const Json& object, const char* name) {
    return number(object, name).value_or(0);
}

Proven proven_of(const std::string& word) {
    if (word == "receipted") return Proven::Receipted;
    if (word == "stored") return Proven::Stored;
    return word == "none" ? Proven::None : Proven::Unknown;
}

std::optional<std::vector<CopyFacts>> copies_of(const Json& system, const std::string& own_trust) {
    const Json& list = field(system, "copies");
    if (!list.is_array()) return std::nullopt;
    std::vector<CopyFacts> out;
    for (const Json& one : list) {
        CopyFacts copy;
        copy.place = text(one, "place");
        copy.here = text(one, "trust") == own_trust;
        copy.proven = proven_of(text(one, "proven"));
        copy.snapshot_ms = moment(one, "snapshot_ms");
        copy.receipt_ms = moment(one, "receipt_ms");
        out.push_back(std::move(copy));
    }
    return out;
}

SystemFacts system_of(const Json& in, const std::string& own_trust) {
    SystemFacts out;
    out.name = text(in, "name");
    out.title = text(in, "title");
    out.supplier = text(in, "supplier");
    out.snapshot_ms = moment(in, "snapshot_ms");
    out.data_age_ms_max = number(in, "data_age_ms_max");
    out.readiness = text(in, "readiness");
    out.holder = text(in, "holder");
    out.copies = copies_of(in, own_trust);
    out.copies_unknown = text(in, "unknown");
    if (const Json& drill = field(in, "drill"); drill.is_object()) {
        out.drill = DrillFacts{flag(drill, "passed"), moment(drill, "ended_ms"),
                               number(drill, "time_to_proof_ms")};
    }
    if (const Json& here = field(in, "runs_here"); here.is_object()) {
        out.open_here =
            OpenFacts{static_cast<std::uint64_t>(moment(here, "term")), flag(here, "running")};
    }
    return out;
}

/// The step that a reader wants to know of.
std::string present_step(const Json& run) {
    const Json& steps = field(run, "steps");
    if (!steps.is_array()) return {};
    for (const Json& step : steps) {
        const std::string state = text(step, "state");
        if (state == "begun" || state == "failed" || state == "ahead") return text(step, "name");
    }
    return {};
}

RunFacts run_of(const Json& in) {
    const Json& facts = field(in, "facts");
    RunFacts out;
    out.id = moment(in, "id");
    out.drill = text(in, "kind") == "drill";
    out.state = text(in, "state");
    out.over = flag(in, "over");
    out.system = text(in, "system");
    out.owner = text(in, "owner");
    out.note = text(in, "note");
    out.ordered_by = text(in, "ordered_by");
    out.ordered_ms = moment(in, "ordered_ms");
    out.title = text(facts, "title");
    out.opened_ms = moment(facts, "opened_ms");
    out.term = static_cast<std::uint64_t>(moment(facts, "term"));
    out.step = present_step(in);
    return out;
}

HostedFacts hosted_of(const Json& in) {
    const auto bytes = number(in, "bytes");
    const auto quota = number(in, "quota_bytes");
    HostedFacts out{text(in, "owner"), std::nullopt, std::nullopt};
    if (bytes && *bytes >= 0) out.bytes = static_cast<std::uint64_t>(*bytes);
    if (quota && *quota >= 0) out.quota_bytes = static_cast<std::uint64_t>(*quota);
    return out;
}

}  // namespace

Result<PersonFacts> parse_person(std::string_view json) {
    const Json in = Json::parse(json, nullptr, false);
    PersonFacts out{text(in, "person"), text(in, "name"), {}};
    if (out.id.empty() || out.name.empty()) {
        return Error{Errc::Invalid, "the agent's answer names no person"};
    }
    const Json& roles = field(in, "roles");
    if (!roles.is_array()) return out;
    for (const Json& role : roles) {
        if (role.is_string()) out.roles.push_back(role.get<std::string>());
    }
    return out;
}

Result<NodeFacts> parse_status(std::string_view json) {
    const Json in = Json::parse(json, nullptr, false);
    if (!in.is_object()) return Error{Errc::Invalid, "the agent's status is no JSON object"};
    NodeFacts out;
    out.trust = text(in, "name");
    out.trust_id = text(in, "trust");
    out.node = text(in, "node");
    out.time_ms = moment(in, "time_ms");
    const Json& systems = field(in, "systems");
    if (!systems.is_array()) return Error{Errc::Invalid, "the agent's status names no systems"};
    if (systems.size() > systems_shown_max) {
        return Error{Errc::Invalid, "the agent's status names over 1,000 systems"};
    }
    for (const Json& one : systems) out.systems.push_back(system_of(one, out.trust_id));
    if (const Json& hosted = field(in, "hosted"); hosted.is_array()) {
        out.hosted.emplace();
        for (const Json& one : hosted) out.hosted->push_back(hosted_of(one));
    }
    return out;
}

Result<std::vector<RunFacts>> parse_runs(std::string_view json) {
    const Json in = Json::parse(json, nullptr, false);
    if (!in.is_array()) return Error{Errc::Invalid, "the agent's runs are no JSON list"};
    std::vector<RunFacts> out;
    for (const Json& one : in) out.push_back(run_of(one));
    return out;
}

}  // namespace holdfast::console
