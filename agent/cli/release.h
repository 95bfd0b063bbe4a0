// Release on the command line: made by the owner's node, signed by two people, in one room or two.
#pragma once

#include "agent/cli/person_key.h"
#include "agent/failover/releasing.h"
#include "replicator/control/control_client.h"

#include <string>
#include <vector>

namespace holdfast::agent::cli {

struct ReleaseOptions {
    std::string system;
    std::string snapshot;  // The beginning of its id; empty: the newest that the partner receipted.
    std::string purpose;
    std::int64_t days = release_days_default;
    std::vector<std::string> key_files;
    std::vector<std::string> passphrase_files;  // In the same order; where one is missing, we ask.
};

/// For the partner's node that we are linked to. Errors: Denied (the agreement does not let the
/// system run there), NotFound (the partner receipted no snapshot of it), those of
/// agent::make_release().
Result<vault::NewRelease> make_for(const Home& home, replicator::ControlClient& replicator,
                                   const replicator::PartnerInfo& partner,
                                   const ReleaseOptions& options);

/// Adds a person's signature. Errors: Conflict (they signed before: a second person must), Denied
/// (no person of this trust, or one who may not), and those of open_person_key().
Result<void> sign_release(const Home& home, vault::Record& record, const PersonKeyFile& file);

/// make_for() with the two signatures of options.key_files. Errors: Invalid (not two).
Result<vault::NewRelease> signed_release(const Home& home, replicator::ControlClient& replicator,
                                         const replicator::PartnerInfo& partner,
                                         const ReleaseOptions& options);

/// Errors: NotFound, Invalid, Io.
Result<vault::NewRelease> read_release(const std::string& file);

}  // namespace holdfast::agent::cli
