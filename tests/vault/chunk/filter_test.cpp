#include "vault/chunk/filter.h"
#include "tests/vault/chunk/material.h"
#include "vault/chunk/sample.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;

TEST_CASE("undoing a filter gives back the content, whatever its length", "[vault][chunk]") {
    const Buffer bytes = material::random_bytes(5000, 1);
    for (const Filter filter : {Filter::None, Filter::Delta16, Filter::Delta16Odd}) {
        for (std::size_t n = 0; n <= bytes.size(); n = n < 600 ? n + 1 : n + 977) {
            const Buffer content(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
            Buffer filtered(n);
            Buffer back(n);
            apply_filter(filter, content, filtered);
            undo_filter(filter, filtered, back);
            REQUIRE(back == content);
        }
    }
}

TEST_CASE("filter bytes are those of the format", "[vault][chunk]") {
    // Samples 0x0102, 0x0101, 0x0300 and an odd byte: differences 0x0102, -1, 0x01ff; folded
    // 0x0204, 1, 0x03fe.
    const Buffer content{0x02, 0x01, 0x01, 0x01, 0x00, 0x03, 0x77};
    Buffer filtered(content.size());
    apply_filter(Filter::Delta16, content, filtered);
    CHECK(filtered == Buffer{0x04, 0x01, 0xfe, 0x02, 0x00, 0x03, 0x77});

    const Buffer behind_a_byte{0x99, 0x02, 0x01, 0x01, 0x01, 0x00, 0x03};
    apply_filter(Filter::Delta16Odd, behind_a_byte, filtered);
    CHECK(filtered == Buffer{0x99, 0x04, 0x01, 0xfe, 0x02, 0x00, 0x03});
}

TEST_CASE("images are filtered in their alignment, all else is left alone", "[vault][chunk]") {
    CHECK(choose_filter(material::image(128 << 10, 132)) == Filter::Delta16);
    CHECK(choose_filter(material::image(128 << 10, 133)) == Filter::Delta16Odd);
    CHECK(choose_filter(material::image((128 << 10) + 1, 132)) == Filter::Delta16);
    CHECK(choose_filter(material::text(128 << 10)) == Filter::None);
    CHECK(choose_filter(material::random_bytes(128 << 10, 2)) == Filter::None);
    CHECK(choose_filter(Buffer(128 << 10)) == Filter::None);
    CHECK(choose_filter({}) == Filter::None);
    CHECK(choose_filter(material::image(4000, 0)) == Filter::None);
    CHECK(choose_filter(material::image(4100, 0)) == Filter::Delta16);
}

TEST_CASE("only bytes without a commoner value look random", "[vault][chunk]") {
    CHECK(looks_random(material::random_bytes(128 << 10, 3)));
    CHECK_FALSE(looks_random(material::random_bytes(1 << 10, 3)));
    CHECK_FALSE(looks_random(material::text(128 << 10)));
    CHECK_FALSE(looks_random(material::image(128 << 10, 0)));
    CHECK_FALSE(looks_random(Buffer(128 << 10)));
}
