#include "agent/failover/run_store.h"

namespace holdfast::agent {
namespace {

constexpr const char* schema = R"sql(
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('drill', 'failover')),
    state TEXT NOT NULL, system TEXT NOT NULL, owner BLOB NOT NULL,
    ordered INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0, ordered_by TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0,
    UNIQUE (id, kind));
CREATE TABLE IF NOT EXISTS step (
    run INTEGER NOT NULL REFERENCES run, position INTEGER NOT NULL, name TEXT NOT NULL,
    state TEXT NOT NULL, begun INTEGER NOT NULL, ended INTEGER NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (run, position), UNIQUE (run, name));
CREATE TABLE IF NOT EXISTS run_order (
    run INTEGER PRIMARY KEY, kind TEXT NOT NULL DEFAULT 'failover' CHECK (kind = 'failover'),
    record BLOB NOT NULL, FOREIGN KEY (run, kind) REFERENCES run (id, kind));
CREATE TABLE IF NOT EXISTS attestation (
    run INTEGER NOT NULL, kind TEXT NOT NULL DEFAULT 'failover' CHECK (kind = 'failover'),
    person BLOB NOT NULL, about TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (run, person, about),
    FOREIGN KEY (run, kind) REFERENCES run (id, kind));
CREATE TABLE IF NOT EXISTS share (
    run INTEGER NOT NULL REFERENCES run, share BLOB NOT NULL, PRIMARY KEY (run, share));
CREATE TABLE IF NOT EXISTS release (
    run INTEGER PRIMARY KEY REFERENCES run, record BLOB NOT NULL, keys BLOB);
CREATE TABLE IF NOT EXISTS holder (
    owner BLOB NOT NULL, system TEXT NOT NULL, term INTEGER NOT NULL, run INTEGER,
    kind TEXT NOT NULL DEFAULT 'failover' CHECK (kind = 'failover'), record BLOB NOT NULL,
    PRIMARY KEY (owner, system, term), FOREIGN KEY (run, kind) REFERENCES run (id, kind));
CREATE TABLE IF NOT EXISTS old_side (
    owner BLOB NOT NULL, system TEXT NOT NULL, time INTEGER NOT NULL, term INTEGER NOT NULL,
    address TEXT NOT NULL, PRIMARY KEY (owner, system));
CREATE TABLE IF NOT EXISTS conflict (
    owner BLOB NOT NULL, system TEXT NOT NULL, term INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (owner, system, term, record));
CREATE TABLE IF NOT EXISTS readiness (
    system TEXT PRIMARY KEY, run INTEGER NOT NULL, time INTEGER NOT NULL, plan TEXT NOT NULL,
    passed INTEGER NOT NULL, cleaned_up INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS kind_is_fixed BEFORE UPDATE OF kind ON run
    WHEN new.kind <> old.kind BEGIN SELECT RAISE(ABORT, 'the kind of a run is fixed'); END;
CREATE TRIGGER IF NOT EXISTS holder_stays BEFORE UPDATE ON holder
    BEGIN SELECT RAISE(ABORT, 'a term is never changed'); END;
CREATE TRIGGER IF NOT EXISTS holder_is_kept BEFORE DELETE ON holder
    BEGIN SELECT RAISE(ABORT, 'a term is never removed'); END;
)sql";

constexpr const char* over = "('succeeded', 'failed', 'aborted', 'closed')";
constexpr const char* run_columns =
    "SELECT id, kind, state, system, owner, ordered, ended, ordered_by, note, facts, asked"
    " FROM run";

Result<Run> run_from(const vault::Statement& row) {
    Run run;
    run.id = row.integer(0);
    run.kind = HF_TRY(run_kind(row.text(1)));
    run.state = HF_TRY(run_state(row.text(2)));
    run.system = row.text(3);
    run.owner = HF_TRY(TrustId::from(row.blob(4)));
    run.ordered_ms = row.integer(5);
    run.ended_ms = row.integer(6);
    run.ordered_by = row.text(7);
    run.note = row.text(8);
    run.facts = HF_TRY(parse_facts(row.text(9)));
    run.asked = static_cast<Asked>(row.integer(10));
    return run;
}

