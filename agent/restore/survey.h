// Survey: what a restore would write, without writing: how many paths, how much, and whether it
// fits.
#pragma once

#include "agent/restore/restore.h"
#include "vault/vault_reader.h"

#include <cstdint>

namespace holdfast::agent {

struct RestoreSurvey {
    std::uint64_t entries = 0;
    std::uint64_t files = 0;  // Later links not counted, as in RestoreFacts.
    std::uint64_t folders = 0;
    std::uint64_t bytes = 0;       // Sum of the sizes of the files.
    std::uint64_t data_bytes = 0;  // Of what would be written, what is no hole: needed at least.
    std::uint64_t free_bytes = 0;  // Where the folder is, or would be made; of several, the least.
    std::uint64_t kept = 0;        // Is there already, and would stay.
    std::uint64_t replaced = 0;    // Something is there, and would go.
    std::vector<std::string> places;  // Where each source would come to.
};

/// Reads the metadata of what `settings` choose. Nothing is changed, and no content is read.
/// Errors: those of restore_snapshot() that need no content; Corrupt for metadata that is lost.
Result<RestoreSurvey> survey_restore(vault::VaultReader& reader,
                                     const vault::SnapshotRecord& record,
                                     const RestoreSettings& settings);

}  // namespace holdfast::agent
