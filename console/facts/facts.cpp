#include "console/facts/facts.h"

#include "vault/base/json.h"

namespace holdfast::console {
namespace {

std::optional<std::int64_t> number(const Json& object, const char* name) {
    const Json& value = field_in(object, name);
    if (!value.is_number_integer()) return std::nullopt;
    return value.get<std::int64_t>();
}

Proven proven_of(const std::string& word) {
    if (word == "receipted") return Proven::Receipted;
    if (word == "stored") return Proven::Stored;
    return word == "none" ? Proven::None : Proven::Unknown;
}

std::optional<std::vector<CopyFacts>> copies_of(const Json& system, const std::string& own_trust) {
    const Json& list = field_in(system, "copies");
    if (!list.is_array()) return std::nullopt;
    std::vector<CopyFacts> out;
    for (const Json& one : list) {
        CopyFacts copy;
        copy.place = text_in(one, "place");
        copy.here = text_in(one, "trust") == own_trust;
        copy.proven = proven_of(text_in(one, "proven"));
        copy.snapshot_ms = number_in(one, "snapshot_ms");
        copy.receipt_ms = number_in(one, "receipt_ms");
        out.push_back(std::move(copy));
    }
    return out;
}

std::vector<RelayFacts> relays_of(const Json& system) {
    std::vector<RelayFacts> out;
    for (const Json& one : list_in(system, "relays")) {
        out.push_back({text_in(one, "place"), text_in(one, "listen"), flag_in(one, "listening"),
                       text_in(one, "problem")});
    }
    return out;
}

SystemFacts system_of(const Json& in, const std::string& own_trust) {
    SystemFacts out;
    out.name = text_in(in, "name");
    out.title = text_in(in, "title");
    out.supplier = text_in(in, "supplier");
    out.snapshot_ms = number_in(in, "snapshot_ms");
    out.data_age_ms_max = number(in, "data_age_ms_max");
    out.readiness = text_in(in, "readiness");
    out.holder = text_in(in, "holder");
    out.copies = copies_of(in, own_trust);
    out.relays = relays_of(in);
    out.copies_unknown = text_in(in, "unknown");
    if (const Json& drill = field_in(in, "drill"); drill.is_object()) {
        out.drill = DrillFacts{flag_in(drill, "passed"), number_in(drill, "ended_ms"),
                               number(drill, "time_to_proof_ms")};
    }
    if (const Json& here = field_in(in, "runs_here"); here.is_object()) {
        out.open_here = OpenFacts{static_cast<std::uint64_t>(number_in(here, "term")),
                                  flag_in(here, "running")};
    }
    return out;
}

/// The step that a reader wants to know of.
std::string present_step(const Json& run) {
    const Json& steps = field_in(run, "steps");
    if (!steps.is_array()) return {};
    for (const Json& step : steps) {
        const std::string state = text_in(step, "state");
        if (state == "begun" || state == "failed" || state == "ahead") return text_in(step, "name");
    }
    return {};
}

RunFacts run_of(const Json& in) {
    const Json& facts = field_in(in, "facts");
    RunFacts out;
    out.id = number_in(in, "id");
    out.drill = text_in(in, "kind") == "drill";
    out.state = text_in(in, "state");
    out.over = flag_in(in, "over");
    out.system = text_in(in, "system");
    out.owner = text_in(in, "owner");
    out.note = text_in(in, "note");
    out.ordered_by = text_in(in, "ordered_by");
    out.ordered_ms = number_in(in, "ordered_ms");
    out.title = text_in(facts, "title");
    out.opened_ms = number_in(facts, "opened_ms");
    out.term = static_cast<std::uint64_t>(number_in(facts, "term"));
    out.step = present_step(in);
    return out;
}

HostedFacts hosted_of(const Json& in) {
    const auto bytes = number(in, "bytes");
    const auto quota = number(in, "quota_bytes");
    HostedFacts out{text_in(in, "owner"), std::nullopt, std::nullopt};
    if (bytes && *bytes >= 0) out.bytes = static_cast<std::uint64_t>(*bytes);
    if (quota && *quota >= 0) out.quota_bytes = static_cast<std::uint64_t>(*quota);
    return out;
}

}  // namespace

Result<PersonFacts> parse_person(std::string_view text) {
    const Json in = HF_TRY(parse_object(text, "the agent's answer"));
    PersonFacts out{text_in(in, "person"), text_in(in, "name"), {}};
    if (out.id.empty() || out.name.empty()) {
        return Error{Errc::Invalid, "the agent's answer names no person"};
    }
    out.roles = texts_in(in, "roles");
    return out;
}

Result<NodeFacts> parse_status(std::string_view text) {
    const Json in = HF_TRY(parse_object(text, "the agent's status"));
    NodeFacts out;
    out.trust = text_in(in, "name");
    out.trust_id = text_in(in, "trust");
    out.node = text_in(in, "node");
    out.time_ms = number_in(in, "time_ms");
    const Json& systems = field_in(in, "systems");
    if (!systems.is_array()) return Error{Errc::Invalid, "the agent's status names no systems"};
    if (systems.size() > systems_shown_max) {
        return Error{Errc::Invalid, "the agent's status names over 1,000 systems"};
    }
    for (const Json& one : systems) out.systems.push_back(system_of(one, out.trust_id));
    if (const Json& hosted = field_in(in, "hosted"); hosted.is_array()) {
        out.hosted.emplace();
        for (const Json& one : hosted) out.hosted->push_back(hosted_of(one));
    }
    return out;
}

Result<std::vector<RunFacts>> parse_runs(std::string_view text) {
    const Json in = HF_TRY(parse_json(text).within("the agent's runs"));
    if (!in.is_array()) return Error{Errc::Invalid, "the agent's runs are no JSON list"};
    std::vector<RunFacts> out;
    for (const Json& one : in) out.push_back(run_of(one));
    return out;
}

}  // namespace holdfast::console
