// Backup: one snapshot of a system: its sources, in the order of its settings, into the vault.
//
// The order matters where sources refer to one another: a database before the files it names, so
// that the files may be ahead of it but never behind.
#pragma once

#include "agent/config/system_settings.h"
#include "vault/vault.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::agent {

/// What manifests say of who wrote them.
constexpr const char* program_name = "holdfast 0.1.0";

/// Whose keys open what is written for a system.
vault::OpeningKeys mode_of(const SystemSettings& system);

/// Shared with whoever watches.
struct BackupProgress {
    std::atomic<std::uint64_t> entries{0};
    std::atomic<std::uint64_t> read_bytes{0};
    std::atomic<std::uint64_t> expected_bytes{0};  // 0: not known.
    std::atomic<bool> stop{false};
};

struct BackupSettings {
    unsigned workers = 1;
    bool read_all = false;  // Do not trust size and times: read unchanged files too.
    BackupProgress* progress = nullptr;
    std::string scratch;  // A folder for passing copies of databases, as large as those are; empty:
                          // /var/tmp.
    std::string run;      // Where the journals of systems listen; empty: none is asked.
};

/// How a source's journal was used.
struct JournalUse {
    std::string source;
    std::uint64_t changes = 0;  // Paths that it told of and that were looked at.
    std::string whole;          // Why the source was read whole; empty: only the changes were.
    bool proven = false;        // What it told was held against the whole tree,
    std::uint64_t missed = 0;   // and lacked so many changes.
};

struct BackupResult {
    vault::SnapshotRecord record;
    std::uint64_t unchanged = 0;  // Files taken from the snapshot before.
    std::uint64_t read_bytes = 0;
    std::vector<vault::SnapshotWarning> warnings;
    std::vector<vault::SourceInfo> sources;  // Without their trees.
    std::vector<JournalUse> journals;        // Of sources that have one.
};

/// Takes a snapshot. With warnings it exists and lacks what they name.
/// Errors: those of the sources and of the vault; then there is no snapshot, and the next try finds
/// what was stored.
Result<BackupResult> take_snapshot(vault::Vault& vault, const SystemSettings& system,
                                   const Clock& clock, const BackupSettings& settings);

}  // namespace holdfast::agent
