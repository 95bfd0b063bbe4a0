// TreeSink: pours one source into a snapshot.
//
// Entries come in path order while workers still name their chunks, so each waits in a queue until
// its extents are known; a queue that grows long has the workers store what they collect. The tree
// of the snapshot before is read along in step, which costs its metadata once and no memory.
#pragma once

#include "agent/source/kept_tree.h"
#include "agent/source/sink.h"
#include "vault/snapshot/snapshot_writer.h"
#include "vault/snapshot/tree_reader.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

/// What a source did so far; for progress.
struct SinkCounts {
    std::uint64_t entries = 0;
    std::uint64_t unchanged = 0;  // Files taken from the snapshot before, unread.
    std::uint64_t read_bytes = 0;
};

class TreeSink final : public Sink, public KeptTree {
public:
    /// All outlive the sink. `before` may be null: then everything is read, and there is nothing
    /// KeptTree. Whoever uses KeptTree has the writer rely_on() the packs of `before` first.
    TreeSink(vault::SnapshotWriter& writer, const std::string& source,
             const vault::TreeReader* before, std::vector<vault::SnapshotWarning>& warnings);

    Result<ContentHandle> begin_content(Shape shape) override;
    Result<void> write(View data) override;
    Result<void> hole(std::uint64_t length) override;
    Result<std::uint64_t> same_range(const std::string& path, std::uint64_t offset,
                                     std::uint64_t length) override;
    Result<void> end_content() override;
    void drop_content() override;
    Result<void> add(vault::Entry entry, ContentHandle content) override;
    Result<bool> add_unchanged(const vault::Entry& entry) override;
    void warn(Warning warning) override;

    Result<void> keep_until(const std::optional<std::string>& path) override;
    Result<Passed> pass_over(const std::string& path, bool deep) override;

    /// Adds what still waits. Call once, before end_source(). Errors: those of the vault.
    Result<void> finish();

    const SinkCounts& counts() const { return counts_; }

private:
    struct Waiting {
        vault::Entry entry;
        ContentHandle content = 0;
        vault::Extents extents;                // Known already if content is 0.
        std::optional<std::size_t> leaf = {};  // Instead of an entry: a whole leaf of `before`.
    };
    /// Where KeptTree is in the tree of before.
    struct KeptPlace {
        std::size_t leaf = 0;
        std::optional<std::vector<vault::Item>> items;  // Of that leaf, once it is read.
        std::size_t item = 0;
    };
    /// The item that KeptTree is at; null at the end of its leaf.
    Result<const vault::Item*> kept_item();
    bool leaf_ends_before(const std::optional<std::string>& path) const;
    void next_leaf();
    Result<void> add_leaf(std::size_t number);
    /// Where same_range() is in a file of the snapshot before.
    struct Place {
        std::string path;
        vault::Extents extents;
        std::size_t next = 0;     // Of the extents,
        std::uint64_t begin = 0;  // and where it begins in the file.
    };
    Result<void> find_place(const std::string& path);
    Result<void> add_ready();
    Result<bool> read_instead(const Error& error);

    vault::SnapshotWriter* writer_;
    std::string source_;
    const vault::TreeReader* before_;
    std::optional<vault::TreeCursor> cursor_;
    std::optional<Place> place_;
    KeptPlace kept_;
    std::vector<vault::SnapshotWarning>* warnings_;
    std::deque<Waiting> waiting_;
    SinkCounts counts_;
};

}  // namespace holdfast::agent
