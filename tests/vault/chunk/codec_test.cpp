#include "vault/chunk/codec.h"
#include "tests/vault/chunk/material.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

Buffer encode(View content, int level = compression_level_default) {
    Encoder encoder;
    Buffer plain;
    encoder.encode(content, {level}, plain);
    return plain;
}

Result<Buffer> decode(View plain, std::size_t content_length) {
    Decoder decoder;
    Buffer content;
    HF_TRY(decoder.decode(plain, content_length, content));
    return content;
}

void check_refused(View plain, std::size_t content_length) {
    const auto content = decode(plain, content_length);
    REQUIRE_FALSE(content);
    CHECK(content.error().code == Errc::Corrupt);
}

}  // namespace

TEST_CASE("content comes back as it was, of every kind and length", "[vault][chunk]") {
    Encoder encoder;  // One of each for all, as a worker has.
    Decoder decoder;
    const std::vector<Buffer> kinds{material::random_bytes(70000, 1), material::text(70000),
                                    material::image(70000, 0), material::image(70000, 1),
                                    Buffer(70000)};
    const std::vector<std::size_t> lengths{0,  1,  2,  3,    4,    5,    6,     7,
                                           8,  9,  10, 11,   12,   13,   14,    15,
                                           16, 17, 99, 4099, 4100, 4101, 65537, 70000};
    for (const Buffer& kind : kinds) {
        for (const std::size_t n : lengths) {
            Buffer plain;
            Buffer content;
            encoder.encode(View(kind).first(n), {}, plain);
            REQUIRE(plain.size() <= n + codec_header_bytes);
            REQUIRE(decoder.decode(plain, n, content));
            REQUIRE(std::equal(content.begin(), content.end(), kind.begin(),
                               kind.begin() + static_cast<std::ptrdiff_t>(n)));
        }
    }
}

TEST_CASE("the largest chunk passes, and a longer one is refused", "[vault][chunk]") {
    const Buffer content = material::text(chunk_bytes_max);
    const Buffer plain = encode(content);
    CHECK(*decode(plain, content.size()) == content);
    check_refused(plain, chunk_bytes_max + 1);
}

TEST_CASE("every level gives content that decodes", "[vault][chunk]") {
    const Buffer content = material::text(100000);
    for (const int level : {1, 2, 3, 9, 19})
        CHECK(*decode(encode(content, level), 100000) == content);
}

TEST_CASE("each kind of content gets the codec and filter that suit it", "[vault][chunk]") {
    const auto header = [](const Buffer& content) {
        const Buffer plain = encode(content);
        return std::pair<int, int>{plain[0], plain[1]};
    };
    CHECK(header(material::text(128 << 10)) == std::pair{1, 0});
    CHECK(header(material::image(128 << 10, 132)) == std::pair{1, 1});
    CHECK(header(material::image(128 << 10, 133)) == std::pair{1, 2});
    CHECK(header(material::random_bytes(128 << 10, 2)) == std::pair{0, 0});
    // Random bytes that repeat are worth compressing.
    Buffer twice = material::random_bytes(4 << 10, 3);
    for (int i = 0; i < 4; ++i) twice.insert(twice.end(), twice.begin(), twice.end());
    CHECK(header(twice) == std::pair{1, 0});
}

TEST_CASE("filtering leaves less than half of an image", "[vault][chunk]") {
    const Buffer content = material::image(128 << 10, 0);
    CHECK(encode(content).size() < content.size() * 45 / 100);
}

TEST_CASE("unknown codecs, unknown filters and wrong lengths are refused", "[vault][chunk]") {
    const Buffer content = material::text(5000);
    const Buffer good = encode(content);
    REQUIRE(good[0] == 1);

    for (const int codec : {2, 3, 255}) {
        Buffer bad = good;
        bad[0] = static_cast<std::uint8_t>(codec);
        check_refused(bad, content.size());
    }
    for (const int filter : {3, 4, 255}) {
        Buffer bad = good;
        bad[1] = static_cast<std::uint8_t>(filter);
        check_refused(bad, content.size());
    }
    check_refused(good, content.size() - 1);
    check_refused(good, content.size() + 1);
    check_refused(good, 0);
    check_refused({}, 0);
    check_refused(View(good).first(1), 0);
    check_refused(Buffer{0, 0, 1, 2, 3}, 2);
    check_refused(Buffer{0, 0, 1, 2, 3}, 4);
    CHECK(*decode(Buffer{0, 0, 1, 2, 3}, 3) == Buffer{1, 2, 3});
    CHECK(*decode(Buffer{0, 1, 2, 4, 3}, 3) == Buffer{1, 2, 3});
}

TEST_CASE("a payload is one zstd frame and nothing else", "[vault][chunk]") {
    const Buffer content = material::text(5000);
    const Buffer good = encode(content);
    Buffer bad = good;
    bad.push_back(0);
    check_refused(bad, content.size());

    bad = good;  // A second frame that adds nothing.
    const Buffer skippable{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
    bad.insert(bad.end(), skippable.begin(), skippable.end());
    check_refused(bad, content.size());

    bad = {1, 0};
    bad.insert(bad.end(), skippable.begin(), skippable.end());
    check_refused(bad, 0);
}

TEST_CASE("a damaged or cut payload is refused or gives the promised length", "[vault][chunk]") {
    Decoder decoder;
    for (const Buffer& content : {material::text(3000), material::image(9000, 1)}) {
        const Buffer good = encode(content);
        Buffer out;
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (const int flip : {1, 0x80, 0xff}) {
                Buffer bad = good;
                bad[i] = static_cast<std::uint8_t>(bad[i] ^ flip);
                const bool taken = bool(decoder.decode(bad, content.size(), out));
                REQUIRE(out.size() == (taken ? content.size() : 0));
            }
            REQUIRE_FALSE(decoder.decode(View(good).first(i), content.size(), out));
            REQUIRE(out.empty());
        }
    }
}
