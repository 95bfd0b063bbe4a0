#include "agent/browse/list_folder.h"

#include "agent/restore/folder_walk.h"

#include <algorithm>
#include <string>

namespace holdfast::agent {
namespace {

/// The last leaf that begins at or before `path`.
std::size_t leaf_of(const vault::TreeReader& tree, std::string_view path) {
    std::size_t low = 0;
    std::size_t high = tree.leaves();
    while (high - low > 1) {
        const std::size_t middle = low + (high - low) / 2;
        if (vault::compare_paths(tree.info(middle).first_path, path) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

}  // namespace

Result<void> list_folder(const vault::TreeReader& tree, std::string_view path, bool deep,
                         const VisitItem& visit) {
    const vault::Item top = HF_TRY(tree.find(path));
    if (top.entry.type != vault::FileType::Directory) return visit(top);
    std::string passed;  // The folder below `path` that was entered last; empty: none.
    const auto is_over = [&](std::string_view at) {
        return !deep && !passed.empty() && lies_in(at, passed);
    };
    for (std::size_t i = leaf_of(tree, path); i < tree.leaves(); ++i) {
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
