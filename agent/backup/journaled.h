// Journaled: how one source of kind "files" uses its journal in one snapshot.
//
//   begin (names the moment) -> the tree is held -> copy -> facts (with that moment, for the next)
//
// The moment comes first, and what changed since the one before is asked once the tree is held: so
// a change in between is read now and once more next time, and none is missed. The moment stands in
// the snapshot itself: one that failed, was pruned or comes from elsewhere cannot leave a gap.
#pragma once

#include "agent/backup/backup.h"
#include "agent/backup/source_copy.h"
#include "agent/source/files/copy.h"
#include "vault/base/json.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

class Journaled {
public:
    /// A journal that does not answer is no error: then the tree is read whole, and no moment is
    /// told. All outlive it; the context has a JournalTry.
    static Journaled begin(const FilesSourceSettings& source, const std::string& name,
                           const CopyContext& context);

    /// The tree is read elsewhere than where the journal looks.
    void rule_out(std::string why) {
        use_->whole = std::move(why);
        moment_.clear();
    }

    /// What entries go through on their way to a sink: they are to be compared behind it.
    using Through = std::function<Sink&(Sink&)>;
    /// Reads what changed, if that is known and no proof is due; else the whole tree.
    /// Errors: as files::copy_tree(); Conflict with JournalTry::refuted set: the snapshot has to be
    /// begun anew, without journals.
    Result<files::FilesFacts> copy(const files::FilesSettings& settings, Sink& sink,
                                   const Through& through, const files::Progress& progress);

    /// What the next snapshot needs to know.
    Json facts(const files::FilesFacts& facts) const;

private:
    Journaled(const FilesSourceSettings& source, const CopyContext& context);
    std::optional<std::vector<journal::Change>> changes(const files::FilesSettings& settings);
    Result<files::FilesFacts> copy_proving(const files::FilesSettings& settings, Sink& sink,
                                           const Through& through, const files::Progress& progress,
                                           const std::vector<journal::Change>& told);
    std::optional<std::vector<journal::Change>> told_since();
    void read_before();

    const FilesSourceSettings* source_;
    const CopyContext* context_;
    std::string moment_;         // Now; empty: it could not be named.
    std::string moment_before_;  // Of the snapshot before; empty: it named none.
    std::int64_t proven_ms_ = 0;
    files::FilesBefore before_;
    std::string name_;
    JournalUse* use_;
};

}  // namespace holdfast::agent
