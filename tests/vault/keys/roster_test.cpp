#include "tests/vault/keys/trust.h"

using namespace holdfast;
using namespace holdfast::vault;
using test::Trust;

namespace {

void unchanged(Roster&) {}

Errc refusal(const Roster& current, const Buffer& next) {
    const Result<Roster> parsed = parse_roster(next);
    if (!parsed) return parsed.error().code;
    const Result<void> follows = verify_successor(current, *parsed);
    REQUIRE_FALSE(follows);
    return follows.error().code;
}

}  // namespace

TEST_CASE("a roster comes back as it was signed", "[vault][keys]") {
    const Trust t;
    Roster expected = t.draft();
    expected.trust_key = t.first.public_key;
    expected.nodes = t.roster.nodes;
    expected.digest = t.roster.digest;
    CHECK(t.roster == expected);
    CHECK(verify_first(t.roster, t.id));
    CHECK(t.roster.digest == record_digest(t.object));
}

TEST_CASE("a roster with any one byte changed is refused", "[vault][keys]") {
    const Trust t;
    for (std::size_t i = 0; i < t.object.size(); ++i) {
        Buffer bad = t.object;
        bad[i] ^= 0x04;
        INFO("byte " << i);
        CHECK_FALSE(parse_roster(bad));
    }
}

TEST_CASE("roster 1 of another trust does not start this one", "[vault][keys]") {
    const Trust t;
    const Trust other;
    CHECK(verify_first(other.roster, t.id).error().code == Errc::Denied);
    // Naming our trust does not help: the first key's hash is the id.
    Roster forged = other.draft();
    forged.trust = t.id;
    const Roster parsed = *parse_roster(Trust::signed_with(forged, other.first));
    CHECK(verify_first(parsed, t.id).error().code == Errc::Denied);
    CHECK(
        newest_roster({other.object, Trust::signed_with(forged, other.first)}, t.id).error().code ==
        Errc::NotFound);
}

TEST_CASE("the next roster is signed by the same key or by the promised one", "[vault][keys]") {
    const Trust t;
    const SigningKey third = SigningKey::make(system_random());
    CHECK(verify_successor(t.roster, *parse_roster(t.next(t.first, unchanged))));
    const Buffer handover = t.next(
        t.second, [&](Roster& r) { r.next_trust_key_hash = trust_key_hash(third.public_key); });
    CHECK(verify_successor(t.roster, *parse_roster(handover)));
    CHECK(refusal(t.roster, t.next(third, unchanged)) == Errc::Denied);
    CHECK(refusal(t.roster, t.next(t.ledger, unchanged)) == Errc::Denied);
}

TEST_CASE("after a handover the old trust key signs nothing more", "[vault][keys]") {
    const Trust t;
    const SigningKey third = SigningKey::make(system_random());
    const Buffer handover = t.next(
        t.second, [&](Roster& r) { r.next_trust_key_hash = trust_key_hash(third.public_key); });
    const Roster second = *parse_roster(handover);
    const Buffer by_old = Trust::signed_with(next_roster(second, 1), t.first);
    CHECK(refusal(second, by_old) == Errc::Denied);
    CHECK(newest_roster({by_old, handover, t.object}, t.id)->number == 2);
    const Buffer by_third = Trust::signed_with(next_roster(second, 1), third);
    CHECK(newest_roster({by_third, handover, t.object}, t.id)->number == 3);
}

TEST_CASE("a roster that skips a number or another history is refused", "[vault][keys]") {
    const Trust t;
    CHECK(refusal(t.roster, t.next(t.first, [](Roster& r) { r.number = 3; })) == Errc::Denied);
    CHECK(refusal(t.roster, t.next(t.first, [](Roster& r) { r.previous = {}; })) == Errc::Denied);
    CHECK(refusal(t.roster, t.next(t.first, [](Roster& r) {
              r.trust = system_random().id<TrustId>();
          })) == Errc::Denied);
}

TEST_CASE("the newest roster is found in any order, beside strangers' and damaged ones",
          "[vault][keys]") {
    const Trust t;
    const Trust other;
    const Buffer two = t.next(t.first, unchanged);
    const Buffer three = Trust::signed_with(next_roster(*parse_roster(two), 2), t.first);
    Buffer damaged = three;
    damaged[100] ^= 1;
    CHECK(newest_roster({three, other.object, t.object, damaged, two, two}, t.id)->number == 3);
    const Result<Roster> gap = newest_roster({three, t.object}, t.id);
    REQUIRE_FALSE(gap);
    CHECK(gap.error().message.find("roster 2 is missing") != std::string::npos);
}

TEST_CASE("two rosters of one number under the trust key are told, not chosen", "[vault][keys]") {
    const Trust t;
    const Buffer a = t.next(t.first, [](Roster& r) { r.name = "A"; });
    const Buffer b = t.next(t.first, [](Roster& r) { r.name = "B"; });
    CHECK(newest_roster({t.object, a, b}, t.id).error().code == Errc::Conflict);
}

TEST_CASE("a revoked node is still known, as revoked", "[vault][keys]") {
    const Trust t;
    const Buffer next = t.next(t.first, [&](Roster& r) {
        REQUIRE(revoke_node(r, t.ledger.public_key));
        CHECK_FALSE(revoke_node(r, t.box.public_key));
    });
    const Roster newest = *newest_roster({t.object, next}, t.id);
    CHECK(t.roster.node_by_name("node-1")->state == NodeState::Active);
    const RosterNode* node = newest.node_by_ledger_key(t.ledger.public_key);
    REQUIRE(node != nullptr);
    CHECK(node->state == NodeState::Revoked);
    CHECK(newest.node_by_tls_key(node->tls_key) == node);
    CHECK(newest.node_by_tls_key({}) == nullptr);
    CHECK(newest.officer_by_key(t.officer.public_key)->name == "O. Ficer");
}

TEST_CASE("a roster in which two nodes share a key is not signed", "[vault][keys]") {
    const Trust t;
    Roster r = t.draft();
    r.nodes.push_back(r.nodes[0]);
    CHECK(sign_roster(r, t.first).error().code == Errc::Invalid);
    r = t.draft();
    r.name.assign(300, 'x');
    CHECK(sign_roster(r, t.first).error().code == Errc::Invalid);
}

TEST_CASE("a record of another type is no roster", "[vault][keys]") {
    const Trust t;
    Record record = *parse_record(t.object);
    record.type = "domain";
    sign(record, t.first);
    CHECK(parse_roster(encode(record)).error().code == Errc::Denied);
    record.type = "roster";
    record.number = 9;
    sign(record, t.first);
    CHECK(parse_roster(encode(record)).error().code == Errc::Corrupt);
}
