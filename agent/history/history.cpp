#include "agent/history/history.h"

#include "agent/browse/content.h"
#include "agent/browse/list_folder.h"
#include "agent/restore/folder_walk.h"
#include "vault/base/timespec.h"
#include "vault/snapshot/type_bits.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::agent {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t refresh_ns = 2 * second_ns;  // So long a list of snapshots may be old.
constexpr const char* latest_name = "latest";
constexpr std::uint32_t our_folder_mode = S_IFDIR | 0755;

void set_times(struct stat& about, std::int64_t ns) {
    about.st_atim = about.st_mtim = about.st_ctim = timespec_of(ns);
}

struct stat folder_of_ours(std::int64_t time_ms) {
    struct stat about {};
    about.st_mode = our_folder_mode;
    about.st_nlink = 2;
    about.st_uid = geteuid();
    about.st_gid = getegid();
    set_times(about, time_ms * 1'000'000);
    return about;
}

struct stat about_entry(const vault::Entry& entry) {
    struct stat about {};
    about.st_mode = vault::type_bits(entry.type) | (entry.mode & 07777);
    about.st_nlink = entry.type == vault::FileType::Directory ? 2 : 1;
    about.st_uid = entry.uid;
    about.st_gid = entry.gid;
    about.st_rdev = entry.device;
    const std::uint64_t size = entry.type == vault::FileType::Symlink
                                   ? static_cast<std::uint64_t>(entry.link_target.size())
                                   : entry.size;
    about.st_size = static_cast<off_t>(size);
    about.st_blocks = static_cast<blkcnt_t>((size + 511) / 512);
    about.st_blksize = 1 << 16;
    set_times(about, entry.mtime_ns);
    return about;
}

}  // namespace

/// One name in the tree. A folder's children are made when it is looked into.
struct History::Node {
    enum class Kind { Root, System, Latest, Snapshot, Entry };
    Kind kind = Kind::Entry;
    ArchiveNode id = 0;
    ArchiveNode parent = 0;
    std::string name;
    std::uint64_t references = 0;
    bool gone = false;  // Its folder does not have it any more; it stays while it is held.
    struct stat about {};
    std::string link_target;
    std::optional<Children> children;
    std::optional<std::int64_t> filled_ns;  // Of a folder whose children change.

    vault::SnapshotRecord record;                   // Of a snapshot.
    std::shared_ptr<SnapshotTrees> trees;           // Of a snapshot, and of all in it.
    const SnapshotTrees::Source* source = nullptr;  // Of an entry.
    std::optional<vault::Item> item;                // Of an entry; none: a source's own folder.
    std::unique_ptr<FileContent> content;           // Of a file that is being read.

    bool is_folder() const { return S_ISDIR(about.st_mode); }
    std::string path() const { return item ? item->entry.path : std::string(); }
};

History::History(vault::VaultReader& reader, const Clock& clock, Log log)
    : reader_(&reader), clock_(&clock), log_(std::move(log)) {
    auto root = std::make_unique<Node>();
    root->kind = Node::Kind::Root;
    root->id = archive_root;
    root->references = 1;  // The kernel's, for good.
    root->about = folder_of_ours(clock.wall_ms());
    root->about.st_ino = archive_root;
    nodes_[archive_root] = std::move(root);
}

History::~History() = default;

History::Node* History::find(ArchiveNode node) {
    const auto at = nodes_.find(node);
    return at == nodes_.end() ? nullptr : at->second.get();
}

/// One that a folder has as its child.
History::Node& History::child(ArchiveNode node) {
    Node* const found = find(node);
    HF_ASSERT(found != nullptr);
    return *found;
}

History::Node& History::add(ArchiveNode parent, const std::string& name) {
    auto node = std::make_unique<Node>();
    node->id = ++last_;
    node->parent = parent;
    node->name = name;
    return *(nodes_[node->id] = std::move(node));
}

std::string History::path_of(const Node& node) {
    if (node.id == archive_root) return "";
    const Node* parent = find(node.parent);
    return (parent == nullptr ? "" : path_of(*parent)) + "/" + node.name;
}

int History::report(const std::string& where, const Error& error) const {
    if (log_) log_(where + ": " + error.message);
    return error.code == Errc::Locked || error.code == Errc::Denied ? EACCES : EIO;
}

