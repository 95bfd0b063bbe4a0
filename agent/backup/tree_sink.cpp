#include "agent/backup/tree_sink.h"

#include "vault/base/damage.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

/// Entries that may wait for the first of them; about 4 MiB.
constexpr std::size_t waiting_max = 8192;

bool same_file(const vault::Entry& a, const vault::Entry& b) {
    return a.type == b.type && a.size == b.size && a.mtime_ns == b.mtime_ns &&
           a.ctime_ns == b.ctime_ns && a.inode == b.inode && a.hard_link == b.hard_link;
}

}  // namespace

TreeSink::TreeSink(vault::SnapshotWriter& writer, const std::string& source,
                   const vault::TreeReader* before, std::vector<vault::SnapshotWarning>& warnings)
    : writer_(&writer), source_(source), before_(before), warnings_(&warnings) {
    if (before != nullptr) cursor_.emplace(*before);
}

Result<ContentHandle> TreeSink::begin_content(Shape shape) {
    return writer_->content().begin(shape == Shape::Pages ? vault::Cut::Fixed
                                                          : vault::Cut::ByContent);
}

Result<void> TreeSink::write(View data) {
    counts_.read_bytes += data.size();
    return writer_->content().write(data);
}

Result<void> TreeSink::hole(std::uint64_t length) {
    return writer_->content().hole(length);
}

Result<void> TreeSink::find_place(const std::string& path) {
    if (place_ && place_->path == path) return {};
    place_ = Place{path, {}};
    if (!cursor_) return {};
    const auto found = cursor_->find(path);
    if (!found) {
        HF_TRY(read_instead(found.error()));
        return {};
    }
    if (*found == nullptr || (*found)->entry.type != vault::FileType::Regular) return {};
    auto extents = before_->extents(**found);
    if (!extents) {
        HF_TRY(read_instead(extents.error()));
        return {};
    }
    place_->extents = std::move(*extents);
    return {};
}

Result<std::uint64_t> TreeSink::same_range(const std::string& path, std::uint64_t offset,
                                           std::uint64_t length) {
    HF_TRY(find_place(path));
    const vault::Extents& all = place_->extents;
    const std::uint64_t end = offset + length;
    vault::Extents same;
    std::uint64_t at = offset;
    while (at < end && place_->next < all.size() && place_->begin <= at) {
        const vault::Extent& extent = all[place_->next];
        const std::uint64_t extent_end = place_->begin + extent.length;
        if (extent_end > at) {
            const bool cut = place_->begin < at || extent_end > end;
            if (!extent.hole() && (cut || !HF_TRY(writer_->has(extent.chunk)))) break;
            same.push_back(extent);
            same.back().length = std::min(extent_end, end) - at;
            at += same.back().length;
        }
        if (extent_end > end) break;  // A hole that goes on.
        place_->begin = extent_end;
        ++place_->next;
    }
    // What is written next is cut into pieces from here on: they must lie where they always do.
    while (at != end && at % vault::fixed_piece_bytes != 0) {
        at -= same.back().length;
        same.pop_back();
    }
    HF_TRY(writer_->content().known(same));
    return at - offset;
}

Result<void> TreeSink::end_content() {
    return writer_->content().end();
}

void TreeSink::drop_content() {
    writer_->content().drop();
}

Result<void> TreeSink::add(vault::Entry entry, ContentHandle content) {
    ++counts_.entries;
    waiting_.push_back({std::move(entry), content, {}});
    return add_ready();
}

Result<bool> TreeSink::add_unchanged(const vault::Entry& entry) {
    if (!cursor_) return false;
    const auto found = cursor_->find(entry.path);
    if (!found) return read_instead(found.error());
    const vault::Item* item = *found;
    if (item == nullptr || !same_file(item->entry, entry)) return false;
    auto extents = before_->extents(*item);
    if (!extents) return read_instead(extents.error());
    for (const vault::Extent& extent : *extents) {
        if (!extent.hole() && !HF_TRY(writer_->has(extent.chunk))) return false;
    }
    // A later link of a file: its content stood with a name that is gone now.
    if (extents->empty() && entry.size != 0) return false;
    vault::Entry same = entry;
    same.xattrs = item->entry.xattrs;
    ++counts_.entries;
    ++counts_.unchanged;
    waiting_.push_back({std::move(same), 0, std::move(*extents)});
    HF_TRY(add_ready());
    return true;
}

