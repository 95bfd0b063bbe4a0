// Witnesses of holder records: real replicators, real TLS.
#include "replicator/tenancy/refusal.h"
#include "tests/replicator/witness/witness_scene.h"

namespace holdfast::replicator::test {
namespace {

using Kind = WitnessReply::Kind;

bool denied(const Result<WitnessReply>& reply) {
    return !reply && reply.error().code == Errc::Denied;
}

/// What the witness knows, as the host hears it.
vault::Record newest(const WitnessScene& scene) {
    return must(vault::parse_record(
        must(scene.host.control().newest_at(scene.witness.id(), scene.owner.id(), "epr"))));
}

}  // namespace

TEST_CASE("a witness keeps one record of a term, and says so over its signature", "[witness]") {
    const WitnessScene scene;
    const vault::Record first = scene.signed_term(1);
    const WitnessReply kept = must(scene.ask(first));
    REQUIRE(kept.kind == Kind::Witnessed);
    const WitnessWord word = must(parse_witness_word(kept.record, first, scene.witness.roster()));
    CHECK(word.term == 1);
    CHECK(word.system == "epr");
    CHECK(newest(scene) == first);
    CHECK_FALSE(parse_witness_word(kept.record, scene.signed_term(2), scene.witness.roster()));
    CHECK_FALSE(parse_witness_word(kept.record, first, scene.host.roster()));

    const WitnessReply again = must(scene.ask(first));
    CHECK(must(parse_witness_word(again.record, first, scene.witness.roster())) == word);

    const vault::Record rival = scene.signed_term(1, nullptr, "epr-failover-9");
    const WitnessReply taken = must(scene.ask(rival));
    CHECK(taken.kind == Kind::Taken);
    CHECK(must(vault::parse_record(taken.record)) == first);

    SECTION("the next term follows it, and then it is old") {
        const vault::Record second = scene.signed_term(2, &first);
        CHECK(must(scene.ask(second)).kind == Kind::Witnessed);
        const WitnessReply old = must(scene.ask(first));
        CHECK(old.kind == Kind::Old);
        CHECK(must(vault::parse_record(old.record)) == second);
        CHECK(newest(scene) == second);
    }
    SECTION("a next term that follows another one is a fork") {
        const WitnessReply fork = must(scene.ask(scene.signed_term(2, &rival)));
        CHECK(fork.kind == Kind::Fork);
        CHECK(must(vault::parse_record(fork.record)) == first);
        CHECK(newest(scene) == first);
    }
    SECTION("a term after a gap is taken: the witness may have been away") {
        CHECK(must(scene.ask(scene.signed_term(5, &rival))).kind == Kind::Witnessed);
    }
    SECTION("other systems have terms of their own") {
        CHECK(scene.host.control()
                  .newest_at(scene.witness.id(), scene.owner.id(), "pacs")
                  .error()
                  .code == Errc::NotFound);
    }
}

TEST_CASE("a record that two of the owner's people have not signed is not kept", "[witness]") {
    const WitnessScene scene;
    const WitnessPerson carl{"Carl", vault::SigningKey::make(vault::system_random())};
    vault::Record record = scene.term(1);
    SECTION("nobody") {}
    SECTION("one person alone") {
        vault::sign(record, scene.ada.key);
    }
    SECTION("an operator and somebody unknown") {
        vault::sign(record, scene.ben.key);
        vault::sign(record, carl.key);
    }
    SECTION("an approver and somebody who may only look") {
        must(scene.owner.control().put_paper(
            scene.witness.id(), certificate_of(scene.owner, carl, {vault::Role::Viewer})));
        vault::sign(record, scene.ada.key);
        vault::sign(record, carl.key);
    }
    SECTION("people, but of another record") {
        vault::Record other = scene.signed_term(1, nullptr, "epr-failover-2");
        record.signatures.insert(record.signatures.end(), other.signatures.begin() + 1,
                                 other.signatures.end());
    }
    SECTION("people, but not the host's node") {
        record = scene.signed_term(1);
        record.signatures.erase(record.signatures.begin());
    }
    SECTION("people, and another node than it names") {
        record = scene.signed_term(1);
        record.signatures.erase(record.signatures.begin());
        vault::sign(record, scene.owner.ledger_key());
    }
    SECTION("people, but of a body that was changed since") {
        record = scene.signed_term(1);
        record.body.replace(record.body.find("failover-1"), 10, "failover-2");
    }
    const auto reply = scene.ask(record);
    INFO((reply ? reply->message : reply.error().message));
    CHECK(denied(reply));
    CHECK(
        scene.host.control().newest_at(scene.witness.id(), scene.owner.id(), "epr").error().code ==
        Errc::NotFound);
}

TEST_CASE("only those whom an agreement names reach an owner's terms", "[witness]") {
    WitnessScene scene;
    const vault::Record record = scene.signed_term(1);
    CHECK(must(scene.ask(record)).kind == Kind::Witnessed);
    TestTrust other("Other");
    other.start();
    pair_up(scene.witness, other);
    const auto looked = other.control().newest_at(scene.witness.id(), scene.owner.id(), "epr");
    REQUIRE_FALSE(looked);
    CHECK(looked.error().message.find("not_yours") != std::string::npos);
    CHECK(denied(other.control().witness(scene.witness.id(), vault::encode(record))));

    // The owner may look and bring; but a stranger is not even spoken to.
    CHECK(must(vault::parse_record(must(scene.owner.control().newest_at(
              scene.witness.id(), scene.owner.id(), "epr")))) == record);
    CHECK(must(scene.owner.control().witness(scene.witness.id(), vault::encode(record))).kind ==
          Kind::Witnessed);
    TestTrust stranger("Stranger");
    auto peer = must(PeerClient::make(scene.witness.end_for(stranger.id()), stranger.tls()));
    const HttpReply refused = must(peer.exchange("POST", "/holders", vault::encode(record)));
    CHECK(refused.status == 403);
    CHECK(error_code_of(refused.body) == "unknown_peer");
    CHECK(must(peer.exchange("GET", "/holders/" + scene.owner.id().hex() + "/epr", {})).status ==
          403);
    CHECK_FALSE(stranger.control().witness(scene.witness.id(), vault::encode(record)));
}

TEST_CASE("an agreement is no business of a trust that it does not name", "[witness]") {
    WitnessScene scene;
    TestTrust other("Other");
    other.start();
    pair_up(other, scene.owner);
    pair_up(other, scene.host);
    Agreement terms = usual_terms(scene.owner, scene.host);
    terms.number = 2;
    auto peer = must(PeerClient::make(other.end_for(scene.owner.id()), scene.owner.tls()));
    CHECK(peer.put_agreement(signed_agreement(terms, scene.owner, scene.host)).error().code ==
          Errc::Denied);
    terms.witnesses = {other.id()};
    vault::Record half = must(agreement_record(terms));
    vault::sign(half, scene.host.officer());
    CHECK(peer.put_agreement(vault::encode(half)).error().code == Errc::Denied);
    vault::sign(half, scene.owner.officer());
    must(peer.put_agreement(vault::encode(half)));
}

TEST_CASE("a node knows who must witness what is run there", "[witness]") {
    WitnessScene scene;
    const auto at_host = must(scene.host.control().witnesses(scene.owner.id()));
    REQUIRE(at_host.size() == 1);
    REQUIRE(at_host[0].members.size() == 1);
    CHECK(at_host[0].members[0].trust == scene.witness.id());
    CHECK(at_host[0].members[0].name == "Witness");
    CHECK(at_host[0].majority() == 1);
    CHECK(must(scene.owner.control().witnesses(scene.owner.id())).size() == 1);
    CHECK(must(scene.host.control().witnesses(scene.host.id())).empty());
    CHECK(must(scene.witness.control().witnesses(scene.owner.id())).empty());

    SECTION("the newest agreement in date says so") {
        Agreement terms = usual_terms(scene.owner, scene.host);
        terms.number = 2;
        must(scene.owner.control().put_agreement(signed_agreement(terms, scene.owner, scene.host)));
        CHECK(must(scene.host.control().witnesses(scene.owner.id())).empty());
    }
    SECTION("and one that has ended, until there is another") {
        Agreement terms = usual_terms(scene.owner, scene.host);
        terms.number = 2;
        terms.witnesses = {scene.host.id(), scene.witness.id()};
        terms.valid_to = terms.valid_from + 1;
        must(scene.owner.control().put_agreement(signed_agreement(terms, scene.owner, scene.host)));
        CHECK(must(scene.host.control().witnesses(scene.owner.id()))[0].members.size() == 1);
    }
}

TEST_CASE("a host may be a witness itself", "[witness]") {
    WitnessScene scene;
    Agreement terms = usual_terms(scene.owner, scene.host);
    terms.number = 2;
    terms.witnesses = {scene.host.id()};
    must(scene.owner.control().put_agreement(signed_agreement(terms, scene.owner, scene.host)));
    const vault::Record record = scene.signed_term(1);
    const auto ask = [&](const vault::Record& one) {
        return scene.host.control().witness(scene.host.id(), vault::encode(one));
    };
    CHECK(denied(ask(record)));  // It holds no certificates of the owner's yet.
    must(scene.owner.control().put_paper(
        scene.host.id(), certificate_of(scene.owner, scene.ada, {vault::Role::Approver})));
    must(scene.owner.control().put_paper(
        scene.host.id(), certificate_of(scene.owner, scene.ben, {vault::Role::Operator})));
    const WitnessReply kept = must(ask(record));
    REQUIRE(kept.kind == Kind::Witnessed);
    must(parse_witness_word(kept.record, record, scene.host.roster()));
    CHECK(must(ask(scene.signed_term(1, nullptr, "other"))).kind == Kind::Taken);
    CHECK(must(vault::parse_record(must(scene.host.control().newest_at(
              scene.host.id(), scene.owner.id(), "epr")))) == record);
}

TEST_CASE("a witness that is away is unreachable, and remembers when it is back", "[witness]") {
    WitnessScene scene;
    const vault::Record record = scene.signed_term(1);
    must(scene.ask(record));
    scene.witness.stop();
    const auto away = scene.ask(record);
    REQUIRE_FALSE(away);
    CHECK(away.error().code == Errc::Unreachable);
    scene.witness.start();
    CHECK(must(scene.ask(record)).kind == Kind::Witnessed);
    CHECK(must(scene.ask(scene.signed_term(1, nullptr, "other"))).kind == Kind::Taken);
}

TEST_CASE("a witness killed at any step keeps one record of a term at most", "[witness][kill]") {
    WitnessScene scene;
    scene.witness.stop();
    int kills = 0;
    for (std::uint64_t round = 1; round < 50; ++round) {
        const std::uint64_t term = 10 * round;  // Gaps: each round stands alone.
        const vault::Record mine = scene.signed_term(term, nullptr, "mine");
        const vault::Record rival = scene.signed_term(term, nullptr, "rival");
        bool killed = false;
        {
            ReplicatorProgram program(scene.witness.settings(), std::to_string(round));
            const auto reply = scene.ask(mine);
            killed = eventually([&] { return program.ended() || reply; }) && program.ended();
            CHECK(static_cast<bool>(reply) != killed);
        }
        ReplicatorProgram program(scene.witness.settings(), "");
        const Kind other = must(scene.ask(rival)).kind;
        const Kind first = must(scene.ask(mine)).kind;
        CHECK((other == Kind::Witnessed) != (first == Kind::Witnessed));
        CHECK(must(scene.ask(rival)).kind == other);
        if (!killed) {
            CHECK(first == Kind::Witnessed);
            break;
        }
        ++kills;
    }
    CHECK(kills >= 2);
}

}  // namespace holdfast::replicator::test
