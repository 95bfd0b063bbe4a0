// JournalProof: reads a whole tree beside what the journal told, and finds what it did not tell.
//
// Stands between the source and the sink; the tree of the snapshot before is read along once more.
// Everything that is other than before must be among what the journal tells, before this scan or
// behind it.
#pragma once

#include "agent/source/forwarding_sink.h"
#include "agent/source/journal/change.h"
#include "vault/snapshot/tree_reader.h"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

class JournalProof final : public ForwardingSink {
public:
    /// Both outlive it.
    JournalProof(const vault::TreeReader& before, Sink& to)
        : ForwardingSink(to), before_(&before) {}

    Result<void> add(vault::Entry entry, ContentHandle content) override;
    Result<bool> add_unchanged(const vault::Entry& entry) override;

    /// The paths that changed and are not in `told`; after the scan. None: the snapshot before is
    /// damaged, so nothing is proven. Not all, if more than 10,000 changed. Errors: those of the
    /// vault.
    Result<std::optional<std::vector<std::string>>> missed(
        const std::vector<journal::Change>& told);

private:
    Result<void> compare(const vault::Entry& entry);
    Result<const vault::Item*> next_before();
    void differs(const std::string& path);
    Result<void> give_up_if_damaged(Result<void> read);

    const vault::TreeReader* before_;
    std::size_t leaf_ = 0;
    std::vector<vault::Item> items_;
    std::size_t item_ = 0;
    std::vector<std::string> changed_;
    bool damaged_ = false;
};

}  // namespace holdfast::agent
