#include "agent/mount/frame.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace holdfast::agent {
namespace {

constexpr std::array<std::uint8_t, 4> magic{'H', 'F', 'j', '1'};
constexpr std::size_t checked_head_bytes = 16;

constexpr std::array<std::uint64_t, 256> make_crc_table() {
    constexpr std::uint64_t polynomial = 0xc96c5795d7870f42;  // ECMA-182, reflected, as in XZ.
    std::array<std::uint64_t, 256> table{};
    for (std::uint64_t i = 0; i < table.size(); ++i) {
        std::uint64_t v = i;
        for (int bit = 0; bit < 8; ++bit) v = (v & 1) != 0 ? (v >> 1) ^ polynomial : v >> 1;
        table[i] = v;
    }
    return table;
}
constexpr auto crc_table = make_crc_table();

std::uint64_t crc64(View a, View b) {
    std::uint64_t crc = ~std::uint64_t{0};
    for (const View part : {a, b}) {
        for (const std::uint8_t byte : part) crc = crc_table[(crc ^ byte) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

struct Head {
    std::uint64_t payload_bytes;
    std::uint64_t number;
    std::uint64_t crc;
};

std::optional<Head> head_at(View bytes) {
    if (bytes.size() < frame_head_bytes) return std::nullopt;
    if (!std::equal(magic.begin(), magic.end(), bytes.begin())) return std::nullopt;
    ByteReader in(bytes.subspan(magic.size(), frame_head_bytes - magic.size()));
    const Head head{in.u32(), in.u64(), in.u64()};
    if (head.payload_bytes > bytes.size() - frame_head_bytes) return std::nullopt;
    return head;
}

std::optional<View> checked(View bytes, const Head& head) {
    const View payload = bytes.subspan(frame_head_bytes, head.payload_bytes);
    if (crc64(bytes.first(checked_head_bytes), payload) != head.crc) return std::nullopt;
    return payload;
}

}  // namespace

void append_frame(Buffer& out, std::uint64_t number, View payload) {
    HF_ASSERT(payload.size() <= frame_payload_bytes_max);
    const std::size_t start = out.size();
    ByteWriter to(out);
    to.bytes(magic);
    to.u32(static_cast<std::uint32_t>(payload.size()));
    to.u64(number);
    to.u64(crc64(View(out).subspan(start, checked_head_bytes), payload));
    to.bytes(payload);
}

std::optional<View> frame_at(View bytes, std::uint64_t number) {
    const std::optional<Head> head = head_at(bytes);
    if (!head || head->number != number) return std::nullopt;
    return checked(bytes, *head);
}

bool later_frame_in(View bytes, std::uint64_t number) {
    auto at = bytes.begin();
    for (;;) {
        at = std::search(at, bytes.end(), magic.begin(), magic.end());
        if (at == bytes.end()) return false;
        const View rest = bytes.subspan(static_cast<std::size_t>(at - bytes.begin()));
        const std::optional<Head> head = head_at(rest);
        if (head && head->number > number && checked(rest, *head)) return true;
        ++at;
    }
}

}  // namespace holdfast::agent
