#include "vault/chunk/filter.h"

#include "vault/base/assert.h"

#include <algorithm>
#include <array>

namespace holdfast::vault {

namespace {

// Inner loops run over this many samples, a constant: the compiler then vectorises them at -O2.
constexpr std::size_t filter_block = 64;

std::uint16_t sample_at(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] | p[1] << 8);
}

// Folds the sign into the lowest bit: 0, -1, 1, -2 become 0, 1, 2, 3. Small differences of either
// sign then share one high byte, zero, which is most of what the filter gains.
std::uint16_t fold(std::uint16_t d) {
    return static_cast<std::uint16_t>(d << 1 ^ -(d >> 15));
}

std::uint16_t unfold(std::uint16_t z) {
    return static_cast<std::uint16_t>(z >> 1 ^ -(z & 1));
}

void delta_block(const std::uint8_t* in, std::uint16_t before, std::uint8_t* low,
                 std::uint8_t* high) {
    std::array<std::uint16_t, filter_block + 1> s;
    s[0] = before;
    for (std::size_t i = 0; i < filter_block; ++i) s[i + 1] = sample_at(in + 2 * i);
    for (std::size_t i = 0; i < filter_block; ++i) {
        const std::uint16_t d = fold(static_cast<std::uint16_t>(s[i + 1] - s[i]));
        low[i] = static_cast<std::uint8_t>(d);
        high[i] = static_cast<std::uint8_t>(d >> 8);
    }
}

void split(View in, std::uint8_t* out) {
    const std::size_t samples = in.size() / 2;
    std::uint8_t* const low = out;
    std::uint8_t* const high = out + samples;
    std::uint16_t before = 0;
    std::size_t i = 0;
    for (; i + filter_block <= samples; i += filter_block) {
        delta_block(in.data() + 2 * i, before, low + i, high + i);
        before = sample_at(in.data() + 2 * (i + filter_block - 1));
    }
    for (; i < samples; ++i) {
        const std::uint16_t s = sample_at(in.data() + 2 * i);
        const std::uint16_t d = fold(static_cast<std::uint16_t>(s - before));
        low[i] = static_cast<std::uint8_t>(d);
        high[i] = static_cast<std::uint8_t>(d >> 8);
        before = s;
    }
    if (in.size() % 2 != 0) out[in.size() - 1] = in.back();
}

void join(View in, std::uint8_t* out) {
    const std::size_t samples = in.size() / 2;
    const std::uint8_t* const low = in.data();
    const std::uint8_t* const high = in.data() + samples;
    std::uint16_t s = 0;
    for (std::size_t i = 0; i < samples; ++i) {
        const auto z = static_cast<std::uint16_t>(low[i] | high[i] << 8);
        s = static_cast<std::uint16_t>(s + unfold(z));
        out[2 * i] = static_cast<std::uint8_t>(s);
        out[2 * i + 1] = static_cast<std::uint8_t>(s >> 8);
    }
    if (in.size() % 2 != 0) out[in.size() - 1] = in.back();
}

}  // namespace

void apply_filter(Filter filter, View content, std::span<std::uint8_t> out) {
    HF_ASSERT(out.size() == content.size());
    if (content.empty()) return;
    switch (filter) {
        case Filter::None:
            std::copy(content.begin(), content.end(), out.begin());
            return;
        case Filter::Delta16:
            split(content, out.data());
            return;
        case Filter::Delta16Odd:
            out[0] = content[0];
            split(content.subspan(1), out.data() + 1);
            return;
    }
}

void undo_filter(Filter filter, View filtered, std::span<std::uint8_t> out) {
    HF_ASSERT(out.size() == filtered.size());
    if (filtered.empty()) return;
    switch (filter) {
        case Filter::None:
            std::copy(filtered.begin(), filtered.end(), out.begin());
            return;
        case Filter::Delta16:
            join(filtered, out.data());
            return;
        case Filter::Delta16Odd:
            out[0] = filtered[0];
            join(filtered.subspan(1), out.data() + 1);
            return;
    }
}

}  // namespace holdfast::vault
