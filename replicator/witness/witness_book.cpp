#include "replicator/witness/witness_book.h"

#include "vault/base/fault.h"

namespace holdfast::replicator {
namespace {

constexpr const char* schema = R"sql(
CREATE TABLE IF NOT EXISTS witnessed (
    owner BLOB NOT NULL, system TEXT NOT NULL, term INTEGER NOT NULL, digest BLOB NOT NULL,
    time_ms INTEGER NOT NULL, object BLOB NOT NULL,
    PRIMARY KEY (owner, system, term)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS witnessed_stays BEFORE UPDATE ON witnessed
    BEGIN SELECT RAISE(ABORT, 'what was witnessed is never changed'); END;
CREATE TRIGGER IF NOT EXISTS witnessed_is_kept BEFORE DELETE ON witnessed
    BEGIN SELECT RAISE(ABORT, 'what was witnessed is never removed'); END;
)sql";

constexpr const char* columns = "SELECT term, digest, time_ms, object FROM witnessed ";

using Kept = WitnessBook::Kept;

Result<std::optional<Kept>> first_row(vault::Statement& query) {
    if (!HF_TRY(query.step())) return std::optional<Kept>();
    const View object = query.blob(3);
    Kept kept;
    kept.term = query.unsigned_integer(0);
    kept.digest = HF_TRY(Digest::from(query.blob(1)));
    kept.time_ms = query.integer(2);
    kept.object.assign(object.begin(), object.end());
    return std::optional(std::move(kept));
}

}  // namespace

Result<WitnessBook> WitnessBook::open(vault::Database& db) {
    HF_TRY(db.execute(schema));
    return WitnessBook(db);
}

Result<std::optional<Kept>> WitnessBook::newest(const TrustId& owner, const std::string& system) {
    auto query = HF_TRY(db_->prepare(std::string(columns) +
                                     "WHERE owner = ? AND system = ? ORDER BY term DESC LIMIT 1"));
    query.bind(0, owner.view()).bind(1, system);
    return first_row(query);
}

Result<std::optional<Kept>> WitnessBook::at_term(const Holder& holder) {
    auto query =
        HF_TRY(db_->prepare(std::string(columns) + "WHERE owner = ? AND system = ? AND term = ?"));
    query.bind(0, holder.owner.view()).bind(1, holder.system).bind(2, holder.term);
    return first_row(query);
}

Result<bool> WitnessBook::has(const Holder& holder, const vault::Record& record) {
    const auto there = HF_TRY(at_term(holder));
    return there && there->digest == holder_digest(record);
}

Result<void> WitnessBook::check_room(const Holder& holder) {
    auto systems =
        HF_TRY(db_->prepare("SELECT COUNT(DISTINCT system) FROM witnessed WHERE owner = ?"));
    systems.bind(0, holder.owner.view());
    HF_TRY(systems.step());
    auto terms =
        HF_TRY(db_->prepare("SELECT COUNT(*) FROM witnessed WHERE owner = ? AND system = ?"));
    terms.bind(0, holder.owner.view()).bind(1, holder.system);
    HF_TRY(terms.step());
    if (systems.unsigned_integer(0) < witnessed_systems_max &&
        terms.unsigned_integer(0) < witnessed_terms_max) {
        return {};
    }
    return Error{Errc::Full, "this witness keeps at most " + std::to_string(witnessed_systems_max) +
                                 " systems of one owner, with " +
                                 std::to_string(witnessed_terms_max) + " terms each"};
}

Result<WitnessBook::Answer> WitnessBook::keep_new(const Holder& holder, Kept kept) {
    HF_TRY(check_room(holder));
    auto insert =
        HF_TRY(db_->prepare("INSERT INTO witnessed (owner, system, term, digest, time_ms, object)"
                            " VALUES (?, ?, ?, ?, ?, ?)"));
    insert.bind(0, holder.owner.view()).bind(1, holder.system).bind(2, holder.term);
    insert.bind(3, kept.digest.view()).bind(4, kept.time_ms).bind(5, View(kept.object));
    fault_point("holder record judged, not kept");
    HF_TRY(insert.run());
    fault_point("holder record kept, not answered");
    return Answer{Answer::Kind::Kept, std::move(kept)};
}

Result<WitnessBook::Answer> WitnessBook::keep(const Holder& holder, const vault::Record& record,
                                              std::int64_t now_ms) {
    const Digest digest = holder_digest(record);
    auto last = HF_TRY(newest(holder.owner, holder.system));
    if (last && last->term > holder.term) return Answer{Answer::Kind::Old, std::move(*last)};
    if (last && last->term == holder.term) {
        const bool same = last->digest == digest;
        return Answer{same ? Answer::Kind::Kept : Answer::Kind::Taken, std::move(*last)};
    }
    if (last && last->term + 1 == holder.term && last->digest != holder.previous) {
        return Answer{Answer::Kind::Fork, std::move(*last)};
    }
    return keep_new(holder, Kept{holder.term, digest, now_ms, vault::encode(record)});
}

}  // namespace holdfast::replicator
