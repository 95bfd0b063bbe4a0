#include "vault/index/sqlite.h"

namespace holdfast::vault {
Error sqlite_failure(sqlite3* db, int code) {
    Errc errc = Errc::Io;
    const int primary = code & 0xff;
    if (primary == SQLITE_FULL) errc = Errc::Full;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR) {
        errc = Errc::Corrupt;
    }
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_CONSTRAINT) {
        errc = Errc::Conflict;
    }
    const char* path = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
    std::string what = path != nullptr && *path != '\0' ? path : "database";
    return {errc, what + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code))};
}

Statement& Statement::bind(int at, std::int64_t value) {
    HF_ASSERT(sqlite3_bind_int64(statement_.get(), at + 1, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int at, View blob) {
    // A null pointer would bind NULL, so an empty blob needs some address.
    const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
    HF_ASSERT(sqlite3_bind_blob64(statement_.get(), at + 1, data, blob.size(), SQLITE_STATIC) ==
              SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
    const char* data = text.empty() ? "" : text.data();
    HF_ASSERT(sqlite3_bind_text64(statement_.get(), at + 1, data, text.size(), SQLITE_STATIC,
                                  SQLITE_UTF8) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_null(int at) {
    HF_ASSERT(sqlite3_bind_null(statement_.get(), at + 1) == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        reset();
        return false;
    }
    Error error = sqlite_failure(db_, code);
    reset();
    return error;
}

Result<void> Statement::run() {
    while (HF_TRY(step())) {
    }
    return {};
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int at) const {
    return sqlite3_column_int64(statement_.get(), at);
}

bool Statement::is_null(int at) const {
    return sqlite3_column_type(statement_.get(), at) == SQLITE_NULL;
}

View Statement::blob(int at) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), at));
    const int size = sqlite3_column_bytes(statement_.get(), at);
    return {data, data == nullptr ? 0 : static_cast<std::size_t>(size)};
}

std::string Statement::text(int at) const {
    return std::string(as_text(blob(at)));
}

Result<Database> Database::open(const std::string& path, Durability durability, int busy_ms) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(
        path.c_str(), &raw,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    SqliteDb db(raw);
    if (code != SQLITE_OK) return sqlite_failure(raw, code).within("open " + path);
    sqlite3_busy_timeout(raw, busy_ms);
    Database database(std::move(db));
    HF_TRY(database.execute("PRAGMA journal_mode = WAL"));
    HF_TRY(database.execute(durability == Durability::Full ? "PRAGMA synchronous = FULL"
                                                           : "PRAGMA synchronous = NORMAL"));
    HF_TRY(database.execute("PRAGMA foreign_keys = ON"));
    return database;
}

Result<void> Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_failure(db_.get(), code);
    return {};
}

Result<Statement> Database::prepare(const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    SqliteStatement statement(raw);
    if (code != SQLITE_OK) return sqlite_failure(db_.get(), code).within(sql);
    return Statement(db_.get(), std::move(statement));
}

std::int64_t Database::last_row() const {
    return sqlite3_last_insert_rowid(db_.get());
}

std::int64_t Database::changed_rows() const {
    return sqlite3_changes64(db_.get());
}

}  // namespace holdfast::vault
