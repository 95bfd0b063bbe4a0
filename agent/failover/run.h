// Run: one attempt to bring a system back, as it is kept and told.
//
// A drill proves that it could be done, and leaves nothing behind but evidence. A failover is done
// in earnest. The kind is fixed when the run is made; nothing turns one into the other.
//
//     drill      check choose attach start prove clean-up report
//     failover   check choose attach start prove authorise fence catch-up witness open switch
//     report
#pragma once

#include "vault/base/result.h"
#include "vault/base/units.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent {

constexpr std::size_t check_said_bytes_max = 2'000;

enum class RunKind { Drill, Failover };

enum class RunState {
    Working,
    Waiting,    // For people; the note says for what.
    Paused,     // By a person, between two steps.
    Stuck,      // A step failed; a person resumes or aborts. The note says why.
    Undoing,    // On its way back to nothing.
    Succeeded,  // A failover's system is open to its users.
    Failed,     // A drill's end.
    Aborted,
    Closed,  // A failover's system that was open and has been stopped by a person.
};

/// What a person wants of a run; its own thread obeys between two steps.
enum class Asked {
    Nothing,
    Pause,
    Resume,
    Abort,
    Stop,
    Look,  // Somebody signed, or brought a share: is it enough now?
};
std::string_view name_of(Asked asked);

enum class StepState { Ahead, Begun, Done, Failed, Skipped, Undone };

std::string_view name_of(RunKind kind);
std::string_view name_of(RunState state);
std::string_view name_of(StepState state);
/// Errors: Corrupt (no such name).
Result<RunKind> run_kind(std::string_view name);
Result<RunState> run_state(std::string_view name);
Result<StepState> step_state(std::string_view name);

/// True if nothing more will happen by itself or by anybody.
bool is_over(RunState state);

struct StepRecord {
    std::string name;
    StepState state = StepState::Ahead;
    std::int64_t begun_ms = 0;  // Wall clock; 0: not yet.
    std::int64_t ended_ms = 0;
    std::string outcome;  // A sentence for people.
};

struct CheckOutcome {
    std::string name;
    bool passed = false;
    std::string said;  // What it answered, or why it could not be asked.
    std::int64_t took_ms = 0;
};

/// Where an open system is reached on this machine.
struct OpenEndpoint {
    std::string name;
    std::string address;  // "ADDRESS:PORT"
};

/// A person who signed, as the certificate names them.
struct Signatory {
    std::string name;
    std::string key;  // Hexadecimal.
    std::int64_t time_ms = 0;
    std::string attested;  // Their words on the fence; empty: none yet.
    std::string vouched;   // Their words in place of witnesses; empty: none.
};

/// What a witness said to the run's holder record.
struct WitnessFact {
    std::string trust;  // Hexadecimal.
    std::string name;
    std::string outcome;  // "witnessed", "term_taken", "term_old", "fork", "silent"
    std::string said;     // Why, for people.
    std::string record;   // Base64: its word, or the record that it keeps instead.
};

/// What an owner released for this run (released.h); no snapshot: nothing.
struct ReleaseNote {
    std::string snapshot;  // Hexadecimal, as the next.
    std::string host;
    std::string node;
    std::string purpose;
    std::int64_t time_ms = 0;
    std::int64_t until_ms = 0;
    std::vector<std::string> people;  // Who signed, by name.
};

/// What the steps learnt.
struct RunFacts {
    std::string snapshot;  // Hexadecimal; asked for, then chosen.
    std::int64_t snapshot_ms = 0;
    std::string title;
    std::string supplier;
    std::string plan;  // The settings' text, as of the check.
    std::string plan_hash;
    std::int64_t data_age_ms_max = 0;  // Objectives.
    std::int64_t time_to_run_ms_max = 0;
    std::int64_t proven_ms = 0;  // When it had been proven, and opened; 0: not yet.
    std::int64_t opened_ms = 0;
    std::uint64_t term = 0;
    std::vector<CheckOutcome> checks;
    std::vector<OpenEndpoint> endpoints;
    std::vector<Signatory> people;
    ReleaseNote release;
    std::vector<std::string> remarks;  // What a reader of the report must know.
    std::string failure;               // Why it did not succeed.
    std::string evidence;              // The report's file.
    std::string boot;                  // This machine's, when it was opened last.
    std::vector<WitnessFact> witnesses;
    std::string about;     // What people are asked to attest now (holder.h); empty: the fence.
    std::string question;  // The question; empty: the plan's about the fence.
};

struct Run {
    std::int64_t id = 0;
    RunKind kind = RunKind::Drill;
    RunState state = RunState::Working;
    std::string system;
    TrustId owner;
    std::int64_t ordered_ms = 0;
    std::int64_t ended_ms = 0;
    std::string ordered_by;
    std::string note;
    Asked asked = Asked::Nothing;
    std::vector<StepRecord> steps;
    RunFacts facts;

    /// "epr-drill-7": of folders, hosts and reports.
    std::string name() const;
    const StepRecord* step(std::string_view step_name) const;
    bool reached(std::string_view step_name) const;  // It has begun.
};

/// The steps of a kind, in order.
const std::vector<std::string>& steps_of(RunKind kind);

/// The whole run as JSON, for the control socket and for the report.
std::string run_json(const Run& run);
/// The facts as they are kept. Errors: Corrupt.
std::string facts_json(const RunFacts& facts);
Result<RunFacts> parse_facts(std::string_view json);

}  // namespace holdfast::agent