Result<void> add_steps(vault::Database& db, std::int64_t run, RunKind kind) {
    vault::Statement insert =
        HF_TRY(db.prepare("INSERT INTO step VALUES (?, ?, ?, 'ahead', 0, 0, '')"));
    int position = 0;
    for (const std::string& name : steps_of(kind)) {
        HF_TRY(insert.bind(0, run).bind(1, position++).bind(2, name).run());
    }
    return {};
}

Result<void> insert_release(vault::Database& db, std::int64_t run, const StoredRelease& release) {
    vault::Statement put =
        HF_TRY(db.prepare("INSERT OR REPLACE INTO release (run, record, keys) VALUES (?, ?, ?)"));
    return put.bind(0, run).bind(1, release.record).bind(2, release.keys).run();
}

/// What stands in the way of another run of the system, if anything.
Result<void> check_free(vault::Database& db, const NewRun& wanted) {
    vault::Statement query = HF_TRY(
        db.prepare(std::string("SELECT id, kind, state FROM run WHERE system = ? AND owner = ? AND"
                               " (state NOT IN ") +
                   over + " OR (kind = 'failover' AND state = 'succeeded')) ORDER BY id"));
    query.bind(0, wanted.system).bind(1, wanted.owner.view());
    while (HF_TRY(query.step())) {
        const bool open = query.text(2) == "succeeded";
        // A drill is harmless beside the system that runs in earnest.
        if (open && wanted.kind == RunKind::Drill) continue;
        return Error{Errc::Conflict,
                     open ? wanted.system + " runs here already, by run " + query.text(0)
                          : query.text(1) + " " + query.text(0) + " of " + wanted.system +
                                " is under way (holdfast run show " + query.text(0) + ")"};
    }
    return {};
}

Result<std::optional<StoredHolder>> first_holder(vault::Statement& query) {
    if (!HF_TRY(query.step())) return std::optional<StoredHolder>();
    const View record = query.blob(2);
    return std::optional<StoredHolder>(StoredHolder{query.unsigned_integer(0), query.integer(1),
                                                    Buffer(record.begin(), record.end())});
}

}  // namespace

Result<std::unique_ptr<RunStore>> RunStore::open(const std::string& path) {
    auto db = HF_TRY(vault::Database::open(path, vault::Durability::Full));
    HF_TRY(db.execute("PRAGMA foreign_keys = ON"));
    HF_TRY(db.execute(schema));
    return std::unique_ptr<RunStore>(new RunStore(std::move(db)));
}

Result<Run> RunStore::add(const NewRun& wanted) {
    const std::lock_guard lock(mutex_);
    RunFacts facts;
    facts.snapshot = wanted.snapshot;
    std::int64_t id = 0;
    HF_TRY(db_.transaction([&]() -> Result<void> {
        HF_TRY(check_free(db_, wanted));
        vault::Statement insert = HF_TRY(
            db_.prepare("INSERT INTO run (kind, state, system, owner, ordered, ordered_by, facts)"
                        " VALUES (?, 'working', ?, ?, ?, ?, ?)"));
        const std::string text = facts_json(facts);
        insert.bind(0, name_of(wanted.kind)).bind(1, wanted.system).bind(2, wanted.owner.view());
        HF_TRY(insert.bind(3, wanted.now_ms).bind(4, wanted.ordered_by).bind(5, text).run());
        id = db_.last_row();
        if (wanted.release) HF_TRY(insert_release(db_, id, *wanted.release));
        return add_steps(db_, id, wanted.kind);
    }));
    return run_locked(id);
}

Result<Run> RunStore::run(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    return run_locked(id);
}

Result<Run> RunStore::run_locked(std::int64_t id) {
    vault::Statement query = HF_TRY(db_.prepare(std::string(run_columns) + " WHERE id = ?"));
    if (!HF_TRY(query.bind(0, id).step())) {
        return Error{Errc::NotFound, "no run " + std::to_string(id) + " (holdfast run list)"};
    }
    Run run = HF_TRY(run_from(query));
    vault::Statement steps = HF_TRY(db_.prepare(
        "SELECT name, state, begun, ended, outcome FROM step WHERE run = ? ORDER BY position"));
    steps.bind(0, id);
    while (HF_TRY(steps.step())) {
        const StepState state = HF_TRY(step_state(steps.text(1)));
        run.steps.push_back(
            {steps.text(0), state, steps.integer(2), steps.integer(3), steps.text(4)});
    }
    return run;
}