int History::look_up(ArchiveNode folder, std::string_view name, struct stat* out) {
    Node* const in = find(folder);
    if (in == nullptr || !in->is_folder()) return ENOTDIR;
    if (const auto filled = need_children(*in); !filled) {
        return report(path_of(*in), filled.error());
    }
    const auto at = in->children->find(name);
    if (at == in->children->end()) return ENOENT;
    Node& found = child(at->second);
    ++found.references;
    *out = found.about;
    return 0;
}

void History::forget(ArchiveNode node, std::uint64_t references) {
    Node* const at = find(node);
    if (at == nullptr || node == archive_root) return;
    at->references -= std::min(at->references, references);
    if (at->references != 0) return;
    at->content.reset();
    // What is below it and not held goes; it is made again when it is asked for.
    empty(*at);
    if (at->kind == Node::Kind::Snapshot) at->trees.reset();
    if (at->gone) nodes_.erase(node);
}

int History::attributes(ArchiveNode node, struct stat* out) {
    const Node* const at = find(node);
    if (at == nullptr) return ENOENT;
    *out = at->about;
    return 0;
}

int History::list(ArchiveNode folder, std::vector<ArchiveEntry>* out) {
    Node* const in = find(folder);
    if (in == nullptr || !in->is_folder()) return ENOTDIR;
    if (const auto filled = need_children(*in); !filled) {
        return report(path_of(*in), filled.error());
    }
    for (const auto& [name, node] : *in->children) out->push_back({name, child(node).about});
    return 0;
}

int History::read_link(ArchiveNode node, std::string* out) {
    const Node* const at = find(node);
    if (at == nullptr || !S_ISLNK(at->about.st_mode)) return EINVAL;
    *out = at->link_target;
    return 0;
}

int History::read(ArchiveNode node, std::uint64_t offset, std::span<std::uint8_t> out,
                  std::size_t* filled) {
    Node* const at = find(node);
    if (at == nullptr || !S_ISREG(at->about.st_mode)) return EINVAL;
    const auto content = content_of(*at);
    if (!content) return report(path_of(*at), content.error());
    const auto read = (*content)->read(offset, out);
    if (!read) return report(path_of(*at), read.error());
    *filled = *read;
    return 0;
}

Result<FileContent*> History::content_of(Node& node) {
    if (!node.content) {
        auto item = HF_TRY(item_with_content(node.source->tree, *node.item));
        node.content = std::make_unique<FileContent>(
            HF_TRY(FileContent::open(std::move(item), node.trees->chunks())));
    }
    return node.content.get();
}

int History::get_xattr(ArchiveNode node, std::string_view name, Buffer* out) {
    const Node* const at = find(node);
    if (at == nullptr || !at->item) return ENODATA;
    for (const auto& [known, value] : at->item->entry.xattrs) {
        if (known != name) continue;
        *out = value;
        return 0;
    }
    return ENODATA;
}

int History::list_xattrs(ArchiveNode node, std::string* out) {
    const Node* const at = find(node);
    if (at == nullptr || !at->item) return 0;
    for (const auto& [name, value] : at->item->entry.xattrs) out->append(name).push_back('\0');
    return 0;
}

Result<void> History::need_children(Node& folder) {
    const std::int64_t now_ns = clock_->steady_ns();
    switch (folder.kind) {
        case Node::Kind::Root:
        case Node::Kind::System: {
            if (folder.filled_ns && now_ns - *folder.filled_ns < refresh_ns) return {};
            HF_TRY(refresh());
            if (folder.kind == Node::Kind::Root) fill_root(folder);
            if (folder.kind == Node::Kind::System) fill_system(folder);
            folder.filled_ns = now_ns;
            return {};
        }
        case Node::Kind::Snapshot:
            return folder.children ? Result<void>() : fill_snapshot(folder);
        case Node::Kind::Entry:
            return folder.children ? Result<void>() : fill_folder(folder);
        case Node::Kind::Latest:
            break;
    }
    return {};
}

Result<void> History::refresh() {
    const std::int64_t now_ns = clock_->steady_ns();
    if (refreshed_ns_ && now_ns - *refreshed_ns_ < refresh_ns) return {};
    HF_TRY(reader_->refresh());
    refreshed_ns_ = now_ns;
    return {};
}

/// Takes children that are not wanted out of the folder; those that are held live on without it.
void History::keep_only(Node& folder, const Children& wanted) {
    if (!folder.children) folder.children.emplace();
    for (auto at = folder.children->begin(); at != folder.children->end();) {
        const auto same = wanted.find(at->first);
        if (same != wanted.end()) {
            ++at;
            continue;
        }
        drop(at->second);
        at = folder.children->erase(at);
    }
}

