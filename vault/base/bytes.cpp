#include "vault/base/bytes.h"

namespace holdfast {

std::string to_hex(View bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t b : bytes) {
        text += digits[b >> 4];
        text += digits[b & 15];
    }
    return text;
}

Result<Buffer> from_hex(std::string_view text) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return -1;
    };
    if (text.size() % 2 != 0) return Error{Errc::Invalid, "hexadecimal of odd length"};
    Buffer out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(text[i]);
        const int low = digit(text[i + 1]);
        if (high < 0 || low < 0) return Error{Errc::Invalid, "not lower-case hexadecimal"};
        out.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return out;
}

void ByteWriter::fixed(std::uint64_t v, int width) {
    for (int i = 0; i < width; ++i) out_->push_back(static_cast<std::uint8_t>(v >> (8 * i)));
}

void ByteWriter::varint(std::uint64_t v) {
    while (v >= 0x80) {
        out_->push_back(static_cast<std::uint8_t>(v | 0x80));
        v >>= 7;
    }
    out_->push_back(static_cast<std::uint8_t>(v));
}

void ByteWriter::svarint(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
}

void ByteWriter::blob(View v) {
    varint(v.size());
    bytes(v);
}

std::uint64_t ByteReader::fixed(int width) {
    const View raw = bytes(static_cast<std::size_t>(width));
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) v |= std::uint64_t{raw[i]} << (8 * i);
    return v;
}

std::uint64_t ByteReader::varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint8_t b = u8();
        if (!ok_) return 0;
        // The tenth byte has room for one bit only; a larger one would silently lose its top.
        if (shift == 63 && b > 1) break;
        v |= std::uint64_t{b & 0x7fu} << shift;
        if (b < 0x80) return v;
    }
    fail();
    return 0;
}

std::int64_t ByteReader::svarint() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
}

View ByteReader::bytes(std::size_t n) {
    if (n > rest_.size()) {
        fail();
        return {};
    }
    const View out = rest_.first(n);
    rest_ = rest_.subspan(n);
    return out;
}

View ByteReader::blob(std::size_t max) {
    const std::uint64_t n = varint();
    if (n > max) {
        fail();
        return {};
    }
    return bytes(static_cast<std::size_t>(n));
}

}  // namespace holdfast
