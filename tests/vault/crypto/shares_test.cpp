#include "vault/crypto/shares.h"

#include "tests/vault/crypto/same.h"
#include "vault/crypto/hash.h"

#include <catch2/catch.hpp>

#include <set>

using namespace holdfast;
using namespace holdfast::vault;
using test::same;

namespace {

// GF(2⁸) modulo 0x11d, written from docs/vault-format.md alone: no tables, no libgfshare.
std::uint8_t times(std::uint8_t a, std::uint8_t b) {
    unsigned product = 0;
    for (unsigned i = 0; i < 8; ++i) {
        if ((b >> i & 1) != 0) product ^= unsigned{a} << i;
    }
    for (unsigned i = 15; i >= 8; --i) {
        if ((product >> i & 1) != 0) product ^= 0x11dU << (i - 8);
    }
    return static_cast<std::uint8_t>(product);
}

std::uint8_t inverse(std::uint8_t a) {
    std::uint8_t power = 1;
    for (int i = 0; i < 254; ++i) power = times(power, a);
    return power;
}

// Lagrange interpolation at 0.
Secret interpolate(const std::vector<const Share*>& shares) {
    Secret out(share_bytes);
    for (const Share* one : shares) {
        std::uint8_t weight = 1;
        for (const Share* other : shares) {
            if (other == one) continue;
            const auto difference = static_cast<std::uint8_t>(other->number ^ one->number);
            weight = times(weight, times(other->number, inverse(difference)));
        }
        for (std::size_t i = 0; i < share_bytes; ++i) {
            out.data()[i] ^= times(weight, one->bytes.view()[i]);
        }
    }
    return out;
}

// A share computed term by term: secret + c1 x + c2 x² + …
Share evaluate(const Secret& secret, const std::vector<Secret>& coefficients, std::uint8_t x) {
    Share share{x, secret.clone()};
    std::uint8_t power = 1;
    for (const Secret& coefficient : coefficients) {
        power = times(power, x);
        for (std::size_t i = 0; i < share_bytes; ++i) {
            share.bytes.data()[i] ^= times(coefficient.view()[i], power);
        }
    }
    return share;
}

Share copy(const Share& share) {
    return {share.number, share.bytes.clone()};
}

}  // namespace

TEST_CASE("any three of five shares give the secret, by libgfshare and by the format's text",
          "[vault][crypto]") {
    const Secret secret = Secret::random(share_bytes);
    const std::vector<Share> shares = *split_secret(secret, 5, 3);
    REQUIRE(shares.size() == 5);
    for (std::size_t a = 0; a < 5; ++a) {
        for (std::size_t b = a + 1; b < 5; ++b) {
            for (std::size_t c = b + 1; c < 5; ++c) {
                std::vector<Share> three;
                for (const std::size_t i : {c, a, b}) three.push_back(copy(shares[i]));
                CHECK(same(*combine_shares(three), secret));
                CHECK(same(interpolate({&shares[a], &shares[b], &shares[c]}), secret));
            }
        }
    }
    std::vector<Share> all;
    for (const Share& one : shares) all.push_back(copy(one));
    CHECK(same(*combine_shares(all), secret));
}

TEST_CASE("shares written from the format's text are combined by libgfshare", "[vault][crypto]") {
    const Secret secret = Secret::random(share_bytes);
    for (std::size_t threshold = 2; threshold <= 6; ++threshold) {
        std::vector<Secret> coefficients;
        for (std::size_t i = 1; i < threshold; ++i) {
            coefficients.push_back(Secret::random(share_bytes));
        }
        std::vector<Share> shares;
        for (std::size_t i = 0; i < threshold; ++i) {
            shares.push_back(
                evaluate(secret, coefficients, static_cast<std::uint8_t>(255 - 37 * i)));
        }
        CHECK(same(*combine_shares(shares), secret));
    }
}

TEST_CASE("one share less than the threshold gives something else", "[vault][crypto]") {
    const Secret secret = Secret::random(share_bytes);
    const std::vector<Share> shares = *split_secret(secret, 4, 3);
    std::vector<Share> two;
    two.push_back(copy(shares[0]));
    two.push_back(copy(shares[3]));
    CHECK_FALSE(same(*combine_shares(two), secret));
}

TEST_CASE("the same secret is split differently each time", "[vault][crypto]") {
    const Secret secret(share_bytes);
    std::set<std::string> seen;
    for (int i = 0; i < 50; ++i) {
        const std::vector<Share> shares = *split_secret(secret, 2, 2);
        for (const Share& one : shares) CHECK(seen.insert(to_hex(one.bytes.view())).second);
    }
}

TEST_CASE("all sizes up to the limit work, and no others", "[vault][crypto]") {
    const Secret secret = Secret::random(share_bytes);
    const std::vector<Share> most = *split_secret(secret, shares_max, shares_max);
    CHECK(same(*combine_shares(most), secret));
    CHECK_FALSE(split_secret(secret, shares_max + 1, 2));
    CHECK_FALSE(split_secret(secret, 3, 4));
    CHECK_FALSE(split_secret(secret, 3, 1));
    CHECK_FALSE(split_secret(secret, 0, 0));
}

TEST_CASE("what cannot be combined is refused", "[vault][crypto]") {
    std::vector<Share> shares = *split_secret(Secret::random(share_bytes), 3, 2);
    CHECK_FALSE(combine_shares({}));
    shares[1].number = shares[0].number;
    CHECK(combine_shares(shares).error().code == Errc::Invalid);
    shares[1].number = 0;
    CHECK_FALSE(combine_shares(shares));
    shares[1] = {2, Secret(31)};
    CHECK_FALSE(combine_shares(shares));
}