void History::empty(Node& folder) {
    if (folder.children) keep_only(folder, {});
    folder.children.reset();
    folder.filled_ns.reset();
}

void History::drop(ArchiveNode node) {
    Node& at = child(node);
    empty(at);
    at.gone = true;
    if (at.references == 0) nodes_.erase(node);
}

void History::fill_root(Node& root) {
    std::map<std::string, std::int64_t> systems;  // With the time of the newest.
    for (const vault::SnapshotRecord& record : reader_->snapshots()) {
        systems[record.system] = record.time;
    }
    Children wanted;
    for (const auto& [system, time] : systems) wanted[system] = 0;
    keep_only(root, wanted);
    for (const auto& [system, time] : systems) {
        const auto known = root.children->find(system);
        Node& node = known != root.children->end() ? child(known->second) : add(root.id, system);
        node.kind = Node::Kind::System;
        node.about = folder_of_ours(time);
        node.about.st_ino = node.id;
        (*root.children)[system] = node.id;
    }
}

void History::fill_system(Node& system) {
    std::map<std::string, const vault::SnapshotRecord*> named;
    std::string newest;
    for (const vault::SnapshotRecord& record : reader_->snapshots()) {
        if (record.system != system.name) continue;
        std::string name = format_time(record.time);
        // Two of one second, or of a clock that was put back.
        if (named.contains(name)) name += "-" + record.id.brief();
        named[name] = &record;
        newest = name;
    }
    Children wanted;
    if (!system.children) system.children.emplace();
    for (const auto& [name, node] : *system.children) {
        const auto still = named.find(name);
        vault::SnapshotRecord& known = child(node).record;
        if (still == named.end() || still->second->id != known.id) continue;
        known = *still->second;  // It may stand on another list by now.
        wanted[name] = node;
    }
    keep_only(system, wanted);
    for (const auto& [name, record] : named) {
        if (wanted.contains(name)) continue;
        Node& node = add(system.id, name);
        node.kind = Node::Kind::Snapshot;
        node.record = *record;
        node.about = folder_of_ours(record->time);
        node.about.st_ino = node.id;
        (*system.children)[name] = node.id;
    }
    if (newest.empty()) return;
    Node& latest = add(system.id, latest_name);
    latest.kind = Node::Kind::Latest;
    latest.link_target = newest;
    latest.about = folder_of_ours(clock_->wall_ms());
    latest.about.st_mode = S_IFLNK | 0777;
    latest.about.st_nlink = 1;
    latest.about.st_size = static_cast<off_t>(newest.size());
    latest.about.st_ino = latest.id;
    (*system.children)[latest_name] = latest.id;
}

/// One source: what is in it; several: a folder for each.
Result<void> History::fill_snapshot(Node& snapshot) {
    if (!snapshot.trees) {
        // A repack may have put it on another list a moment ago.
        HF_TRY(reader_->refresh());
        if (const auto now = reader_->find(snapshot.record.id.hex())) snapshot.record = *now;
        snapshot.trees =
            std::make_shared<SnapshotTrees>(HF_TRY(SnapshotTrees::open(*reader_, snapshot.record)));
    }
    if (snapshot.trees->sources().size() == 1) {
        snapshot.source = &snapshot.trees->sources().front();
        return fill_folder(snapshot);
    }
    Children made;
    for (const SnapshotTrees::Source& source : snapshot.trees->sources()) {
        Node& node = add(snapshot.id, source.name);
        node.trees = snapshot.trees;
        node.source = &source;
        node.about = folder_of_ours(snapshot.record.time);
        node.about.st_ino = node.id;
        made[source.name] = node.id;
    }
    snapshot.children = std::move(made);
    return {};
}

Result<void> History::fill_folder(Node& folder) {
    Children made;
    const auto take = [&](const vault::Item& item) -> Result<void> {
        const std::string name = name_of(item.entry.path);
        Node& node = add(folder.id, name);
        node.trees = folder.trees;
        node.source = folder.source;
        node.about = about_entry(item.entry);
        node.about.st_ino = node.id;
        node.link_target = item.entry.link_target;
        node.item = item;
        made[name] = node.id;
        return {};
    };
    auto listed = list_folder(folder.source->tree, folder.path(), false, take);
    if (!listed) {
        for (const auto& [name, node] : made) nodes_.erase(node);
        return listed;
    }
    folder.children = std::move(made);
    return {};
}

}  // namespace holdfast::agent
