// SnapshotTrees: one snapshot, open for looking into, and its paths as people write them.
//
// A snapshot of one source has paths as the source had them; one of several has each below the
// source's name, as a restore lays them out. A '/' in front is taken as it is meant. Belongs to one
// thread.
#pragma once

#include "vault/vault_reader.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent {

/// What people name: the beginning of an id (4 digits or more), or a system, for its newest.
/// Errors: NotFound, Invalid (more than one snapshot, or a snapshot and a system, could be meant).
Result<vault::SnapshotRecord> named_snapshot(const vault::VaultReader& reader,
                                             std::string_view name);

class SnapshotTrees {
public:
    struct Source {
        std::string name;
        std::string prefix;  // Before its paths: "name/" where there are several sources, else "".
        vault::TreeReader tree;
    };
    /// A path in a source; no source: what is above the sources.
    struct Place {
        const Source* source = nullptr;
        std::string path;
    };

    /// `reader` outlives it. Errors: those of VaultReader::manifest() and TreeReader::open().
    static Result<SnapshotTrees> open(vault::VaultReader& reader,
                                      const vault::SnapshotRecord& record);

    const std::vector<Source>& sources() const { return sources_; }
    /// Errors: NotFound (no such source).
    Result<Place> place(std::string_view path) const;
    vault::ChunkReader& chunks() const { return *chunks_; }

private:
    std::unique_ptr<vault::ChunkReader> chunks_;
    std::vector<Source> sources_;
};

/// An entry's path as people write it; the root is the source's name.
std::string path_in(const SnapshotTrees::Source& source, const vault::Entry& entry);

}  // namespace holdfast::agent
