#include "agent/restore/selection.h"

#include "agent/restore/folder_walk.h"
#include "vault/base/damage.h"

namespace holdfast::agent {
namespace {

class Walk {
public:
    Walk(const std::vector<Glob>& includes, TreeVisitor& visitor)
        : includes_(&includes), visitor_(&visitor) {}

    Result<void> take(const vault::Item& item) {
        const vault::Entry& entry = item.entry;
        while (!above_.empty() && !lies_in(entry.path, above_.back().entry.path)) HF_TRY(pop());
        const bool folder = entry.type == vault::FileType::Directory;
        const bool chosen = includes_->empty() || (!above_.empty() && above_.back().chosen) ||
                            any_matches(*includes_, entry.path, folder);
        if (folder) above_.push_back({entry, chosen, false});
        if (chosen) HF_TRY(enter_all());
        if (folder) return {};
        if (chosen) return visitor_->visit(item);
        visitor_->pass(item);
        return {};
    }

    Result<void> finish() {
        while (!above_.empty()) HF_TRY(pop());
        return {};
    }

private:
    struct Folder {
        vault::Entry entry;
        bool chosen;
        bool entered;
    };

    Result<void> enter_all() {
        for (Folder& folder : above_) {
            if (!folder.entered) HF_TRY(visitor_->enter(folder.entry));
            folder.entered = true;
        }
        return {};
    }

    Result<void> pop() {
        const Folder folder = std::move(above_.back());
        above_.pop_back();
        return folder.entered ? visitor_->leave(folder.entry) : Result<void>();
    }

    const std::vector<Glob>* includes_;
    TreeVisitor* visitor_;
    std::vector<Folder> above_;
};

}  // namespace

Result<void> visit_selected(const vault::TreeReader& tree, const std::vector<Glob>& includes,
                            const std::atomic<bool>* stop, TreeVisitor& visitor) {
    Walk walk(includes, visitor);
    for (std::size_t i = 0; i < tree.leaves(); ++i) {
        const auto items = tree.leaf(i);
        if (!items) {
            if (!is_damage(items.error())) return items.error();
            visitor.lose(tree.info(i).first_path, tree.info(i).entries, items.error());
            continue;
        }
        for (const vault::Item& item : *items) {
            if (stop != nullptr && *stop) return Error{Errc::Interrupted, "stopped"};
            HF_TRY(walk.take(item));
        }
    }
    return walk.finish();
}

}  // namespace holdfast::agent
