// Run store: state/runs.db, where every step's intent and outcome survive any crash.
//
// What the file itself refuses, whatever the program does: to change a run's kind; to keep a
// signature, an attestation or a term for a drill; to change or remove a term.
//
// A mutex guards it: each run has a thread of its own, and people ask meanwhile.
#pragma once

#include "agent/failover/run.h"
#include "vault/index/sqlite.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

/// A release as it came (vault/keys/release.h): what two people signed, and the sealed keys.
struct StoredRelease {
    Buffer record;
    Buffer keys;
};

struct NewRun {
    RunKind kind = RunKind::Drill;
    std::string system;
    TrustId owner;
    std::string ordered_by;
    std::string snapshot;  // Empty: the newest.
    std::int64_t now_ms = 0;
    std::optional<StoredRelease> release;
};

/// A term of a system: the record that two persons and the host signed (holder.h).
struct StoredHolder {
    std::uint64_t term = 0;
    std::int64_t run = 0;  // 0: it came from elsewhere.
    Buffer record;
};

/// What was found where a system used to be, when its snapshot was refused (older_term.h).
struct OldSide {
    std::int64_t time_ms = 0;
    std::uint64_t term = 0;  // That was held elsewhere then.
    std::string address;     // Of the database that answered; empty: none did.
};

/// How the last drill of a system went.
struct Readiness {
    std::int64_t run = 0;
    std::int64_t time_ms = 0;
    std::string plan_hash;
    bool passed = false;
    bool cleaned_up = false;
};

class RunStore {
public:
    /// Errors: Full, Io, Corrupt.
    static Result<std::unique_ptr<RunStore>> open(const std::string& path);

    /// Errors: Conflict (a run of this system is under way, or it runs here already).
    Result<Run> add(const NewRun& wanted);
    /// Errors: NotFound.
    Result<Run> run(std::int64_t id);
    /// Newest first.
    Result<std::vector<Run>> runs(std::size_t count_max = 200);
    /// Those that are not over, and failovers whose system is open here.
    Result<std::vector<std::int64_t>> under_way();

    Result<void> set_state(std::int64_t id, RunState state, const std::string& note,
                           std::int64_t now_ms);
    Result<void> ask(std::int64_t id, Asked what);
    /// It has been obeyed; if something else was asked meanwhile, that stands.
    Result<void> obeyed(std::int64_t id, Asked what);
    /// Also keeps the run's facts, in one commit.
    Result<void> set_step(std::int64_t id, const StepRecord& step, const RunFacts& facts);
    Result<void> set_facts(std::int64_t id, const RunFacts& facts);

    // What people brought for a failover. Records are kept as they came.
    Result<void> put_order(std::int64_t run, View record);
    Result<std::optional<Buffer>> order(std::int64_t run);
    /// One for each person and thing attested.
    Result<void> add_attestation(std::int64_t run, const PublicKey& person,
                                 const std::string& about, View record);
    Result<std::vector<Buffer>> attestations(std::int64_t run);
    Result<void> forget_attestations(std::int64_t run);
    Result<void> add_share(std::int64_t run, View share);
    Result<std::vector<Buffer>> shares(std::int64_t run);

    /// Instead of one that is there.
    Result<void> put_release(std::int64_t run, const StoredRelease& release);
    /// Nothing if there is none, or its keys were forgotten.
    Result<std::optional<StoredRelease>> release(std::int64_t run);
    /// The run is over: what was released stays on record, the keys go.
    Result<void> forget_release_keys(std::int64_t run);

    /// Errors: Conflict (this term is taken, by another record).
    Result<void> add_holder(const TrustId& owner, const std::string& system,
                            const StoredHolder& holder);
    Result<std::optional<StoredHolder>> newest_holder(const TrustId& owner,
                                                      const std::string& system);
    Result<std::optional<StoredHolder>> holder_at(const TrustId& owner, const std::string& system,
                                                  std::uint64_t term);
    /// Records that contradict another of their term. They are kept as they are, for people.
    Result<void> add_conflict(const TrustId& owner, const std::string& system,
                              const StoredHolder& holder);
    Result<std::vector<Buffer>> conflicts(const TrustId& owner, const std::string& system,
                                          std::uint64_t term);

    Result<void> set_old_side(const TrustId& owner, const std::string& system,
                              const OldSide& found);
    Result<std::optional<OldSide>> old_side(const TrustId& owner, const std::string& system);

    Result<void> set_readiness(const std::string& system, const Readiness& readiness);
    Result<std::optional<Readiness>> readiness(const std::string& system);

private:
    explicit RunStore(vault::Database db) : db_(std::move(db)) {}
    Result<Run> run_locked(std::int64_t id);
    Result<std::vector<Buffer>> blobs(const std::string& sql, std::int64_t run);

    std::mutex mutex_;
    vault::Database db_;
};

}  // namespace holdfast::agent
