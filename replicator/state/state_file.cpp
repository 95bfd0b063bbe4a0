#include "replicator/state/state_file.h"

namespace holdfast::replicator {

Result<vault::Database> open_state(const std::string& path) {
    vault::Database db = HF_TRY(vault::Database::open(path, vault::Durability::Full));
    HF_TRY(db.execute(R"(
        CREATE TABLE IF NOT EXISTS partner (
            trust BLOB PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL,
            tls_key BLOB NOT NULL, confirmed INTEGER NOT NULL, paired_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS roster (
            trust BLOB NOT NULL, number INTEGER NOT NULL, object BLOB NOT NULL,
            PRIMARY KEY (trust, number)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS invitation (
            token_hash BLOB PRIMARY KEY, expires_ms INTEGER NOT NULL, used_by BLOB
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS agreement (
            owner BLOB NOT NULL, host BLOB NOT NULL, number INTEGER NOT NULL,
            object BLOB NOT NULL, owner_signed INTEGER NOT NULL, host_signed INTEGER NOT NULL,
            PRIMARY KEY (owner, host, number)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS receipt (
            host BLOB NOT NULL, list BLOB NOT NULL, time_ms INTEGER NOT NULL, object BLOB NOT NULL,
            PRIMARY KEY (host, list)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS head (
            trust BLOB NOT NULL, chain BLOB NOT NULL, length INTEGER NOT NULL, root BLOB NOT NULL,
            PRIMARY KEY (trust, chain)
        ) WITHOUT ROWID;
    )"));
    return db;
}

}  // namespace holdfast::replicator
