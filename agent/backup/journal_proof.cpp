#include "agent/backup/journal_proof.h"

#include "vault/base/damage.h"

#include <unordered_set>

namespace holdfast::agent {
namespace {

constexpr std::size_t changed_max = 10'000;

/// A reader that could not be sure of a time has told the one a nanosecond before (content.h).
bool same_ctime(std::int64_t before, std::int64_t now) {
    return now == before || now - 1 == before || now + 1 == before;
}

/// Names of users and groups come from elsewhere than from the file; xattrs have the ctime. A
/// folder that is read in a clone of the tree has an inode and a ctime of its own.
bool same_entry(const vault::Entry& before, const vault::Entry& now) {
    const bool same = before.type == now.type && before.mode == now.mode && before.uid == now.uid &&
                      before.gid == now.gid && before.mtime_ns == now.mtime_ns;
    if (!same || now.type == vault::FileType::Directory) return same;
    return before.size == now.size && before.inode == now.inode &&
           same_ctime(before.ctime_ns, now.ctime_ns) && before.device == now.device &&
           before.link_target == now.link_target;
}

class Told {
public:
    explicit Told(const std::vector<journal::Change>& changes) {
        for (const journal::Change& change : changes) {
            (change.deep ? deep_ : paths_).insert(change.path);
        }
    }

    bool has(const std::string& path) const {
        if (paths_.contains(path) || deep_.contains(path)) return true;
        for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0;
             end = path.rfind('/', end - 1)) {
            if (deep_.contains(path.substr(0, end))) return true;
        }
        return false;
    }

private:
    std::unordered_set<std::string> paths_;
    std::unordered_set<std::string> deep_;
};

}  // namespace

Result<void> JournalProof::add(vault::Entry entry, ContentHandle content) {
    HF_TRY(give_up_if_damaged(compare(entry)));
    return ForwardingSink::add(std::move(entry), content);
}

Result<bool> JournalProof::add_unchanged(const vault::Entry& entry) {
    const bool unchanged = HF_TRY(ForwardingSink::add_unchanged(entry));
    if (unchanged) HF_TRY(give_up_if_damaged(compare(entry)));
    return unchanged;
}

Result<void> JournalProof::give_up_if_damaged(Result<void> read) {
    if (read || !is_damage(read.error())) return read;
    damaged_ = true;
    return {};
}

/// The item of before that is next; null: there are no more.
Result<const vault::Item*> JournalProof::next_before() {
    while (item_ == items_.size() && leaf_ < before_->leaves()) {
        items_ = HF_TRY(before_->leaf(leaf_++));
        item_ = 0;
    }
    return item_ < items_.size() ? &items_[item_] : nullptr;
}

void JournalProof::differs(const std::string& path) {
    if (changed_.size() < changed_max) changed_.push_back(path);
}

Result<void> JournalProof::compare(const vault::Entry& entry) {
    if (damaged_) return {};
    for (;;) {
        const vault::Item* const item = HF_TRY(next_before());
        const int order = item == nullptr ? 1 : vault::compare_paths(item->entry.path, entry.path);
        if (order > 0) {
            differs(entry.path);
            return {};
        }
        ++item_;
        if (order == 0) {
            if (!same_entry(item->entry, entry)) differs(entry.path);
            return {};
        }
        differs(item->entry.path);
    }
}

Result<std::optional<std::vector<std::string>>> JournalProof::missed(
    const std::vector<journal::Change>& told) {
    while (!damaged_) {
        const auto item = next_before();
        if (!item && !is_damage(item.error())) return item.error();
        damaged_ = !item;
        if (damaged_ || *item == nullptr) break;
        differs((*item)->entry.path);
        ++item_;
    }
    if (damaged_) return std::optional<std::vector<std::string>>();
    const Told all(told);
    std::vector<std::string> missed;
    for (const std::string& path : changed_) {
        if (!all.has(path)) missed.push_back(path);
    }
    return std::optional<std::vector<std::string>>(std::move(missed));
}

}  // namespace holdfast::agent
