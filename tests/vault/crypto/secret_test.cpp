// Secrets: small ones share locked memory, and still are apart, zero at first, and wiped.
#include "vault/crypto/secret.h"

#include "vault/crypto/secret_memory.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace holdfast;
using namespace holdfast::vault;

TEST_CASE("secrets do not overlap, whatever their sizes", "[secret]") {
    std::vector<Secret> secrets;
    for (std::size_t i = 0; i < 1200; ++i) {
        const std::size_t size = i % 70;  // Some have memory of their own.
        secrets.emplace_back(size);
        const View bytes = secrets.back().view();
        REQUIRE(std::all_of(bytes.begin(), bytes.end(), [](auto byte) { return byte == 0; }));
        std::fill_n(secrets.back().data(), size, static_cast<std::uint8_t>(i));
    }
    for (std::size_t i = 0; i < secrets.size(); ++i) {
        const View bytes = secrets[i].view();
        REQUIRE(std::all_of(bytes.begin(), bytes.end(),
                            [&](auto byte) { return byte == static_cast<std::uint8_t>(i); }));
    }
}

TEST_CASE("memory that is given back is wiped before it is given out again", "[secret]") {
    std::uint8_t* const piece = allocate_secret(64);
    REQUIRE(piece != nullptr);
    std::fill_n(piece, 64, std::uint8_t{0xA5});
    release_secret(piece);  // It stays mapped: a slab lives as long as the process.
    CHECK(std::all_of(piece, piece + 64, [](auto byte) { return byte == 0; }));
    CHECK(allocate_secret(1) == piece);
    release_secret(piece);
    release_secret(nullptr);
}

TEST_CASE("threads take and give secrets at once", "[secret]") {
    std::vector<std::thread> threads;
    std::atomic<bool> mixed{false};
    for (std::uint8_t mark = 1; mark <= 4; ++mark) {
        threads.emplace_back([mark, &mixed] {
            for (int round = 0; round < 2000; ++round) {
                Secret secret(32);
                std::fill_n(secret.data(), 32, mark);
                const View bytes = secret.view();
                const auto ours = [&](std::uint8_t byte) { return byte == mark; };
                if (!std::all_of(bytes.begin(), bytes.end(), ours)) mixed = true;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK_FALSE(mixed);
}
