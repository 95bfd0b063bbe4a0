// Manifest: what a snapshot is, in two chunks of JSON (docs/vault-format.md, 9).
//
// The map part is for the node that must prune and place without reading; the content part is what
// clinicians' systems told, and needs the content key.
#pragma once

#include "vault/base/result.h"
#include "vault/base/units.h"
#include "vault/snapshot/tree_writer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::vault {

/// A source as the manifest describes it. `facts` is a JSON object in text: what a restore of this
/// kind needs to know (a database's version, its WAL range).
struct SourceInfo {
    std::string name;
    std::string kind;
    std::string place;
    std::string facts = "{}";
    SourceTree tree;
};

struct SnapshotWarning {
    std::string source;
    std::string path;
    std::string what;
};

struct IndexRef {
    PackId pack;
    ChunkId chunk;
};

struct Manifest {
    std::int64_t time = 0;
    ChunkId content;  // Of the content part.
    std::vector<IndexRef> index;
    std::vector<SourceInfo> sources;

    // From here on: the content part.
    std::string system;
    std::string program;
    std::string plan;  // The system's settings file, to the byte.
    std::vector<SnapshotWarning> warnings;
};

constexpr std::size_t sources_max = 256;
constexpr std::size_t manifest_warnings_max = 10'000;
constexpr std::size_t manifest_warning_bytes_max = 1
                                                   << 20;  // Of all together; a part is one chunk.

/// The content part; bytes that are no UTF-8 (paths) are written as U+FFFD.
std::string encode_content_part(const Manifest& manifest);
/// The map part; `manifest.content` must be set.
std::string encode_map_part(const Manifest& manifest);

/// Fills what the map part has. Errors: Corrupt.
Result<Manifest> parse_map_part(std::string_view json);
/// Adds what the content part has. Errors: Corrupt (also if the two do not belong together).
Result<void> parse_content_part(std::string_view json, Manifest& manifest);

}  // namespace holdfast::vault
