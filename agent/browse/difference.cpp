#include "agent/browse/difference.h"

#include "agent/browse/content.h"

#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {
namespace {

/// A tree's items in path order, each leaf read when its items are wanted.
class Stream {
public:
    explicit Stream(const vault::TreeReader& tree) : tree_(&tree) {}

    bool done() const { return !in_leaf() && leaf_ == tree_->leaves(); }
    /// True while an item of a leaf is at hand; else the next leaf is not read yet.
    bool in_leaf() const { return at_ < items_.size(); }
    const std::string& path() const {
        return in_leaf() ? items_[at_].entry.path : tree_->info(leaf_).first_path;
    }
    const vault::LeafInfo& next_leaf() const { return tree_->info(leaf_); }
    void pass_leaf() { ++leaf_; }

    /// The item at path(); valid until pass().
    Result<const vault::Item*> item() {
        if (!in_leaf()) {
            items_ = HF_TRY(tree_->leaf(leaf_));
            ++leaf_;
            at_ = 0;
        }
        return &items_[at_];
    }
    void pass() { ++at_; }

private:
    const vault::TreeReader* tree_;
    std::size_t leaf_ = 0;
    std::vector<vault::Item> items_;
    std::size_t at_ = 0;
};

bool same_attributes(vault::Entry a, const vault::Entry& b) {
    a.ctime_ns = b.ctime_ns;
    a.inode = b.inode;
    if ((a.hard_link == 0) == (b.hard_link == 0)) a.hard_link = b.hard_link;
    return a == b;
}

class Comparison {
public:
    Comparison(const TreeSide& before, const TreeSide& after, const VisitChange& visit)
        : before_(&before), after_(&after), visit_(&visit), old_(*before.tree), new_(*after.tree) {}

    Result<void> run() {
        while (!old_.done() || !new_.done()) {
            if (pass_shared_leaf()) continue;
            HF_TRY(step());
        }
        return {};
    }

private:
    bool pass_shared_leaf() {
        if (old_.in_leaf() || new_.in_leaf() || old_.done() || new_.done()) return false;
        const vault::LeafInfo& a = old_.next_leaf();
        const vault::LeafInfo& b = new_.next_leaf();
        if (a.meta != b.meta || a.refs != b.refs) return false;
        old_.pass_leaf();
        new_.pass_leaf();
        return true;
    }

    Result<void> step() {
        const int order = old_.done()   ? 1
                          : new_.done() ? -1
                                        : vault::compare_paths(old_.path(), new_.path());
        if (order < 0) {
            HF_TRY((*visit_)(Change::Removed, &HF_TRY(old_.item())->entry, nullptr));
            old_.pass();
        } else if (order > 0) {
            HF_TRY((*visit_)(Change::Added, nullptr, &HF_TRY(new_.item())->entry));
            new_.pass();
        } else {
            HF_TRY(compare(*HF_TRY(old_.item()), *HF_TRY(new_.item())));
            old_.pass();
            new_.pass();
        }
        return {};
    }

    Result<void> compare(const vault::Item& a, const vault::Item& b) {
        const auto tell = [&](Change change) { return (*visit_)(change, &a.entry, &b.entry); };
        if (a.entry.type != b.entry.type) return tell(Change::Type);
        if (a.entry.type == vault::FileType::Regular) {
            if (a.entry.size != b.entry.size) return tell(Change::Content);
            if (!HF_TRY(same_bytes(a, b).within(b.entry.path))) return tell(Change::Content);
        }
        return same_attributes(a.entry, b.entry) ? Result<void>() : tell(Change::Attributes);
    }

    /// Only the first link of a file has its content: what is found of it holds for the others.
    Result<bool> same_bytes(const vault::Item& a, const vault::Item& b) {
        if (a.entry.size == 0) return true;
        if (b.content.empty()) {
            const auto known = links_.find(b.entry.hard_link);
            if (known != links_.end()) return known->second;
        }
        if (a.content.empty() || b.content.empty()) return a.entry.mtime_ns == b.entry.mtime_ns;
        const bool same = HF_TRY(same_content({HF_TRY(before_->tree->extents(a)), before_->chunks},
                                              {HF_TRY(after_->tree->extents(b)), after_->chunks}));
        if (b.entry.hard_link != 0) links_[b.entry.hard_link] = same;
        return same;
    }

    const TreeSide* before_;
    const TreeSide* after_;
    const VisitChange* visit_;
    Stream old_;
    Stream new_;
    std::map<std::uint64_t, bool> links_;
};

}  // namespace

Result<void> compare_trees(const TreeSide& before, const TreeSide& after,
                           const VisitChange& visit) {
    return Comparison(before, after, visit).run();
}

Result<void> compare_snapshots(const SnapshotTrees& before, const SnapshotTrees& after,
                               const VisitSnapshotChange& visit) {
    const bool lone = before.sources().size() == 1 && after.sources().size() == 1;
    const auto pair_of = [&](const std::vector<SnapshotTrees::Source>& in,
                             const SnapshotTrees::Source& source) {
        for (const SnapshotTrees::Source& one : in) {
            if (lone || one.name == source.name) return &one;
        }
        return static_cast<const SnapshotTrees::Source*>(nullptr);
    };
    const auto tell_all = [&](Change change, const SnapshotTrees::Source& source) {
        return source.tree.walk([&](std::uint64_t, const vault::Item& item) {
            const bool added = change == Change::Added;
            return visit(change, path_in(source, item.entry), added ? nullptr : &item.entry,
                         added ? &item.entry : nullptr);
        });
    };
    for (const SnapshotTrees::Source& source : before.sources()) {
        if (pair_of(after.sources(), source) == nullptr) {
            HF_TRY(tell_all(Change::Removed, source));
        }
    }
    for (const SnapshotTrees::Source& source : after.sources()) {
        const SnapshotTrees::Source* old = pair_of(before.sources(), source);
        if (old == nullptr) {
            HF_TRY(tell_all(Change::Added, source));
            continue;
        }
        HF_TRY(
            compare_trees({&old->tree, &before.chunks()}, {&source.tree, &after.chunks()},
                          [&](Change change, const vault::Entry* one, const vault::Entry* other) {
                              const vault::Entry& shown = other != nullptr ? *other : *one;
                              return visit(change, path_in(source, shown), one, other);
                          }));
    }
    return {};
}

}  // namespace holdfast::agent
