// OwnRosters: the own trust's rosters, which partners ask for. They are the vault's; a copy in the
// replicator's state answers for them when the vault is lost or away, since who keeps others' data
// must go on then.
//
// Thread rule: the loop thread; `db` outlives it.
#pragma once

#include "vault/index/sqlite.h"
#include "vault/keys/roster.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

class OwnRosters {
public:
    OwnRosters(vault::Database& db, std::string vault_folder, const TrustId& trust)
        : db_(&db), vault_folder_(std::move(vault_folder)), trust_(trust) {}

    /// All that the vault or the copy holds, first to newest; the copy takes in what is new.
    /// Errors: NotFound (neither has any), Corrupt, Full, Io.
    Result<std::vector<Buffer>> all();
    /// Errors: also those of vault::newest_roster().
    Result<vault::Roster> newest();

private:
    Result<std::vector<Buffer>> kept();
    Result<void> keep(const std::vector<Buffer>& objects);

    vault::Database* db_;
    std::string vault_folder_;
    TrustId trust_;
};

}  // namespace holdfast::replicator
