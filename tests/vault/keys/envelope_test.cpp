#include "vault/keys/envelope.h"

#include "tests/vault/keys/trust.h"
#include "vault/crypto/hash.h"

using namespace holdfast;
using namespace holdfast::vault;
using test::now_ms;
using test::Trust;

namespace {

struct Agreement {
    Trust owner;
    Trust host;
    BoxKey opening = BoxKey::make(system_random());
    std::vector<BoxKey> keys;
    std::vector<Custodian> custodians;
    DomainId domain = system_random().id<DomainId>();

    Agreement() {
        for (const char* name : {"Dr A", "Dr B", "Dr C"}) {
            keys.push_back(BoxKey::make(system_random()));
            custodians.push_back({name, keys.back().public_key});
        }
    }

    Buffer envelope() const {
        const EnvelopeFor what{owner.id, domain, "epr", host.id, host.box.public_key, 4};
        Result<Buffer> made =
            make_envelope(what, opening, custodians, 2, owner.ledger, now_ms, system_random());
        REQUIRE(made);
        return *std::move(made);
    }

    SystemEnvelope parsed() const {
        Result<SystemEnvelope> read = parse_envelope(envelope(), host.id, owner.roster);
        REQUIRE(read);
        return *std::move(read);
    }

    std::vector<OpenedShare> shares(const SystemEnvelope& of, std::size_t count) const {
        std::vector<OpenedShare> opened;
        for (std::size_t i = 0; i < count; ++i) opened.push_back(*open_share(of.set, keys[i]));
        return opened;
    }
};

}  // namespace

TEST_CASE("a host with enough custodians opens the domain when the owner is gone",
          "[vault][keys]") {
    const Agreement a;
    const SystemEnvelope envelope = a.parsed();
    CHECK(envelope.system == "epr");
    CHECK(envelope.domain == a.domain);
    CHECK(envelope.number == 4);
    CHECK(envelope.set.threshold == 2);
    const Result<BoxKey> key = open_envelope(envelope, a.host.box, a.shares(envelope, 2));
    REQUIRE(key);
    CHECK(equal_in_constant_time(key->secret.view(), a.opening.secret.view()));
}

TEST_CASE("an envelope stays shut for the host alone and for the custodians alone",
          "[vault][keys]") {
    const Agreement a;
    const SystemEnvelope envelope = a.parsed();
    CHECK(open_envelope(envelope, a.host.box, {}).error().code == Errc::Locked);
    CHECK(open_envelope(envelope, a.host.box, a.shares(envelope, 1)).error().code == Errc::Locked);
    CHECK(open_envelope(envelope, a.owner.box, a.shares(envelope, 3)).error().code ==
          Errc::Corrupt);
}

TEST_CASE("shares of one envelope do not open another", "[vault][keys]") {
    const Agreement a;
    const SystemEnvelope one = a.parsed();
    const SystemEnvelope two = a.parsed();
    CHECK_FALSE(open_envelope(one, a.host.box, a.shares(two, 3)));
}

TEST_CASE("an envelope with any one byte changed, or for another host, is refused",
          "[vault][keys]") {
    const Agreement a;
    const Buffer good = a.envelope();
    for (std::size_t i = 0; i < good.size(); ++i) {
        Buffer bad = good;
        bad[i] ^= 0x01;
        INFO("byte " << i);
        CHECK_FALSE(parse_envelope(bad, a.host.id, a.owner.roster));
    }
    CHECK(parse_envelope(good, a.owner.id, a.owner.roster).error().code == Errc::Denied);
    CHECK(parse_envelope(good, a.host.id, a.host.roster).error().code == Errc::Denied);
}

TEST_CASE("an envelope that a revoked node signed is refused", "[vault][keys]") {
    const Agreement a;
    const Roster revoked = *parse_roster(
        a.owner.next(a.owner.first, [](Roster& r) { r.nodes[0].state = NodeState::Revoked; }));
    CHECK(parse_envelope(a.envelope(), a.host.id, revoked).error().code == Errc::Denied);
}

TEST_CASE("an envelope told to be for another system or domain does not open", "[vault][keys]") {
    const Agreement a;
    const SystemEnvelope good = a.parsed();
    SystemEnvelope bad = good;
    bad.system = "pacs";
    CHECK_FALSE(open_envelope(bad, a.host.box, a.shares(good, 2)));
    bad = good;
    bad.domain = system_random().id<DomainId>();
    CHECK_FALSE(open_envelope(bad, a.host.box, a.shares(good, 2)));
    bad = good;
    bad.opening_key = a.host.box.public_key;
    CHECK_FALSE(open_envelope(bad, a.host.box, a.shares(good, 2)));
}