Result<std::vector<Run>> RunStore::runs(std::size_t count_max) {
    const std::lock_guard lock(mutex_);
    vault::Statement query = HF_TRY(db_.prepare("SELECT id FROM run ORDER BY id DESC LIMIT ?"));
    query.bind(0, std::uint64_t{count_max});
    std::vector<std::int64_t> ids;
    while (HF_TRY(query.step())) ids.push_back(query.integer(0));
    std::vector<Run> out;
    for (const std::int64_t id : ids) out.push_back(HF_TRY(run_locked(id)));
    return out;
}

Result<std::vector<std::int64_t>> RunStore::under_way() {
    const std::lock_guard lock(mutex_);
    vault::Statement query =
        HF_TRY(db_.prepare(std::string("SELECT id FROM run WHERE state NOT IN ") + over +
                           " OR (kind = 'failover' AND state = 'succeeded') ORDER BY id"));
    std::vector<std::int64_t> ids;
    while (HF_TRY(query.step())) ids.push_back(query.integer(0));
    return ids;
}

Result<void> RunStore::set_state(std::int64_t id, RunState state, const std::string& note,
                                 std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    vault::Statement update =
        HF_TRY(db_.prepare("UPDATE run SET state = ?, note = ?, ended = ? WHERE id = ?"));
    update.bind(0, name_of(state)).bind(1, note).bind(2, is_over(state) ? now_ms : 0);
    return update.bind(3, id).run();
}

Result<void> RunStore::ask(std::int64_t id, Asked what) {
    const std::lock_guard lock(mutex_);
    vault::Statement update = HF_TRY(db_.prepare("UPDATE run SET asked = ? WHERE id = ?"));
    return update.bind(0, static_cast<int>(what)).bind(1, id).run();
}

Result<void> RunStore::obeyed(std::int64_t id, Asked what) {
    const std::lock_guard lock(mutex_);
    vault::Statement update =
        HF_TRY(db_.prepare("UPDATE run SET asked = 0 WHERE id = ? AND asked = ?"));
    return update.bind(0, id).bind(1, static_cast<int>(what)).run();
}

Result<void> RunStore::set_step(std::int64_t id, const StepRecord& step, const RunFacts& facts) {
    const std::lock_guard lock(mutex_);
    return db_.transaction([&]() -> Result<void> {
        vault::Statement update =
            HF_TRY(db_.prepare("UPDATE step SET state = ?, begun = ?, ended = ?, outcome = ?"
                               " WHERE run = ? AND name = ?"));
        update.bind(0, name_of(step.state)).bind(1, step.begun_ms).bind(2, step.ended_ms);
        HF_TRY(update.bind(3, step.outcome).bind(4, id).bind(5, step.name).run());
        vault::Statement keep = HF_TRY(db_.prepare("UPDATE run SET facts = ? WHERE id = ?"));
        const std::string text = facts_json(facts);
        return keep.bind(0, text).bind(1, id).run();
    });
}

Result<void> RunStore::set_facts(std::int64_t id, const RunFacts& facts) {
    const std::lock_guard lock(mutex_);
    vault::Statement keep = HF_TRY(db_.prepare("UPDATE run SET facts = ? WHERE id = ?"));
    const std::string text = facts_json(facts);
    return keep.bind(0, text).bind(1, id).run();
}

Result<void> RunStore::put_order(std::int64_t run, View record) {
    const std::lock_guard lock(mutex_);
    vault::Statement put =
        HF_TRY(db_.prepare("INSERT OR REPLACE INTO run_order (run, record) VALUES (?, ?)"));
    return put.bind(0, run).bind(1, record).run();
}

