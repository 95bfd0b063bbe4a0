#include "vault/chunk/sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace holdfast::vault {

namespace {

using Histogram = std::array<std::uint32_t, 256>;

constexpr std::size_t window = 4096;
constexpr std::size_t windows = 3;
constexpr std::size_t reach = window + 4;  // An odd window, and the sample before its first.

// Where window number `part` (0, 1, 2) starts: even, so that it has the samples' alignment.
std::size_t window_at(View content, std::size_t part) {
    return (content.size() - reach) * (part + 1) / (windows + 1) / 2 * 2;
}

// How the neighbouring 16-bit samples of a window compare.
struct Neighbours {
    std::size_t equal = 0;
    std::size_t alike = 0;  // Equal, or different by less than the noise of a detector.
};

void compare_neighbours(const std::uint8_t* p, Neighbours& found) {
    constexpr std::uint16_t small = 1024;
    constexpr std::size_t block = 64;  // A constant, so that -O2 vectorises.
    for (std::size_t i = 0; i < window; i += 2 * block) {
        std::array<std::uint16_t, block + 1> s;
        std::memcpy(s.data(), p + i, sizeof s);
        std::uint16_t alike = 0;
        std::uint16_t equal = 0;
        for (std::size_t k = 0; k < block; ++k) {
            const auto d = static_cast<std::uint16_t>(s[k + 1] - s[k] + small);
            alike = static_cast<std::uint16_t>(alike + (d < 2 * small));
            equal = static_cast<std::uint16_t>(equal + (d == small));
        }
        found.alike += alike;
        found.equal += equal;
    }
}

// Of the samples that differ from the one before, 0.2 are alike in text, 0.9 in 12-bit images.
// Equal ones say nothing: runs of blanks and zeros have them too.
bool look_like_an_image(const Neighbours& found) {
    constexpr std::size_t samples = windows * window / 2;
    const std::size_t differ = samples - found.equal;
    return differ >= samples / 16 && 10 * (found.alike - found.equal) >= 6 * differ;
}

Filter guess_alignment(View content) {
    Neighbours even;
    Neighbours odd;
    for (std::size_t part = 0; part < windows; ++part) {
        const std::uint8_t* const p = content.data() + window_at(content, part);
        compare_neighbours(p, even);
        compare_neighbours(p + 1, odd);
    }
    if (!look_like_an_image(even.alike < odd.alike ? odd : even)) return Filter::None;
    return even.alike < odd.alike ? Filter::Delta16Odd : Filter::Delta16;
}

void count(View bytes, Histogram& histogram) {
    for (const std::uint8_t b : bytes) ++histogram[b];
}

// Bits that the counted bytes take when each value has its best code.
double entropy_bits(const Histogram& histogram) {
    double total = 0;
    double weighted = 0;
    for (const std::uint32_t n : histogram) {
        if (n == 0) continue;
        total += n;
        weighted += n * std::log2(n);
    }
    return total == 0 ? 0 : total * std::log2(total) - weighted;
}

}  // namespace

Filter choose_filter(View content) {
    if (content.size() < reach) return Filter::None;
    const Filter guess = guess_alignment(content);
    if (guess == Filter::None) return guess;

    constexpr std::size_t part_bytes = window / 2;
    const std::size_t odd = guess == Filter::Delta16Odd ? 1 : 0;
    Histogram plain{};
    Histogram low{};
    Histogram high{};
    std::array<std::uint8_t, part_bytes> filtered;
    for (std::size_t part = 0; part < windows; ++part) {
        const View here = content.subspan(window_at(content, part) + odd, part_bytes);
        apply_filter(Filter::Delta16, here, filtered);
        count(here, plain);
        count(View(filtered).first(part_bytes / 2), low);
        count(View(filtered).last(part_bytes / 2), high);
    }
    constexpr double margin = 0.9;  // What repetitions give zstd, and only in unfiltered bytes.
    const bool better = entropy_bits(low) + entropy_bits(high) < margin * entropy_bits(plain);
    return better ? guess : Filter::None;
}

bool looks_random(View content) {
    constexpr std::size_t pieces = 8;
    constexpr std::size_t piece = 256;
    if (content.size() < 16 << 10) return false;
    Histogram histogram{};
    const std::size_t step = (content.size() - piece) / (pieces - 1);
    for (std::size_t i = 0; i < pieces; ++i) count(content.subspan(i * step, piece), histogram);

    // The sum of squares of n random bytes is n + n^2/256, give or take a hundredth; of text it is
    // fifteen times that.
    constexpr std::uint64_t n = pieces * piece;
    constexpr std::uint64_t by_chance = n + n * n / 256;
    std::uint64_t squares = 0;
    for (const std::uint64_t c : histogram) squares += c * c;
    return squares < by_chance + by_chance / 10;
}

}  // namespace holdfast::vault
