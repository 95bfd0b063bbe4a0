#include "agent/source/postgres/collector.h"

#include "agent/source/postgres/layout.h"

#include <algorithm>
#include <map>

namespace holdfast::agent::postgres {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::string_view wal_folder = "pg_wal/";

bool is_wal_name(std::string_view name) {
    return name.size() == 24 && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
           });
}

std::string_view parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

Collector::~Collector() {
    if (open_) sink_->drop_content();
}

Result<void> Collector::begin(const TarMember& member) {
    std::string path = folder_.empty() ? member.path : folder_ + "/" + member.path;
    if (path.size() > vault::path_bytes_max) return Error{Errc::Invalid, path + ": path too long"};
    if (member.type == vault::FileType::Symlink) {
        // Tablespaces: their content comes as an archive of its own and is a folder here.
        if (parent_of(path) != "pg_tblspc") sink_->warn({path, "a symbolic link; left out"});
        return {};
    }
    if (items_.size() >= cluster_files_max) {
        return Error{Errc::Invalid, "the cluster has over " + std::to_string(cluster_files_max) +
                                        " files; this source takes no more"};
    }
    items_.push_back({std::move(path), member.type, member.mode, member.uid, member.gid,
                      std::min(member.mtime_s, INT64_MAX / ns_per_s), member.size, 0});
    if (member.size == 0) return {};
    items_.back().content = HF_TRY(sink_->begin_content(shape_of(items_.back().path)));
    open_ = true;
    return {};
}

Result<void> Collector::data(View piece) {
    bytes_ += piece.size();
    return sink_->write(piece);
}

Result<void> Collector::end() {
    if (!open_) return {};
    HF_TRY(sink_->end_content());
    open_ = false;
    return {};
}

Result<void> Collector::arrange() {
    const auto rises = [](const Item& a, const Item& b) {
        return vault::compare_paths(a.path, b.path) < 0;
    };
    std::stable_sort(items_.begin(), items_.end(), rises);
    HF_TRY(drop_repeats());
    HF_TRY(add_parents());
    std::stable_sort(items_.begin(), items_.end(), rises);
    files_ =
        static_cast<std::uint64_t>(std::count_if(items_.begin(), items_.end(), [](const Item& i) {
            return i.type == vault::FileType::Regular;
        }));
    return {};
}

/// A folder may come in two archives; a file that comes twice is a server gone wrong.
Result<void> Collector::drop_repeats() {
    const auto same = [](const Item& a, const Item& b) { return a.path == b.path; };
    for (auto at = items_.begin();;) {
        at = std::adjacent_find(at, items_.end(), same);
        if (at == items_.end()) break;
        if (at->type != vault::FileType::Directory || at[1].type != vault::FileType::Directory) {
            return Error{Errc::Corrupt, "the server sent " + at->path + " twice"};
        }
        ++at;
    }
    items_.erase(std::unique(items_.begin(), items_.end(), same), items_.end());
    return {};
}

Result<void> Collector::add_parents() {
    std::map<std::string, Item, std::less<>> missing;
    for (const Item& item : items_) {
        for (std::string_view up = parent_of(item.path); !up.empty(); up = parent_of(up)) {
            if (missing.contains(up)) break;
            const Item* there = find(up);
            if (there != nullptr && there->type == vault::FileType::Directory) break;
            if (there != nullptr) {
                return Error{Errc::Corrupt, "the server sent " + item.path + " inside a file"};
            }
            missing.emplace(up, Item{std::string(up), vault::FileType::Directory, 0700, item.uid,
                                     item.gid, item.mtime_s, 0, 0});
        }
    }
    for (auto& [path, item] : missing) items_.push_back(std::move(item));
    return {};
}

const Collector::Item* Collector::find(std::string_view path) const {
    const auto at = std::lower_bound(items_.begin(), items_.end(), path,
                                     [](const Item& item, std::string_view wanted) {
                                         return vault::compare_paths(item.path, wanted) < 0;
                                     });
    return at != items_.end() && at->path == path ? &*at : nullptr;
}

std::optional<std::uint64_t> Collector::size_of(std::string_view path) const {
    const Item* item = find(path);
    if (item == nullptr || item->type != vault::FileType::Regular) return std::nullopt;
    return item->size;
}

std::vector<std::string> Collector::wal_files() const {
    std::vector<std::string> names;
    for (const Item& item : items_) {
        const std::string_view path = item.path;
        if (!path.starts_with(wal_folder)) continue;
        const std::string_view name = path.substr(wal_folder.size());
        if (is_wal_name(name)) names.emplace_back(name);
    }
    return names;
}

Result<void> Collector::deliver(std::uint32_t root_mode) {
    if (items_.empty()) return Error{Errc::Corrupt, "the server sent no files"};
    vault::Entry root;
    root.type = vault::FileType::Directory;
    root.mode = root_mode;
    root.uid = items_.front().uid;
    root.gid = items_.front().gid;
    root.mtime_ns = items_.front().mtime_s * ns_per_s;
    HF_TRY(sink_->add(std::move(root), 0));
    for (Item& item : items_) {
        vault::Entry entry;
        entry.path = std::move(item.path);
        entry.type = item.type;
        entry.mode = item.mode;
        entry.uid = item.uid;
        entry.gid = item.gid;
        entry.mtime_ns = item.mtime_s * ns_per_s;
        entry.size = item.size;
        HF_TRY(sink_->add(std::move(entry), item.content));
    }
    items_.clear();
    return {};
}

}  // namespace holdfast::agent::postgres
