#include "replicator/agreement/return_order.h"
#include "replicator/pairing/words.h"
#include "replicator/tenancy/refusal.h"
#include "tests/replicator/peer/test_trust.h"

#include <set>

namespace holdfast::replicator::test {
namespace {

using vault::system_random;

Invitation some_invitation() {
    Invitation one;
    one.trust = system_random().id<TrustId>();
    one.name = "Camberwick Green";
    one.address = "192.0.2.10:8420";
    one.tls_key = system_random().id<KeyHash>();
    one.token = system_random().id<PairingToken>();
    one.expires_ms = 1'766'000'000'000;
    return one;
}

PairCall call_of(const TestTrust& trust, const PairingToken& token) {
    return {token, trust.id(), "", must(rosters_in(trust.store()))};
}

}  // namespace

TEST_CASE("an invitation reads as it was written, also as mail mangles it", "[peer]") {
    const Invitation one = some_invitation();
    const std::string text = invitation_text(one);
    CHECK(must(parse_invitation(text)) == one);
    std::string mangled = "\r\n ";
    for (const char c : text) mangled += c == '\n' ? "  \r\n\r\n  " : std::string(1, c);
    CHECK(must(parse_invitation(mangled)) == one);
}

TEST_CASE("what is no invitation is refused, saying which line", "[peer]") {
    CHECK(parse_invitation("").error().code == Errc::Invalid);
    CHECK(parse_invitation("hello\n").error().code == Errc::Invalid);
    Invitation one = some_invitation();
    one.address = "nowhere";
    CHECK(parse_invitation(invitation_text(one)).error().message.find("nowhere") !=
          std::string::npos);
    for (const char* bad : {"", "host", "host:", "host:0", "host:70000", ":80", "a b:80",
                            "user@host:80", "host/path:80", "::1:80"}) {
        CHECK_FALSE(check_address(bad));
    }
    for (const char* good : {"host:80", "192.0.2.1:8420", "[2001:db8::1]:8420"}) {
        must(check_address(good));
    }
}

TEST_CASE("both ends see the same words, and another key gives others", "[peer]") {
    const std::set<std::string_view> all(pairing_word_list.begin(), pairing_word_list.end());
    CHECK(all.size() == pairing_word_list.size());
    const PairingEnd a{system_random().id<TrustId>(), system_random().id<KeyHash>()};
    const PairingEnd b{system_random().id<TrustId>(), system_random().id<KeyHash>()};
    CHECK(pairing_words(a, b) == pairing_words(b, a));
    PairingEnd other = b;
    other.tls_key = system_random().id<KeyHash>();
    CHECK(pairing_words(a, b) != pairing_words(a, other));
}

TEST_CASE("two trusts become partners by an invitation, and show the same words", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    bert.start();
    const PartnerInfo seen = pair_up(anna, bert);
    CHECK(seen.name == "Anna");
    CHECK_FALSE(seen.confirmed);
    const auto back = must(anna.control().partners());
    REQUIRE(back.size() == 1);
    CHECK(back[0].name == "Bert");
    CHECK(back[0].words == seen.words);
    CHECK(back[0].address == bert.settings().address);
    CHECK(must(anna.control().confirm(bert.id())).confirmed);
    CHECK(must(bert.control().partner_roster(anna.id())) == anna.roster());

    SECTION("which a restart does not forget") {
        anna.stop();
        anna.start();
        CHECK(must(anna.control().find_partner("Bert")).confirmed);
        CHECK(must(anna.control().find_partner(bert.id().brief())).trust == bert.id());
        CHECK(anna.control().find_partner("Carl").error().code == Errc::NotFound);
    }
}

TEST_CASE("a token is good once, and only as it was given", "[peer]") {
    TestTrust anna("Anna"), bert("Bert"), carl("Carl");
    anna.start();
    const Invitation invitation = must(parse_invitation(must(anna.control().invite())));
    auto as_bert = must(PeerClient::make(anna.end_for(bert.id()), bert.tls()));
    auto as_carl = must(PeerClient::make(anna.end_for(carl.id()), carl.tls()));

    const auto guess = as_bert.pair(call_of(bert, system_random().id<PairingToken>()));
    REQUIRE_FALSE(guess);
    CHECK(is_refusal(guess.error(), Refusal::BadToken));
    CHECK(must(anna.control().partners()).empty());

    must(as_bert.pair(call_of(bert, invitation.token)));
    must(as_bert.pair(call_of(bert, invitation.token)));  // The answer may have been lost.
    const auto again = as_carl.pair(call_of(carl, invitation.token));
    REQUIRE_FALSE(again);
    CHECK(is_refusal(again.error(), Refusal::BadToken));
    CHECK(must(anna.control().partners()).size() == 1);
}

TEST_CASE("a TLS key that is not in the rosters it brings is refused, and the token stays good",
          "[peer]") {
    TestTrust anna("Anna"), bert("Bert"), carl("Carl");
    anna.start();
    const Invitation invitation = must(parse_invitation(must(anna.control().invite())));
    auto as_carl = must(PeerClient::make(anna.end_for(carl.id()), carl.tls()));
    const auto posing = as_carl.pair(call_of(bert, invitation.token));
    REQUIRE_FALSE(posing);
    CHECK(posing.error().code == Errc::Denied);
    auto as_bert = must(PeerClient::make(anna.end_for(bert.id()), bert.tls()));
    must(as_bert.pair(call_of(bert, invitation.token)));
}

TEST_CASE("whoever answers with another key than the invitation's is not talked to", "[peer]") {
    TestTrust anna("Anna"), bert("Bert"), eve("Eve");
    anna.start();
    bert.start();
    eve.start();
    Invitation invitation = must(parse_invitation(must(anna.control().invite())));
    invitation.address = eve.settings().address;
    const auto accepted = bert.control().accept(invitation_text(invitation));
    REQUIRE_FALSE(accepted);
    CHECK(accepted.error().code == Errc::Denied);
    CHECK(must(bert.control().partners()).empty());

    SECTION("nor one that names another trust") {
        Invitation wrong = must(parse_invitation(must(eve.control().invite())));
        wrong.trust = anna.id();
        const auto other = bert.control().accept(invitation_text(wrong));
        REQUIRE_FALSE(other);
        CHECK(other.error().code == Errc::Denied);
        CHECK(must(bert.control().partners()).empty());
    }
}

TEST_CASE("strangers reach nothing but what proves itself", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    auto stranger = must(PeerClient::make(anna.end_for(bert.id()), bert.tls()));
    const auto refused = [](const auto& answer) {
        return !answer && is_refusal(answer.error(), Refusal::UnknownPeer);
    };
    CHECK(refused(stranger.rosters()));
    CHECK(refused(stranger.agreements()));
    CHECK(refused(stranger.status()));
    CHECK(refused(stranger.missing({"format"})));
    CHECK(refused(stranger.put("epoch/" + Digest{}.hex(), Buffer(10))));
    CHECK(refused(stranger.put_rosters(must(rosters_in(bert.store())))));
}

TEST_CASE("a partner's rosters only go forward", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    bert.start();
    pair_up(anna, bert);
    const auto first = must(rosters_in(bert.store()));
    bert.next_roster([](vault::Roster& next) { next.name = "Bert and Sons"; });
    auto as_bert = must(PeerClient::make(anna.end_for(bert.id()), bert.tls()));
    must(as_bert.put_rosters(must(rosters_in(bert.store()))));
    must(as_bert.put_rosters(must(rosters_in(bert.store()))));
    CHECK(must(anna.control().find_partner("Bert and Sons")).roster == 2);

    const auto replayed = as_bert.put_rosters(first);
    REQUIRE_FALSE(replayed);
    CHECK(is_refusal(replayed.error(), Refusal::StaleRoster));

    SECTION("and a stranger's signature moves nothing") {
        vault::Roster forged = vault::next_roster(bert.roster(), 3);
        const auto object =
            must(vault::sign_roster(forged, vault::SigningKey::make(system_random())));
        const auto brought = as_bert.put_rosters({object});
        REQUIRE_FALSE(brought);
        CHECK(brought.error().code == Errc::Denied);
        CHECK(must(anna.control().partners())[0].roster == 2);
    }
    SECTION("a revoked node is a stranger") {
        bert.next_roster([](vault::Roster& next) {
            next.nodes[0].state = vault::NodeState::Revoked;
            vault::RosterNode other = next.nodes[0];
            other.name = "node-2";
            other.state = vault::NodeState::Active;
            other.ledger_key = system_random().id<PublicKey>();
            other.box_key = system_random().id<PublicKey>();
            other.link_key = system_random().id<PublicKey>();
            other.tls_key = system_random().id<Digest>();
            next.nodes.push_back(other);
        });
        // The old node cannot bring the roster that revokes it; the trust's new one can.
        CHECK_FALSE(as_bert.put_rosters(must(rosters_in(bert.store()))));
        must(as_bert.status());
    }
}

TEST_CASE("a trust that lost its nodes comes back by its trust key", "[peer]") {
    TestTrust anna("Anna"), bert("Bert");
    anna.start();
    bert.start();
    pair_up(anna, bert);
    bert.stop();
    const TlsIdentity fresh = must(TlsIdentity::make("new node"));
    auto peer = must(PeerClient::make(anna.end_for(bert.id()), fresh));
    const std::int64_t now = system_clock().wall_ms();
    const auto order = [&](const vault::SigningKey& key, std::int64_t at, const TrustId& host) {
        return make_return_order(bert.id(), host, fresh.key_hash(), key, at);
    };
    CHECK_FALSE(peer.come_back(order(vault::SigningKey::make(system_random()), now, anna.id())));
    CHECK_FALSE(peer.come_back(order(bert.trust_key(), now - 3 * 3600 * 1000, anna.id())));
    CHECK_FALSE(peer.come_back(order(bert.trust_key(), now, bert.id())));
    const RosterChain chain = must(peer.come_back(order(bert.trust_key(), now, anna.id())));
    CHECK(must(vault::newest_roster(chain.rosters, bert.id())) == bert.roster());

    bert.next_roster([&](vault::Roster& next) {
        next.nodes[0].state = vault::NodeState::Revoked;
        next.nodes.push_back({"node-2", vault::NodeState::Active, system_random().id<PublicKey>(),
                              system_random().id<PublicKey>(), system_random().id<PublicKey>(),
                              Digest{fresh.key_hash().digest}});
    });
    must(peer.put_rosters(must(rosters_in(bert.store()))));
    CHECK(must(peer.status()).roster == 2);
    auto as_old = must(PeerClient::make(anna.end_for(bert.id()), bert.tls()));
    CHECK(is_refusal(as_old.status().error(), Refusal::UnknownPeer));
}

TEST_CASE("without a replicator the words say how to start one", "[peer]") {
    TestTrust anna("Anna");
    const auto answer = anna.control().partners();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::Unreachable);
    CHECK(answer.error().message.find("holdfast node run") != std::string::npos);
}

}  // namespace holdfast::replicator::test
