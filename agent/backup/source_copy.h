// Source copy: reads one source of a system into a sink, whatever its kind, and tells its facts.
#pragma once

#include "agent/backup/backup.h"
#include "agent/source/kept_tree.h"
#include "agent/source/landing/copy.h"
#include "agent/source/postgres/copy.h"
#include "agent/source/sink.h"
#include "vault/snapshot/tree_reader.h"

#include <string>

namespace holdfast::agent {

/// Where a source is, for people: a path, or HOST:PORT.
std::string source_place(const SourceSettings& source);

landing::LandingSettings landing_settings(const LandingSourceSettings& source);
postgres::PostgresSettings postgres_settings(const PostgresSourceSettings& source);

/// What a copy with a journal has beside its source.
struct JournalTry {
    std::string socket;  // Of the system's journal.
    std::int64_t now_ms = 0;
    const vault::TreeReader* before = nullptr;
    KeptTree* kept = nullptr;  // Null: nothing may be kept unseen,
    std::string not_kept;      // because of this.
    std::vector<JournalUse>& uses;
    bool& refuted;  // Set if what was kept is worth nothing after all.
};

/// What a copy has beside its source.
struct CopyContext {
    std::string system;
    std::string facts_before;  // Of this source in the snapshot before; empty: none.
    std::string scratch;       // As in BackupSettings.
    BackupProgress& progress;
    const JournalTry* journal = nullptr;  // Null: no journal is asked.
};

/// Copies `source` into `sink`; answers its facts, a JSON object in text.
/// Errors: the source's and the sink's.
Result<std::string> copy_source(const SourceSettings& source, Sink& sink,
                                const CopyContext& context);

}  // namespace holdfast::agent
