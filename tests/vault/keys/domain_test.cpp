#include "vault/keys/domain.h"

#include "tests/vault/keys/trust.h"
#include "vault/crypto/hash.h"

using namespace holdfast;
using namespace holdfast::vault;
using test::Trust;

namespace {

NewDomain domain_of(const Trust& t, OpeningKeys mode = OpeningKeys::Node) {
    Result<NewDomain> made = make_domain("imaging", mode, {t.recovery.public_key}, t.ledger,
                                         test::now_ms, system_random());
    REQUIRE(made);
    return *std::move(made);
}

// The domain's record with one piece of text replaced by another of its length, signed again.
Buffer altered(const NewDomain& made, std::string_view from, std::string_view to,
               const SigningKey& key) {
    Record record = *parse_record(made.object);
    const std::size_t at = record.body.find(from);
    REQUIRE(at != std::string::npos);
    record.body.replace(at, from.size(), to);
    record.signatures.clear();
    sign(record, key);
    return encode(record);
}

}  // namespace

TEST_CASE("the recovery key opens a domain's keys", "[vault][keys]") {
    const Trust t;
    const OpeningKeys mode = GENERATE(OpeningKeys::Node, OpeningKeys::Locked);
    const NewDomain made = domain_of(t, mode);
    const Result<DomainRecord> record = parse_domain(made.object, made.id, t.roster);
    REQUIRE(record);
    CHECK(record->opening_keys == mode);
    CHECK(record->name == "imaging");
    CHECK(record->time == test::now_ms);
    CHECK(record->signer == t.ledger.public_key);
    CHECK(record->opening_key == made.keys.opening.public_key);
    const Result<DomainKeys> keys = open_domain(*record, t.recovery);
    REQUIRE(keys);
    CHECK(equal_in_constant_time(keys->naming.view(), made.keys.naming.view()));
    CHECK(equal_in_constant_time(keys->opening.secret.view(), made.keys.opening.secret.view()));
    CHECK(open_domain(*record, BoxKey::make(system_random())).error().code == Errc::Corrupt);
}

TEST_CASE("a domain's record with any one byte changed is refused", "[vault][keys]") {
    const Trust t;
    const NewDomain made = domain_of(t);
    for (std::size_t i = 0; i < made.object.size(); ++i) {
        Buffer bad = made.object;
        bad[i] ^= 0x02;
        INFO("byte " << i);
        CHECK_FALSE(parse_domain(bad, made.id, t.roster));
    }
}

TEST_CASE("a domain signed by no node of the trust, or under another name, is refused",
          "[vault][keys]") {
    const Trust t;
    const Trust other;
    const NewDomain made = domain_of(t);
    CHECK(parse_domain(made.object, made.id, other.roster).error().code == Errc::Denied);
    CHECK_FALSE(parse_domain(made.object, system_random().id<DomainId>(), t.roster));
    const Buffer forged = altered(made, "imaging", "imagery", t.officer);
    CHECK(parse_domain(forged, made.id, t.roster).error().code == Errc::Denied);
}

TEST_CASE("a domain of a revoked node is read, and marked", "[vault][keys]") {
    const Trust t;
    const NewDomain made = domain_of(t);
    const Buffer next = t.next(t.first, [&](Roster& r) { r.nodes[0].state = NodeState::Revoked; });
    const Result<DomainRecord> record = parse_domain(made.object, made.id, *parse_roster(next));
    REQUIRE(record);
    CHECK(record->signer_state == NodeState::Revoked);
    CHECK(parse_domain(made.object, made.id, t.roster)->signer_state == NodeState::Active);
}

TEST_CASE("a domain that requires an unknown feature is refused by name", "[vault][keys]") {
    const Trust t;
    const NewDomain made = domain_of(t);
    const Buffer required =
        altered(made, R"("features_required":[])", R"("features_required":["lattice"])", t.ledger);
    const Result<DomainRecord> refused = parse_domain(required, made.id, t.roster);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("lattice") != std::string::npos);
    const Buffer optional =
        altered(made, R"("features_optional":[])", R"("features_optional":["lattice"])", t.ledger);
    CHECK(parse_domain(optional, made.id, t.roster));
}

TEST_CASE("a domain whose wrapped keys are swapped or another's is refused", "[vault][keys]") {
    const Trust t;
    const NewDomain made = domain_of(t);
    const NewDomain other = domain_of(t);
    DomainRecord record = *parse_domain(made.object, made.id, t.roster);
    const DomainRecord good = record;
    std::swap(record.opening_wrapped, record.naming_wrapped);
    CHECK_FALSE(open_domain(record, t.recovery));
    record = good;
    record.opening_wrapped = parse_domain(other.object, other.id, t.roster)->opening_wrapped;
    CHECK_FALSE(open_domain(record, t.recovery));
    record = good;
    record.opening_key = other.keys.opening.public_key;
    CHECK_FALSE(open_domain(record, t.recovery));
}