Result<std::vector<Buffer>> RunStore::blobs(const std::string& sql, std::int64_t run) {
    const std::lock_guard lock(mutex_);
    vault::Statement query = HF_TRY(db_.prepare(sql));
    query.bind(0, run);
    std::vector<Buffer> out;
    while (HF_TRY(query.step())) {
        const View blob = query.blob(0);
        out.emplace_back(blob.begin(), blob.end());
    }
    return out;
}

Result<std::optional<Buffer>> RunStore::order(std::int64_t run) {
    auto found = HF_TRY(blobs("SELECT record FROM run_order WHERE run = ?", run));
    return found.empty() ? std::optional<Buffer>() : std::optional<Buffer>(std::move(found[0]));
}

Result<void> RunStore::add_attestation(std::int64_t run, const PublicKey& person,
                                       const std::string& about, View record) {
    const std::lock_guard lock(mutex_);
    vault::Statement put =
        HF_TRY(db_.prepare("INSERT OR REPLACE INTO attestation (run, person, about, record)"
                           " VALUES (?, ?, ?, ?)"));
    return put.bind(0, run).bind(1, person.view()).bind(2, about).bind(3, record).run();
}

Result<std::vector<Buffer>> RunStore::attestations(std::int64_t run) {
    return blobs("SELECT record FROM attestation WHERE run = ? ORDER BY person, about", run);
}

Result<void> RunStore::forget_attestations(std::int64_t run) {
    const std::lock_guard lock(mutex_);
    vault::Statement remove = HF_TRY(db_.prepare("DELETE FROM attestation WHERE run = ?"));
    return remove.bind(0, run).run();
}

Result<void> RunStore::add_share(std::int64_t run, View share) {
    const std::lock_guard lock(mutex_);
    vault::Statement put = HF_TRY(db_.prepare("INSERT OR IGNORE INTO share VALUES (?, ?)"));
    return put.bind(0, run).bind(1, share).run();
}

Result<std::vector<Buffer>> RunStore::shares(std::int64_t run) {
    return blobs("SELECT share FROM share WHERE run = ?", run);
}

Result<void> RunStore::put_release(std::int64_t run, const StoredRelease& release) {
    const std::lock_guard lock(mutex_);
    return insert_release(db_, run, release);
}

Result<std::optional<StoredRelease>> RunStore::release(std::int64_t run) {
    const std::lock_guard lock(mutex_);
    vault::Statement query =
        HF_TRY(db_.prepare("SELECT record, keys FROM release WHERE run = ? AND keys IS NOT NULL"));
    if (!HF_TRY(query.bind(0, run).step())) return std::optional<StoredRelease>();
    const View record = query.blob(0);
    StoredRelease out{Buffer(record.begin(), record.end()), {}};
    const View keys = query.blob(1);
    out.keys.assign(keys.begin(), keys.end());
    return std::optional(std::move(out));
}

Result<void> RunStore::forget_release_keys(std::int64_t run) {
    const std::lock_guard lock(mutex_);
    vault::Statement update = HF_TRY(db_.prepare("UPDATE release SET keys = NULL WHERE run = ?"));
    return update.bind(0, run).run();
}

Result<void> RunStore::add_holder(const TrustId& owner, const std::string& system,
                                  const StoredHolder& holder) {
    const std::lock_guard lock(mutex_);
    return db_.transaction([&]() -> Result<void> {
        vault::Statement query = HF_TRY(
            db_.prepare("SELECT record FROM holder WHERE owner = ? AND system = ? AND term = ?"));
        query.bind(0, owner.view()).bind(1, system).bind(2, holder.term);
        if (HF_TRY(query.step())) {
            const View there = query.blob(0);
            if (std::equal(there.begin(), there.end(), holder.record.begin(),
                           holder.record.end())) {
                return {};
            }
            return Error{Errc::Conflict, "term " + std::to_string(holder.term) + " of " + system +
                                             " has another holder already"};
        }
        vault::Statement insert = HF_TRY(db_.prepare(
            "INSERT INTO holder (owner, system, term, run, record) VALUES (?, ?, ?, ?, ?)"));
        insert.bind(0, owner.view()).bind(1, system).bind(2, holder.term);
        if (holder.run == 0) {
            insert.bind_null(3);
        } else {
            insert.bind(3, holder.run);
        }
        return insert.bind(4, holder.record).run();
    });
}

