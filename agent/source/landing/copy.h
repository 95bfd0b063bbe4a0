// The landing source: a share that database servers write their own backups to (SQL Server, Oracle,
// IRIS: whatever has no other way out). What is whole comes into the snapshot, what is not waits
// for the next; and the share is held to what is expected of it.
#pragma once

#include "agent/source/files/copy.h"
#include "agent/source/landing/share.h"
#include "agent/source/sink.h"
#include "vault/base/clock.h"

#include <string>
#include <vector>

namespace holdfast::agent::landing {

/// "A whole file that matches, of at least so many bytes, at least this often."
struct Expectation {
    std::string pattern;  // vault/base/glob.h
    std::int64_t every_ms = 0;
    std::uint64_t bytes_min = 0;
};

struct LandingSettings {
    std::string folder;
    std::vector<std::string> excludes;
    std::int64_t quiet_ms = 0;
    std::string marker;
    bool immutable = true;
    std::vector<Expectation> expected;
    std::int64_t keep_ms = 0;  // Sealed files this old, and in a snapshot, go. 0: none goes.
};

struct LandingFacts {
    files::FilesFacts files;
    std::uint64_t waiting = 0;
    std::uint64_t sealed = 0;
    std::uint64_t removed = 0;
};

/// Errors: Invalid (a pattern).
Result<ShareRules> share_rules(const LandingSettings& settings);

/// For each expectation that does not hold, what is missing. Errors: Invalid (a pattern).
Result<std::vector<std::string>> missing(const std::vector<Expectation>& expected,
                                         const std::vector<LandedFile>& files, std::int64_t now_ms);

/// What does not hold, and what cannot be made immutable, is a warning. Files are removed only
/// after they were found unchanged in the snapshot before. Errors: those of Share and of
/// copy_tree().
Result<LandingFacts> copy_landing(const LandingSettings& settings, Sink& sink, const Clock& clock,
                                  const files::Progress& progress);

}  // namespace holdfast::agent::landing
