#include "tests/vault/test_vault.h"
#include "vault/base/file.h"

#include <filesystem>

using namespace holdfast;
using namespace holdfast::vault;
using namespace holdfast::test;

namespace {

namespace fs = std::filesystem;

/// A vault with an opening entry and three snapshots in one chain.
struct Chained : TestVault {
    Chained() {
        const auto vault = open();
        for (int i = 0; i < 3; ++i) {
            clock.wall += 1000;
            records.push_back(snapshot(*vault, {{"a", "version " + std::to_string(i)}}));
        }
        chain = vault->chain().id();
        head = vault->reader().ledger().chain(chain)->head();
    }
    std::string entry(std::uint64_t number) const { return path(entry_name(chain, number)); }

    /// The node goes on, in a new chain that names `after`; `readable` snapshots are still there.
    void check_goes_on(const ChainHead& after, std::size_t readable, const std::string& named) {
        const auto vault = open();
        const auto warning = vault->chain().make_sound();
        REQUIRE(warning);
        REQUIRE(*warning);
        CHECK((*warning)->find(chain.brief()) != std::string::npos);
        CHECK(vault->chain().id() != chain);
        clock.wall += 1000;
        const SnapshotRecord added = snapshot(*vault, {{"a", "goes on"}});
        CHECK(added.chain == vault->chain().id());
        CHECK(added.number == 1);
        const auto opening = vault->reader().ledger().entries().at(added.chain).front();
        const auto body = open_body(opening, vault->keys());
        REQUIRE(body);
        const auto parsed = parse_open_body(*body, after.trust);
        REQUIRE(parsed);
        REQUIRE(*parsed);
        CHECK((*parsed)->after == after);
        check_later(readable, named);
    }

    /// Another process, later: older snapshots are whole, the damage is named, nothing more opens.
    void check_later(std::size_t readable, const std::string& named) {
        const auto vault = open();
        const auto& all = vault->reader().snapshots();
        REQUIRE(all.size() == readable + 1);
        for (std::size_t i = 0; i < readable; ++i) {
            CHECK(all[i].id == records[i].id);
            CHECK(vault->reader().manifest(all[i]));
        }
        const auto sound = vault->chain().make_sound();
        REQUIRE(sound);
        CHECK_FALSE(*sound);
        const VerifyReport report = verify(*vault);
        REQUIRE(report.damage.size() == 1);
        CHECK(report.damage[0].object == "ledger/" + chain.hex());
        CHECK(report.damage[0].what.find(named) != std::string::npos);
    }

    std::vector<SnapshotRecord> records;
    ChainId chain;
    ChainHead head;
};

void flip_last_byte(const std::string& path) {
    auto bytes = read_file(path, 1 << 20);
    REQUIRE(bytes);
    bytes->back() ^= 1;
    REQUIRE(write_file_durably(path, *bytes));
}

}  // namespace

TEST_CASE("a node whose chain is sound goes on with it", "[vault][chain]") {
    Chained node;
    const auto vault = node.open();
    const auto sound = vault->chain().make_sound();
    REQUIRE(sound);
    CHECK_FALSE(*sound);
    CHECK(node.snapshot(*vault, {{"a", "next"}}).number == 4);
    CHECK(node.verify(*vault).clean());
}

TEST_CASE("a damaged last entry: the node goes on in a new chain that names the head", "[vault]") {
    Chained node;
    flip_last_byte(node.entry(3));
    node.check_goes_on(node.head, 2, "another entry's body");
}

TEST_CASE("last entries are gone: the node goes on in a new chain that names them", "[vault]") {
    Chained node;
    fs::remove(node.entry(3));
    fs::remove(node.entry(2));
    node.check_goes_on(node.head, 1, "entries 2 to 3 are missing");
}

TEST_CASE("a whole chain is gone: the node goes on in a new one", "[vault]") {
    Chained node;
    fs::remove_all(node.path("ledger/" + node.chain.hex()));
    node.check_goes_on(node.head, 0, "entries 0 to 3 are missing");
}

TEST_CASE("an entry in the middle is gone: what stands before it is kept", "[vault]") {
    Chained node;
    fs::remove(node.entry(2));
    node.check_goes_on(node.head, 1, "entries 2 to 3 are missing");
}

TEST_CASE("looking at a damaged chain changes nothing, and verify names the damage", "[vault]") {
    Chained node;
    fs::remove(node.entry(3));
    const auto vault = node.open();
    const VerifyReport report = node.verify(*vault);
    REQUIRE(report.damage.size() == 1);
    CHECK(report.damage[0].what.find("gone from number 3") != std::string::npos);
    CHECK(vault->chain().id() == node.chain);
    CHECK(vault->reader().ledger().heads().size() == 1);
}

TEST_CASE("a vault that was put back with its state is found by what a witness knows", "[vault]") {
    Chained node;
    const std::string old = node.places().state + "/chain";
    fs::remove(node.entry(3));
    REQUIRE(write_file_durably(old, as_view(node.chain.hex())));  // No head is remembered.
    const auto vault = node.open();
    CHECK(vault->chain().damage().empty());
    const auto warning = vault->chain().make_sound(&node.head);
    REQUIRE(warning);
    REQUIRE(*warning);
    node.snapshot(*vault, {{"a", "goes on"}});
    node.check_later(2, "entries 3 to 3 are missing");
}

TEST_CASE("what a witness knows and the vault has is no reason for a new chain", "[vault]") {
    Chained node;
    const auto vault = node.open();
    const auto sound = vault->chain().make_sound(&node.head);
    REQUIRE(sound);
    CHECK_FALSE(*sound);
}

TEST_CASE("what another process writes between two looks is no damage", "[vault][chain]") {
    Chained node;
    const auto vault = node.open();
    node.snapshot(*node.open(), {{"a", "by another process"}});
    OwnChain chain({&vault->reader(), &vault->roster(), &vault->node().ledger, &node.clock,
                    &system_random(), node.places().state});
    REQUIRE(chain.load());
    CHECK(chain.damage().empty());
    CHECK(chain.id() == node.chain);
}

TEST_CASE("a damaged state/chain is told with its path", "[vault]") {
    Chained node;
    const std::string path = node.places().state + "/chain";
    REQUIRE(write_file_durably(path, as_view(node.chain.hex() + " 12x")));
    OwnChain chain({nullptr, nullptr, nullptr, nullptr, nullptr, node.places().state});
    const auto loaded = chain.load();
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Errc::Corrupt);
    CHECK(loaded.error().message.find(path) == 0);
}
