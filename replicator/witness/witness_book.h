// Witness book: the holder records that this node keeps as a witness, in state/replicator.db.
//
// One record for each owner, system and term, for good: the file itself refuses to change or to
// remove one. It is on the disk before anybody hears of it. A term below the newest is refused, and
// one that follows it must name it as the term before. Thread rule: the loop thread; `db` outlives
// it.
#pragma once

#include "replicator/witness/holder.h"
#include "vault/index/sqlite.h"

#include <optional>

namespace holdfast::replicator {

constexpr std::uint64_t witnessed_systems_max = 1000;  // Of one owner.
constexpr std::uint64_t witnessed_terms_max = 10'000;  // Of one system.

class WitnessBook {
public:
    /// Errors: Full, Io, Corrupt.
    static Result<WitnessBook> open(vault::Database& db);

    struct Kept {
        std::uint64_t term = 0;
        Digest digest;  // holder_digest()
        std::int64_t time_ms = 0;
        Buffer object;
    };
    /// Errors: Io.
    Result<std::optional<Kept>> newest(const TrustId& owner, const std::string& system);

    /// What came of it.
    struct Answer {
        enum class Kind {
            Kept,   // `record` is the one that was asked for, now or before.
            Taken,  // This term has another record: `record`.
            Old,    // A higher term is known: `record`.
            Fork,   // The term before is another here than it names: `record`.
        };
        Kind kind = Kind::Kept;
        Kept record;
    };
    /// Errors: Full (over a limit above, or the disk), Io.
    Result<Answer> keep(const Holder& holder, const vault::Record& record, std::int64_t now_ms);
    /// True if keep() would answer Kept for what is here already.
    Result<bool> has(const Holder& holder, const vault::Record& record);

private:
    explicit WitnessBook(vault::Database& db) : db_(&db) {}
    Result<Answer> keep_new(const Holder& holder, Kept kept);
    Result<std::optional<Kept>> at_term(const Holder& holder);
    Result<void> check_room(const Holder& holder);

    vault::Database* db_;
};

}  // namespace holdfast::replicator
