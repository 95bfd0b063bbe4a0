// Codec: the plaintext of a sealed chunk, from its content and back. (docs/vault-format.md, 6)
//
//   plaintext := codec: u8  filter: u8  payload
//
// The encoder decides by looking at samples; the decoder takes what any encoder of the format may
// write, and refuses the rest before it allocates more than the content's length.
// Each owns a zstd context: one of each per worker, and none is shared.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/result.h"
#include "vault/chunk/chunker.h"
#include "vault/chunk/filter.h"
#include "vault/chunk/zstd.h"

#include <cstddef>
#include <cstdint>

namespace holdfast::vault {

/// The codec byte.
enum class Codec : std::uint8_t { Stored = 0, Zstd = 1 };

constexpr std::size_t codec_header_bytes = 2;

/// Level of zstd for unfiltered content, 1 to 19. Measured at 128 KiB chunks, one core, ratio and
/// speed: table pages 0.417 at 257 MB/s (level 2: 0.405, 210; level 3: 0.394, 158); clinical notes
/// 0.254 at 316 MB/s (0.256, 331; 0.240, 316).
constexpr int compression_level_default = 1;

struct CodecSettings {
    int level = compression_level_default;
};

class Encoder {
public:
    Encoder();

    /// Replaces `out` by the plaintext for `content`, at most chunk_bytes_max long; never longer
    /// than content and header. Equal calls write equal bytes.
    void encode(View content, CodecSettings settings, Buffer& out);

private:
    std::size_t compress(View content, int level);
    std::size_t compress_filtered(Filter filter, View content);
    bool is_incompressible(View content);

    ZstdCompressor zstd_;
    Buffer filtered_;
    Buffer packed_;
};

class Decoder {
public:
    Decoder();

    /// Replaces `out` by the content of `plain`, exactly `content_length` bytes; empty on failure.
    /// Errors: Corrupt (unknown codec or filter, over the limit, other than one zstd frame of that
    /// length).
    Result<void> decode(View plain, std::size_t content_length, Buffer& out);

private:
    Result<void> decode_payload(Codec codec, View payload, std::span<std::uint8_t> out);

    ZstdDecompressor zstd_;
    Buffer filtered_;
};

}  // namespace holdfast::vault
