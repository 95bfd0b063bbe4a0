// Directory: what a pack holds, chunk by chunk (docs/vault-format.md, 7).
#pragma once

#include "vault/base/result.h"
#include "vault/base/units.h"
#include "vault/keys/segment.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast::vault {

constexpr std::uint64_t pack_bytes_min = 64_KiB;
constexpr std::uint64_t pack_bytes_max = 64_MiB;
constexpr std::uint64_t pack_header_bytes = 16;
constexpr std::string_view pack_header_magic = "HFPACK1\n";
constexpr std::uint64_t pack_trailer_bytes = 64;
constexpr std::string_view pack_trailer_magic = "HFPACKE\n";  // Its last bytes.
constexpr std::uint8_t directory_class_max = 24;
constexpr std::size_t segments_max = 4096;

/// Bytes of a sealed directory of `size_class`, its tag included: 4 KiB, 6 KiB, 8 KiB, 12 KiB, …
constexpr std::uint64_t directory_bytes(std::uint8_t size_class) {
    const std::uint64_t base = 4_KiB << (size_class / 2);
    return size_class % 2 == 0 ? base : base + base / 2;
}

/// The Padmé length at or above `length`, 64 KiB at least: tells little of the true one, and adds
/// at most 3 % to a full pack (Nikitin et al., 2019).
std::uint64_t padded_length(std::uint64_t length);

/// A chunk, or a gap: numbers of the segment whose chunks are not in this pack, since a repack has
/// left them out.
struct DirectoryChunk {
    ChunkId id;
    std::uint32_t sealed_bytes = 0;
    std::uint32_t content_bytes = 0;  // Of a gap: how many numbers.

    static DirectoryChunk gap(std::uint32_t numbers) { return {{}, 0, numbers}; }
    bool is_gap() const { return sealed_bytes == 0; }
    std::uint64_t numbers() const { return is_gap() ? content_bytes : 1; }
};

struct DirectorySegment {
    SegmentName name;
    std::vector<DirectoryChunk> chunks;
};

struct Directory {
    std::vector<DirectorySegment> segments;
    std::uint64_t padding_bytes = 0;
};

/// The plaintext, without zero fill.
Buffer encode_directory(const Directory& directory);

/// Reads a plaintext whose zero fill may be missing. The sums are checked against `pack_bytes`.
/// Errors: Corrupt.
Result<Directory> parse_directory(View plain, std::uint64_t pack_bytes);

}  // namespace holdfast::vault
