// What a host could learn from what is asked of it: the ranges of packs.
#include "replicator/peer/partner_store.h"
#include "tests/harness/scratch_folder.h"
#include "tests/replicator/http/http_fixture.h"
#include "vault/crypto/merkle.h"
#include "vault/pack/pack_writer.h"

#include <catch2/catch.hpp>

#include <mutex>
#include <random>
#include <set>

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

constexpr std::uint64_t block_leaves = 16;  // PartnerStoreSettings::read_ahead_leaves.

/// A host of one pack that writes down what it is asked for.
struct CuriousHost {
    std::string pack = holdfast::test::random_bytes(10'000'000, 1);
    std::vector<Digest> leaves = vault::merkle_leaves_of_file(as_view(pack));
    PackId id = vault::pack_id_of(as_view(pack));
    Site site;
    std::mutex mutex;
    std::vector<std::string> asked;

    CuriousHost() {
        Router router;
        router.on(
            "GET", "/objects/{name...}", [this](const HttpRequest& request, Responder respond) {
                const std::string* const range = request.query_value("leaves");
                if (range == nullptr)
                    return respond.fail(400, "invalid", "leaves are what is asked for");
                {
                    const std::lock_guard lock(mutex);
                    asked.push_back(*range);
                }
                respond.send({200, {{"content-type", "application/octet-stream"}}, answer(*range)});
            });
        site.serve(std::move(router));
    }

    Buffer answer(const std::string& range) const {
        const std::uint64_t first = std::stoull(range);
        const std::uint64_t last = std::stoull(range.substr(range.find('-') + 1));
        const vault::MerkleProof proof = vault::prove_range(leaves, first, last - first + 1);
        Buffer out;
        ByteWriter writer(out);
        writer.u64(pack.size());
        writer.bytes(vault::merkle_root(leaves).view());
        writer.u16(static_cast<std::uint16_t>(proof.size()));
        for (const Digest& hash : proof) writer.bytes(hash.view());
        const std::uint64_t from = first * vault::merkle_leaf_bytes;
        writer.bytes(as_view(pack).subspan(
            from,
            std::min<std::uint64_t>((last + 1) * vault::merkle_leaf_bytes, pack.size()) - from));
        return out;
    }

    /// Reads [at, at + length) pieces; answers what the host was asked for meanwhile.
    std::vector<std::string> read(
        const std::vector<std::pair<std::uint64_t, std::uint64_t>>& pieces) {
        asked.clear();
        PartnerStoreSettings settings;
        settings.peer = site.peer();
        settings.path = "/objects";
        settings.identity = &site.client_identity;
        auto store = PartnerStore::make(std::move(settings));
        REQUIRE(store);
        bool all_right = true;
        site.meanwhile([&] {
            for (const auto& [at, length] : pieces) {
                const auto got = (*store)->get(vault::pack_name(id), at, length);
                all_right = all_right && got && as_text(*got) == pack.substr(at, length);
            }
        });
        CHECK(all_right);
        return asked;
    }
};

/// The pack from end to end in chunks that another secret would cut.
std::vector<std::pair<std::uint64_t, std::uint64_t>> cut(std::size_t bytes, unsigned secret) {
    std::mt19937 random(secret);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces;
    for (std::uint64_t at = 0; at < bytes;) {
        const std::uint64_t length =
            std::min<std::uint64_t>(32'768 + random() % 491'520, bytes - at);
        pieces.emplace_back(at, length);
        at += length;
    }
    return pieces;
}

}  // namespace

TEST_CASE("a restore asks a host the same however its file is cut", "[peer][leakage]") {
    CuriousHost host;
    std::set<std::vector<std::string>> told;
    for (unsigned secret = 0; secret < 8; ++secret) {
        told.insert(host.read(cut(host.pack.size(), secret)));
    }
    REQUIRE(told.size() == 1);
    CHECK(told.begin()->size() == 1 + (host.leaves.size() + block_leaves - 1) / block_leaves);
}

TEST_CASE("one chunk is asked for in blocks that do not fit it", "[peer][leakage]") {
    CuriousHost host;
    std::mt19937 random(1);
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t at = random() % (host.pack.size() - 600'000);
        for (const std::string& range : host.read({{at, 1 + random() % 500'000}})) {
            INFO(range);
            const std::uint64_t first = std::stoull(range);
            const std::uint64_t last = std::stoull(range.substr(range.find('-') + 1));
            if (first == 0 && last == 0) continue;  // For the pack's length.
            CHECK(first % block_leaves == 0);
            CHECK((last % block_leaves == block_leaves - 1 || last == host.leaves.size() - 1));
        }
    }
}