/// Damage in the snapshot before is no reason to fail this one, which mends it by reading.
Result<bool> TreeSink::read_instead(const Error& error) {
    if (!is_damage(error)) return error;
    cursor_.reset();
    return false;
}

void TreeSink::warn(Warning warning) {
    warnings_->push_back({source_, std::move(warning.path), std::move(warning.what)});
}

bool TreeSink::leaf_ends_before(const std::optional<std::string>& path) const {
    if (!path) return true;
    return kept_.leaf + 1 < before_->leaves() &&
           vault::compare_paths(before_->info(kept_.leaf + 1).first_path, *path) <= 0;
}

void TreeSink::next_leaf() {
    ++kept_.leaf;
    kept_.items.reset();
    kept_.item = 0;
}

Result<const vault::Item*> TreeSink::kept_item() {
    if (!kept_.items) kept_.items = HF_TRY(before_->leaf(kept_.leaf));
    return kept_.item < kept_.items->size() ? &(*kept_.items)[kept_.item] : nullptr;
}

Result<void> TreeSink::keep_until(const std::optional<std::string>& path) {
    while (kept_.leaf < before_->leaves()) {
        if (!kept_.items && leaf_ends_before(path)) {
            counts_.entries += before_->info(kept_.leaf).entries;
            counts_.unchanged += before_->info(kept_.leaf).entries;
            waiting_.push_back({{}, 0, {}, kept_.leaf});
            next_leaf();
            continue;
        }
        const vault::Item* const item = HF_TRY(kept_item());
        if (item == nullptr) {
            next_leaf();
            continue;
        }
        if (path && vault::compare_paths(item->entry.path, *path) >= 0) break;
        ++counts_.entries;
        ++counts_.unchanged;
        vault::Extents extents = HF_TRY(before_->extents(*item));
        waiting_.push_back({item->entry, 0, std::move(extents)});
        ++kept_.item;
    }
    return add_ready();
}

Result<Passed> TreeSink::pass_over(const std::string& path, bool deep) {
    Passed passed;
    while (kept_.leaf < before_->leaves()) {
        const vault::Item* const item = HF_TRY(kept_item());
        if (item == nullptr) {
            next_leaf();
            continue;
        }
        const std::string& at = item->entry.path;
        const bool below =
            at.size() > path.size() && at.starts_with(path) && at[path.size()] == '/';
        if (at != path && !(deep && below)) break;
        passed.files += item->entry.type == vault::FileType::Regular ? 1 : 0;
        passed.folders += item->entry.type == vault::FileType::Directory ? 1 : 0;
        ++kept_.item;
    }
    return passed;
}

/// Whole where leaves meet again; what lies between is written anew.
Result<void> TreeSink::add_leaf(std::size_t number) {
    if (writer_->between_leaves()) return writer_->adopt_leaf(before_->info(number));
    for (const vault::Item& item : HF_TRY(before_->leaf(number))) {
        vault::Extents extents = HF_TRY(before_->extents(item));
        HF_TRY(writer_->add(item.entry, std::move(extents)));
    }
    return {};
}

Result<void> TreeSink::add_ready() {
    while (!waiting_.empty()) {
        Waiting& first = waiting_.front();
        if (first.leaf) {
            HF_TRY(add_leaf(*first.leaf));
            waiting_.pop_front();
            continue;
        }
        if (first.content != 0) {
            auto extents = writer_->content().take(first.content);
            if (!extents && waiting_.size() < waiting_max) return {};
            if (!extents) {
                // What it shares a chunk with may come much later: store what there is.
                HF_TRY(writer_->content().flush());
                continue;
            }
            first.extents = std::move(*extents);
        }
        HF_TRY(writer_->add(first.entry, std::move(first.extents)));
        waiting_.pop_front();
    }
    return {};
}

Result<void> TreeSink::finish() {
    HF_TRY(writer_->content().flush());
    HF_TRY(add_ready());
    HF_ASSERT(waiting_.empty());
    return {};
}

}  // namespace holdfast::agent
