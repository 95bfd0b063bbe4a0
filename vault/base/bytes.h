// Bytes in memory: the buffer type, little-endian writing and bounded reading.
//
// ByteReader is the base of every parser of foreign bytes here: it never reads past its end, and
// remembers the first failure, so that a parser may read a whole record and ask once.
#pragma once

#include "vault/base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

using Buffer = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

inline View as_view(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(View bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal, two digits a byte.
std::string to_hex(View bytes);

/// Errors: Invalid (odd length, or a character that is no lower-case hexadecimal digit).
Result<Buffer> from_hex(std::string_view text);

/// Appends fixed-width little-endian integers, LEB128 varints and length-prefixed strings.
class ByteWriter {
public:
    explicit ByteWriter(Buffer& out) : out_(&out) {}

    void u8(std::uint8_t v) { out_->push_back(v); }
    void u16(std::uint16_t v) { fixed(v, 2); }
    void u32(std::uint32_t v) { fixed(v, 4); }
    void u64(std::uint64_t v) { fixed(v, 8); }
    void varint(std::uint64_t v);
    /// Zig-zag, then varint: small magnitudes of either sign are short.
    void svarint(std::int64_t v);
    void bytes(View v) { out_->insert(out_->end(), v.begin(), v.end()); }
    /// Varint length, then the bytes.
    void blob(View v);
    void text(std::string_view v) { blob(as_view(v)); }

private:
    void fixed(std::uint64_t v, int width);
    Buffer* out_;
};

/// Reads what ByteWriter wrote. After a failure every read answers zero or empty, and ok() is
/// false.
class ByteReader {
public:
    explicit ByteReader(View in) : rest_(in) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
    std::uint64_t u64() { return fixed(8); }
    std::uint64_t varint();
    std::int64_t svarint();
    /// The next `n` bytes, in place.
    View bytes(std::size_t n);
    /// A length-prefixed run of at most `max` bytes, in place.
    View blob(std::size_t max);
    std::string text(std::size_t max) { return std::string(as_text(blob(max))); }

    bool ok() const { return ok_; }
    std::size_t left() const { return rest_.size(); }
    /// True if all was read and nothing failed.
    bool done() const { return ok_ && rest_.empty(); }
    /// Marks the input as bad; for rules that the caller checks.
    void fail() {
        ok_ = false;
        rest_ = {};
    }

private:
    std::uint64_t fixed(int width);
    View rest_;
    bool ok_ = true;
};

}  // namespace holdfast