Result<std::optional<StoredHolder>> RunStore::newest_holder(const TrustId& owner,
                                                            const std::string& system) {
    const std::lock_guard lock(mutex_);
    vault::Statement query =
        HF_TRY(db_.prepare("SELECT term, run, record FROM holder WHERE owner = ? AND system = ?"
                           " ORDER BY term DESC LIMIT 1"));
    query.bind(0, owner.view()).bind(1, system);
    return first_holder(query);
}

Result<std::optional<StoredHolder>> RunStore::holder_at(const TrustId& owner,
                                                        const std::string& system,
                                                        std::uint64_t term) {
    const std::lock_guard lock(mutex_);
    vault::Statement query =
        HF_TRY(db_.prepare("SELECT term, run, record FROM holder WHERE owner = ? AND system = ?"
                           " AND term = ?"));
    query.bind(0, owner.view()).bind(1, system).bind(2, term);
    return first_holder(query);
}

Result<void> RunStore::add_conflict(const TrustId& owner, const std::string& system,
                                    const StoredHolder& holder) {
    const std::lock_guard lock(mutex_);
    vault::Statement put =
        HF_TRY(db_.prepare("INSERT OR IGNORE INTO conflict VALUES (?, ?, ?, ?)"));
    put.bind(0, owner.view()).bind(1, system).bind(2, holder.term);
    return put.bind(3, View(holder.record)).run();
}

Result<std::vector<Buffer>> RunStore::conflicts(const TrustId& owner, const std::string& system,
                                                std::uint64_t term) {
    const std::lock_guard lock(mutex_);
    vault::Statement query = HF_TRY(
        db_.prepare("SELECT record FROM conflict WHERE owner = ? AND system = ? AND term = ?"));
    query.bind(0, owner.view()).bind(1, system).bind(2, term);
    std::vector<Buffer> out;
    while (HF_TRY(query.step())) {
        const View record = query.blob(0);
        out.emplace_back(record.begin(), record.end());
    }
    return out;
}

Result<void> RunStore::set_old_side(const TrustId& owner, const std::string& system,
                                    const OldSide& found) {
    const std::lock_guard lock(mutex_);
    vault::Statement put =
        HF_TRY(db_.prepare("INSERT OR REPLACE INTO old_side VALUES (?, ?, ?, ?, ?)"));
    put.bind(0, owner.view()).bind(1, system).bind(2, found.time_ms).bind(3, found.term);
    return put.bind(4, found.address).run();
}

Result<std::optional<OldSide>> RunStore::old_side(const TrustId& owner, const std::string& system) {
    const std::lock_guard lock(mutex_);
    vault::Statement query = HF_TRY(
        db_.prepare("SELECT time, term, address FROM old_side WHERE owner = ? AND system = ?"));
    if (!HF_TRY(query.bind(0, owner.view()).bind(1, system).step())) {
        return std::optional<OldSide>();
    }
    return std::optional<OldSide>(
        OldSide{query.integer(0), query.unsigned_integer(1), query.text(2)});
}

Result<void> RunStore::set_readiness(const std::string& system, const Readiness& readiness) {
    const std::lock_guard lock(mutex_);
    vault::Statement put =
        HF_TRY(db_.prepare("INSERT OR REPLACE INTO readiness VALUES (?, ?, ?, ?, ?, ?)"));
    put.bind(0, system).bind(1, readiness.run).bind(2, readiness.time_ms);
    put.bind(3, readiness.plan_hash).bind(4, readiness.passed ? 1 : 0);
    return put.bind(5, readiness.cleaned_up ? 1 : 0).run();
}

Result<std::optional<Readiness>> RunStore::readiness(const std::string& system) {
    const std::lock_guard lock(mutex_);
    vault::Statement query = HF_TRY(
        db_.prepare("SELECT run, time, plan, passed, cleaned_up FROM readiness WHERE system = ?"));
    if (!HF_TRY(query.bind(0, system).step())) return std::optional<Readiness>();
    return std::optional<Readiness>(Readiness{query.integer(0), query.integer(1), query.text(2),
                                              query.integer(3) != 0, query.integer(4) != 0});
}

}  // namespace holdfast::agent
