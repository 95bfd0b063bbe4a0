#include "agent/browse/list_folder.h"

#include "agent/restore/folder_walk.h"

#include <string>

namespace holdfast::agent {

Result<void> list_folder(const vault::TreeReader& tree, std::string_view path, bool deep,
                         const VisitItem& visit) {
    const vault::Item top = HF_TRY(tree.find(path));
    if (top.entry.type != vault::FileType::Directory) return visit(top);
    std::string passed;  // The folder below `path` that was entered last; empty: none.
    const auto is_over = [&](std::string_view at) {
        return !deep && !passed.empty() && lies_in(at, passed);
    };
    for (std::size_t i = *tree.leaf_of(path); i < tree.leaves(); ++i) {
        const bool more = i + 1 < tree.leaves();
        if (more && is_over(tree.info(i).first_path) && is_over(tree.info(i + 1).first_path)) {
            continue;
        }
        for (const vault::Item& item : HF_TRY(tree.leaf(i))) {
            const std::string& at = item.entry.path;
            if (vault::compare_paths(at, path) <= 0) continue;
            if (!lies_in(at, path)) return {};
            if (is_over(at)) continue;
            if (item.entry.type == vault::FileType::Directory) passed = at;
            HF_TRY(visit(item));
        }
    }
    return {};
}

}  // namespace holdfast::agent
