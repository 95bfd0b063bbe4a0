// History: all snapshots of a vault as one read-only tree:
//
//     SYSTEM/2026-11-27T09:12:33Z/…      paths of the source; of several, SOURCE/…
//     SYSTEM/latest                      a link to the newest
//
// A snapshot is opened when somebody enters it, a folder is read when somebody looks into it, and
// what nobody holds any more is dropped. Snapshots that come appear, forgotten ones go. One thread.
#pragma once

#include "agent/browse/snapshot_trees.h"
#include "agent/history/file_content.h"
#include "agent/mount/archive.h"
#include "vault/base/clock.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace holdfast::agent {

class History final : public Archive {
public:
    /// Takes one line about what could not be read, without its end.
    using Log = std::function<void(const std::string&)>;

    /// All outlive it; `log` may be empty.
    History(vault::VaultReader& reader, const Clock& clock, Log log);
    ~History() override;

    int look_up(ArchiveNode folder, std::string_view name, struct stat* out) override;
    void forget(ArchiveNode node, std::uint64_t references) override;
    int attributes(ArchiveNode node, struct stat* out) override;
    int list(ArchiveNode folder, std::vector<ArchiveEntry>* out) override;
    int read_link(ArchiveNode node, std::string* out) override;
    int read(ArchiveNode node, std::uint64_t offset, std::span<std::uint8_t> out,
             std::size_t* filled) override;
    int get_xattr(ArchiveNode node, std::string_view name, Buffer* out) override;
    int list_xattrs(ArchiveNode node, std::string* out) override;

    /// Nodes in memory.
    std::size_t nodes() const { return nodes_.size(); }

private:
    struct Node;
    using Children = std::map<std::string, ArchiveNode, std::less<>>;

    Node* find(ArchiveNode node);
    Node& child(ArchiveNode node);
    Node& add(ArchiveNode parent, const std::string& name);
    int report(const std::string& where, const Error& error) const;
    /// Makes the children of a folder, if they are not there or may have changed.
    Result<void> need_children(Node& folder);
    Result<void> refresh();
    void fill_root(Node& root);
    void fill_system(Node& system);
    Result<void> fill_snapshot(Node& snapshot);
    Result<void> fill_folder(Node& folder);
    void keep_only(Node& folder, const Children& wanted);
    void empty(Node& folder);
    void drop(ArchiveNode node);
    Result<FileContent*> content_of(Node& node);
    std::string path_of(const Node& node);

    vault::VaultReader* reader_;
    const Clock* clock_;
    Log log_;
    ArchiveNode last_ = archive_root;
    std::unordered_map<ArchiveNode, std::unique_ptr<Node>> nodes_;
    std::optional<std::int64_t> refreshed_ns_;
};

}  // namespace holdfast::agent
