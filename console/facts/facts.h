// Facts: what the agent answered to GET /status and GET /runs, as values (docs/control-api.md).
//
// A fact that is missing or of another type is unknown: it becomes none, 0 or "", never a good
// value.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::console {

constexpr std::size_t systems_shown_max = 1'000;

enum class Proven { Unknown, None, Stored, Receipted };

struct CopyFacts {
    std::string place;  // A trust's name.
    bool here = false;
    Proven proven = Proven::Unknown;
    std::int64_t snapshot_ms = 0;  // 0: none is there.
    std::int64_t receipt_ms = 0;
};

struct DrillFacts {
    bool passed = false;
    std::int64_t ended_ms = 0;
    std::optional<std::int64_t> time_to_proof_ms;
};

/// A failover that opened the system on this node.
struct OpenFacts {
    std::uint64_t term = 0;
    bool running = false;
};

/// An address of ours whose users are led to a partner.
struct RelayFacts {
    std::string place;  // A trust's name.
    std::string listen;
    bool listening = false;
    std::string problem;  // Why not.
};

struct SystemFacts {
    std::string name, title, supplier;
    std::int64_t snapshot_ms = 0;  // 0: none.
    std::optional<std::int64_t> data_age_ms_max;
    std::string readiness;  // "ready", "stale", "broken", "never drilled", "no plan"; "": unknown.
    std::optional<DrillFacts> drill;
    std::string holder;  // "term 2, held by …"; "": nobody ever.
    std::optional<OpenFacts> open_here;
    std::optional<std::vector<CopyFacts>> copies;
    std::vector<RelayFacts> relays;
    std::string copies_unknown;  // Why not all copies are known; "": they are.

    /// What people call it.
    const std::string& called() const { return title.empty() ? name : title; }
};

struct RunFacts {
    std::int64_t id = 0;
    bool drill = false;  // Else a failover.
    std::string state;
    bool over = false;
    std::string system, title, owner;
    std::string note, ordered_by;
    std::int64_t ordered_ms = 0;
    std::int64_t opened_ms = 0;
    std::uint64_t term = 0;
    std::string step;  // The one that has begun, or is next.

    const std::string& called() const { return title.empty() ? system : title; }
};

/// What is kept here for a partner.
struct HostedFacts {
    std::string owner;
    std::optional<std::uint64_t> bytes, quota_bytes;
};

struct NodeFacts {
    std::string trust, trust_id, node;
    std::int64_t time_ms = 0;
    std::vector<SystemFacts> systems;
    std::optional<std::vector<HostedFacts>> hosted;  // None: the agent did not say.
};

/// Who signed in.
struct PersonFacts {
    std::string id, name;
    std::vector<std::string> roles;
};

/// Errors: Invalid.
Result<PersonFacts> parse_person(std::string_view json);
/// Errors: Invalid.
Result<NodeFacts> parse_status(std::string_view json);
/// Newest first. Errors: Invalid.
Result<std::vector<RunFacts>> parse_runs(std::string_view json);

}  // namespace holdfast::console
