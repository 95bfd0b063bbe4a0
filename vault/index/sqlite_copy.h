// SQLite copy: a database of somebody else's, copied while they use it (sqlite.org/backup.html).
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::vault {

struct SqliteCopy {
    std::uint64_t bytes = 0;
    std::uint64_t page_bytes = 0;
    std::string fault;  // The first that PRAGMA quick_check finds in the copy; empty: none.
};

/// Copies `from` into the new or empty file `to`, each page to its place, of one moment. Writers of
/// `from` are held up for no longer than some pages take, but if they keep making the copy begin
/// anew, for one whole copy. `progress` is told bytes done and of all; false: stop.
/// Errors: NotFound, Corrupt (no SQLite database), Conflict (locked for a minute), Full, Io,
/// Interrupted; `to` may be there in part then.
Result<SqliteCopy> copy_sqlite(
    const std::string& from, const std::string& to,
    const std::function<bool(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace holdfast::vault
