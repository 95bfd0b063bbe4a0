#include "vault/index/sqlite_copy.h"

#include "vault/base/clock.h"
#include "vault/base/closer.h"
#include "vault/base/file.h"
#include "vault/index/sqlite.h"

#include <memory>

namespace holdfast::vault {
namespace {

constexpr const char* passing = "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF";
constexpr int pages_at_once = 2048;
constexpr int restarts_max = 3;
constexpr int wait_ms = 100;
constexpr std::int64_t locked_ns_max = 60'000'000'000;

using Backup = std::unique_ptr<sqlite3_backup, Closer<sqlite3_backup_finish>>;

Result<SqliteDb> open_for(const std::string& path, int flags) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
    SqliteDb db(raw);
    if (code != SQLITE_OK) return sqlite_failure(nullptr, code);
    return db;
}

Result<std::int64_t> number_of(sqlite3* db, const char* sql) {
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
    const SqliteStatement statement(raw);
    if (code == SQLITE_OK) code = sqlite3_step(raw);
    if (code != SQLITE_ROW) return sqlite_failure(db, code);
    return std::int64_t{sqlite3_column_int64(raw, 0)};
}

/// The first thing that is wrong; empty: nothing.
std::string fault_in(sqlite3* db) {
    sqlite3_stmt* raw = nullptr;
    int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &raw, nullptr);
    const SqliteStatement statement(raw);
    if (code == SQLITE_OK) code = sqlite3_step(raw);
    if (code != SQLITE_ROW) return sqlite3_errmsg(db);
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
    const std::string said = text == nullptr ? "no answer" : text;
    return said == "ok" ? std::string() : said;
}

class Copying {
public:
    explicit Copying(Backup backup) : backup_(std::move(backup)) {}

    Result<void> run(std::int64_t page_bytes,
                     const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
        int before = 0;
        for (;;) {
            const int code =
                sqlite3_backup_step(backup_.get(), restarts_ < restarts_max ? pages_at_once : -1);
            if (code == SQLITE_DONE) return {};
            const int left = sqlite3_backup_remaining(backup_.get());
            const int all = sqlite3_backup_pagecount(backup_.get());
            const auto bytes = static_cast<std::uint64_t>(page_bytes);
            if (!progress(static_cast<std::uint64_t>(all - left) * bytes,
                          static_cast<std::uint64_t>(all) * bytes)) {
                return Error{Errc::Interrupted, "stopped"};
            }
            if (code == SQLITE_OK) {
                if (before != 0 && left >= before) ++restarts_;  // Somebody wrote to it meanwhile.
                before = left;
                waiting_since_ = 0;
                continue;
            }
            if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED) {
                return sqlite_failure(nullptr, code);  // The handles do not keep it.
            }
            HF_TRY(wait());
        }
    }

private:
    Result<void> wait() {
        const std::int64_t now = system_clock().steady_ns();
        if (waiting_since_ == 0) waiting_since_ = now;
        if (now - waiting_since_ > locked_ns_max) {
            return Error{Errc::Conflict, "its application has kept it locked for a minute"};
        }
        sqlite3_sleep(wait_ms);
        return {};
    }

    Backup backup_;
    int restarts_ = 0;
    std::int64_t waiting_since_ = 0;
};

}  // namespace

Result<SqliteCopy> copy_sqlite(const std::string& from, const std::string& to,
                               const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
    if (!path_exists(from)) return Error{Errc::NotFound, "there is no such file"};
    const SqliteDb source = HF_TRY(open_for(from, SQLITE_OPEN_READONLY));
    sqlite3_busy_timeout(source.get(), wait_ms);
    SqliteCopy out;
    const std::int64_t page_bytes = HF_TRY(number_of(source.get(), "PRAGMA page_size"));
    {
        const SqliteDb target = HF_TRY(open_for(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
        sqlite3_exec(target.get(), passing, nullptr, nullptr, nullptr);
        Backup backup(sqlite3_backup_init(target.get(), "main", source.get(), "main"));
        if (!backup) return sqlite_failure(target.get(), sqlite3_errcode(target.get()));
        HF_TRY(Copying(std::move(backup)).run(page_bytes, progress));
        out.fault = fault_in(target.get());
    }
    // Of the file, and not of what the application's cache said: the copy is what comes along.
    const SqliteDb copy = HF_TRY(open_for(to, SQLITE_OPEN_READONLY));
    out.page_bytes = static_cast<std::uint64_t>(HF_TRY(number_of(copy.get(), "PRAGMA page_size")));
    out.bytes = out.page_bytes *
                static_cast<std::uint64_t>(HF_TRY(number_of(copy.get(), "PRAGMA page_count")));
    return out;
}

}  // namespace holdfast::vault
