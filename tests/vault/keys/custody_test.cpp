#include "vault/keys/custody.h"

#include "tests/vault/keys/trust.h"
#include "vault/crypto/hash.h"

using namespace holdfast;
using namespace holdfast::vault;
using test::Trust;

namespace {

struct Custodians {
    std::vector<BoxKey> keys;
    std::vector<Custodian> list;

    explicit Custodians(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            keys.push_back(BoxKey::make(system_random()));
            list.push_back(
                {"Dr " + std::string(1, static_cast<char>('A' + i)), keys.back().public_key});
        }
    }

    std::vector<OpenedShare> open(const ShareSet& set, std::initializer_list<std::size_t> who) {
        std::vector<OpenedShare> shares;
        for (const std::size_t i : who) {
            Result<OpenedShare> share = open_share(set, keys[i]);
            REQUIRE(share);
            shares.push_back(*std::move(share));
        }
        return shares;
    }
};

Buffer custody_of(const Trust& t, const Custodians& c, std::size_t threshold) {
    Result<Buffer> made =
        make_custody(t.roster, 1, t.recovery, c.list, threshold, t.first, test::now_ms);
    REQUIRE(made);
    return *std::move(made);
}

bool contains(const Error& error, std::string_view text) {
    return error.message.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("enough custodians give the recovery key back", "[vault][keys]") {
    const Trust t;
    Custodians c(5);
    const Result<Custody> custody = parse_custody(custody_of(t, c, 3), t.roster);
    REQUIRE(custody);
    CHECK(custody->time == test::now_ms);
    CHECK(custody->set.shares.size() == 5);
    const Result<BoxKey> key = recover(*custody, t.roster, c.open(custody->set, {4, 0, 2}));
    REQUIRE(key);
    CHECK(equal_in_constant_time(key->secret.view(), t.recovery.secret.view()));
    CHECK(recover(*custody, t.roster, c.open(custody->set, {0, 1, 2, 3, 4})));
}

TEST_CASE("one custodian too few opens nothing, and learns who may be asked", "[vault][keys]") {
    const Trust t;
    Custodians c(4);
    const Custody custody = *parse_custody(custody_of(t, c, 3), t.roster);
    const Result<BoxKey> two = recover(custody, t.roster, c.open(custody.set, {1, 3}));
    REQUIRE_FALSE(two);
    CHECK(two.error().code == Errc::Locked);
    CHECK(contains(two.error(), "2 of the 3"));
    CHECK(contains(two.error(), "Dr A, Dr C"));
    // The same share twice is one share.
    CHECK_FALSE(recover(custody, t.roster, c.open(custody.set, {1, 3, 1})));
}

TEST_CASE("a wrong share is named by its holder, and the others still count", "[vault][keys]") {
    const Trust t;
    Custodians c(4);
    const Custody custody = *parse_custody(custody_of(t, c, 2), t.roster);
    std::vector<OpenedShare> shares = c.open(custody.set, {0, 2});
    shares[0].share.bytes.data()[31] ^= 1;
    const Result<BoxKey> failed = recover(custody, t.roster, shares);
    REQUIRE_FALSE(failed);
    CHECK(contains(failed.error(), "share of Dr A (1) is not the one"));
    shares.push_back(std::move(c.open(custody.set, {3})[0]));
    CHECK(recover(custody, t.roster, shares));
}

TEST_CASE("a share of another trust, secret or number is not counted", "[vault][keys]") {
    const Trust t;
    const Trust other;
    Custodians c(3);
    const Custody custody = *parse_custody(custody_of(t, c, 2), t.roster);
    const Custody foreign = *parse_custody(custody_of(other, c, 2), other.roster);
    const std::vector<OpenedShare> wrong = c.open(foreign.set, {1});
    CHECK(check_share(custody.set, wrong[0]).error().code == Errc::Denied);
    std::vector<OpenedShare> own = c.open(custody.set, {1});
    CHECK(check_share(custody.set, own[0]));
    own[0].share.number = 9;
    CHECK(check_share(custody.set, own[0]).error().code == Errc::NotFound);
    own[0].share.number = 1;
    CHECK(check_share(custody.set, own[0]).error().code == Errc::Corrupt);
}

TEST_CASE("a custodian cannot open another's share", "[vault][keys]") {
    const Trust t;
    Custodians c(3);
    Custody custody = *parse_custody(custody_of(t, c, 2), t.roster);
    CHECK(open_share(custody.set, t.recovery).error().code == Errc::NotFound);
    std::swap(custody.set.shares[0].wrapped, custody.set.shares[1].wrapped);
    CHECK(open_share(custody.set, c.keys[0]).error().code == Errc::Corrupt);
}

TEST_CASE("a custody record with any one byte changed is refused", "[vault][keys]") {
    const Trust t;
    const Buffer good = custody_of(t, Custodians(2), 2);
    for (std::size_t i = 0; i < good.size(); ++i) {
        Buffer bad = good;
        bad[i] ^= 0x08;
        INFO("byte " << i);
        CHECK_FALSE(parse_custody(bad, t.roster));
    }
    CHECK(parse_custody(good, Trust().roster).error().code == Errc::Denied);
}

TEST_CASE("custody is not made of impossible numbers or doubled custodians", "[vault][keys]") {
    const Trust t;
    Custodians c(3);
    const auto made = [&](std::size_t threshold) {
        return make_custody(t.roster, 1, t.recovery, c.list, threshold, t.first, test::now_ms);
    };
    CHECK(made(1).error().code == Errc::Invalid);
    CHECK(made(4).error().code == Errc::Invalid);
    c.list[2] = c.list[0];
    CHECK(made(2).error().code == Errc::Invalid);
    const BoxKey other = BoxKey::make(system_random());
    CHECK_FALSE(make_custody(t.roster, 1, other, Custodians(3).list, 2, t.first, test::now_ms));
}

TEST_CASE("a share travels to one node, and not altered", "[vault][keys]") {
    const Trust t;
    Custodians c(2);
    const Custody custody = *parse_custody(custody_of(t, c, 2), t.roster);
    std::vector<OpenedShare> arrived;
    for (const OpenedShare& share : c.open(custody.set, {0, 1})) {
        const Buffer handed = hand_over(share, t.box.public_key);
        Result<OpenedShare> received = receive_share(handed, t.box);
        REQUIRE(received);
        arrived.push_back(*std::move(received));
        CHECK_FALSE(receive_share(handed, t.recovery));
        for (std::size_t i = 0; i < handed.size(); ++i) {
            Buffer bad = handed;
            bad[i] ^= 0x20;
            CHECK_FALSE(receive_share(bad, t.box));
            CHECK_FALSE(receive_share(View(handed).first(i), t.box));
        }
    }
    CHECK(recover(custody, t.roster, arrived));
}

TEST_CASE("shares of an old custody do not pass for a new recovery key", "[vault][keys]") {
    const Trust t;
    Custodians c(2);
    const Custody old = *parse_custody(custody_of(t, c, 2), t.roster);
    const BoxKey fresh = BoxKey::make(system_random());
    const Roster rotated =
        *parse_roster(t.next(t.first, [&](Roster& r) { r.recovery_key = fresh.public_key; }));
    CHECK(recover(old, rotated, c.open(old.set, {0, 1})).error().code == Errc::Denied);
}
