// Tree check: does every path of a snapshot find its content in the packs on its own list?
//
// The node's index answers where a chunk lies, and may name a pack of another snapshot: because two
// snapshots stored it at once, which is fine as long as the own list has it too, or because the
// list lacks a pack, which is damage, though everything can be read here: a partner keeps, and a
// release opens, what is on the list and nothing else. So chunks that the index places elsewhere
// are looked up in the directories of the listed packs.
//
// Snapshots share most leaves. One that was found whole is not looked through again; the packs that
// it needs are remembered, and compared with the next list. One thread.
#pragma once

#include "vault/verify.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::vault {

/// Damage goes into the report, and the answer is good; other errors are answered.
Result<void> take_damage(VerifyReport& report, const std::string& object, Result<void> result);

class TreeCheck {
public:
    /// Both outlive the check.
    TreeCheck(VaultReader& reader, VerifyReport& report) : reader_(&reader), report_(&report) {}

    /// Errors: Unreachable, Locked, Interrupted; damage goes into the report.
    Result<void> check(const SnapshotRecord& record);

private:
    using Leaf = std::pair<ChunkId, ChunkId>;
    using Packs = std::set<PackId>;

    Result<void> check_source(const std::string& where, const SourceInfo& source,
                              ChunkReader& chunks);
    Result<void> check_leaf(const std::string& where, const TreeReader& tree, std::size_t number);
    Result<void> check_item(const std::string& where, const TreeReader& tree, const Item& item);
    Result<ChunkPlace> need(const std::string& where, const ChunkId& chunk);
    Result<void> look_in_directories();
    bool is_listed(const std::vector<PackId>& packs) const;

    VaultReader* reader_;
    VerifyReport* report_;
    std::map<Leaf, std::vector<PackId>> whole_;
    // Of the snapshot at hand:
    Packs listed_;
    Packs needed_;                              // By the leaf at hand.
    std::map<ChunkId, std::string> elsewhere_;  // Chunks that lie off the list, and for what.
};

}  // namespace holdfast::vault
