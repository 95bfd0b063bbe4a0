#include "vault/keys/roster.h"

#include "vault/crypto/hash.h"
#include "vault/keys/json_fields.h"
#include "vault/keys/seal.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::string_view roster_type = "roster";

template <class List, class Same>
auto find(const List& list, Same same) -> decltype(&*list.begin()) {
    const auto at = std::ranges::find_if(list, same);
    return at == list.end() ? nullptr : &*at;
}

Json to_json(const RosterNode& node) {
    return {{"name", node.name},
            {"state", node.state == NodeState::Active ? "active" : "revoked"},
            {"ledger_key", node.ledger_key.hex()},
            {"box_key", node.box_key.hex()},
            {"link_key", node.link_key.hex()},
            {"tls_key", node.tls_key.hex()}};
}

std::string body_of(const Roster& roster) {
    Json nodes = Json::array();
    Json officers = Json::array();
    for (const RosterNode& node : roster.nodes) nodes.push_back(to_json(node));
    for (const Officer& one : roster.officers) {
        officers.push_back({{"name", one.name}, {"key", one.key.hex()}});
    }
    Json body{{"trust", roster.trust.hex()},
              {"name", roster.name},
              {"number", roster.number},
              {"time", roster.time},
              {"previous", roster.previous.hex()},
              {"trust_key", roster.trust_key.hex()},
              {"next_trust_key_hash", roster.next_trust_key_hash.hex()},
              {"recovery_key", roster.recovery_key.hex()},
              {"nodes", std::move(nodes)},
              {"officers", std::move(officers)}};
    if (!roster.seal.empty()) body["seal"] = roster.seal;
    return json_text(body);
}

RosterNode read_node(Fields& in) {
    RosterNode node;
    node.name = in.text("name");
    const std::string state = in.text("state");
    if (state == "revoked") {
        node.state = NodeState::Revoked;
    } else if (state != "active") {
        in.fail("state", "expected active or revoked");
    }
    node.ledger_key = in.id<PublicKey>("ledger_key");
    node.box_key = in.id<PublicKey>("box_key");
    node.link_key = in.id<PublicKey>("link_key");
    node.tls_key = in.id<Digest>("tls_key");
    return node;
}

Officer read_officer(Fields& in) {
    Officer one;
    one.name = in.text("name");
    one.key = in.id<PublicKey>("key");
    return one;
}

Roster read_roster(Fields in) {
    Roster roster;
    roster.trust = in.id<TrustId>("trust");
    roster.name = in.text("name");
    roster.number = in.number("number");
    roster.time = in.time("time");
    roster.previous = in.id<Digest>("previous");
    roster.trust_key = in.id<PublicKey>("trust_key");
    roster.next_trust_key_hash = in.id<Digest>("next_trust_key_hash");
    roster.recovery_key = in.id<PublicKey>("recovery_key");
    roster.nodes = in.list("nodes", roster_nodes_max, read_node);
    roster.officers = in.list("officers", roster_officers_max, read_officer);
    roster.seal = read_seal(in);
    return roster;
}

// One key must not stand for two nodes, of which one may be revoked.
bool shares_a_key(const std::vector<RosterNode>& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const RosterNode& a = nodes[i];
            const RosterNode& b = nodes[j];
            if (a.ledger_key == b.ledger_key || a.box_key == b.box_key ||
                a.link_key == b.link_key || a.tls_key == b.tls_key) {
                return true;
            }
        }
    }
    return false;
}

bool continues(const Roster& current, const PublicKey& key) {
    return key == current.trust_key || trust_key_hash(key) == current.next_trust_key_hash;
}

std::string name_of(const Roster& roster) {
    return "roster " + std::to_string(roster.number);
}

// The one roster of `all` for which `valid` holds; null if there is none.
template <class Valid>
Result<const Roster*> only(const std::vector<Roster>& all, Valid valid) {
    const Roster* found = nullptr;
    for (const Roster& one : all) {
        if (!valid(one)) continue;
        if (found != nullptr && found->digest != one.digest) {
            return Error{Errc::Conflict, name_of(one) +
                                             ": the trust key signed two different ones: ask the "
                                             "trust which holds, it may be stolen"};
        }
        found = &one;
    }
    return found;
}

}  // namespace

const RosterNode* Roster::node_by_ledger_key(const PublicKey& key) const {
    return find(nodes, [&](const RosterNode& node) { return node.ledger_key == key; });
}
const RosterNode* Roster::node_by_tls_key(const Digest& key) const {
    return find(nodes, [&](const RosterNode& node) { return node.tls_key == key; });
}
const RosterNode* Roster::node_by_name(std::string_view wanted) const {
    return find(nodes, [&](const RosterNode& node) { return node.name == wanted; });
}
const Officer* Roster::officer_by_key(const PublicKey& key) const {
    return find(officers, [&](const Officer& one) { return one.key == key; });
}

TrustId trust_id(const PublicKey& first_trust_key) {
    return {hash("trust", first_trust_key.view()).digest};
}

Digest trust_key_hash(const PublicKey& key) {
    return hash("trust key", key.view());
}

Roster next_roster(const Roster& current, std::int64_t now_ms) {
    Roster next = current;
    next.number = current.number + 1;
    next.time = now_ms;
    next.previous = current.digest;
    next.digest = {};
    return next;
}

Result<void> revoke_node(Roster& roster, const PublicKey& ledger_key) {
    for (RosterNode& node : roster.nodes) {
        if (node.ledger_key != ledger_key) continue;
        node.state = NodeState::Revoked;
        return {};
    }
    return Error{Errc::NotFound, "no node with ledger key " + ledger_key.brief() + " to revoke"};
}

Result<Buffer> sign_roster(const Roster& roster, const SigningKey& key) {
    Roster own = roster;
    own.trust_key = key.public_key;
    Record record{std::string(roster_type), {}, own.number, body_of(own), {}};
    if (record.body.size() > record_body_max) {
        return Error{Errc::Invalid, "a roster of over 1 MiB: fewer nodes, or shorter names"};
    }
    sign(record, key);
    Buffer object = encode(record);
    const Result<Roster> readable = parse_roster(object);
    if (!readable) return Error{Errc::Invalid, readable.error().message};
    return object;
}

Result<Roster> parse_roster(View object) {
    const Record record = HF_TRY(parse_record(object));
    HF_TRY(expect(record, roster_type, Digest{}));
    JsonText body = HF_TRY(JsonText::parse(record.body, "roster"));
    Roster roster = read_roster(body.top());
    HF_TRY(body.check());
    if (roster.number != record.number || roster.number == 0) {
        return Error{Errc::Corrupt, name_of(roster) + ": its record has another number"};
    }
    if (shares_a_key(roster.nodes)) {
        return Error{Errc::Corrupt, name_of(roster) + ": two nodes with one key"};
    }
    if (!signed_by(record, roster.trust_key)) {
        return Error{Errc::Denied, name_of(roster) + ": not signed by the trust key it names"};
    }
    roster.digest = record_digest(object);
    return roster;
}

Result<void> verify_first(const Roster& roster, const TrustId& trust) {
    if (roster.number == 1 && roster.trust == trust && trust_id(roster.trust_key) == trust &&
        roster.previous.zero()) {
        return {};
    }
    return Error{Errc::Denied, name_of(roster) + " does not start trust " + trust.brief()};
}

Result<void> verify_successor(const Roster& current, const Roster& next) {
    if (next.trust != current.trust || next.number != current.number + 1 ||
        next.previous != current.digest) {
        return Error{Errc::Denied, name_of(next) + " does not follow " + name_of(current) +
                                       " of trust " + current.trust.brief()};
    }
    if (!continues(current, next.trust_key)) {
        return Error{Errc::Denied, name_of(next) + ": signed by a key that " + name_of(current) +
                                       " neither used nor promised"};
    }
    return {};
}

Result<Roster> newest_roster(const std::vector<Buffer>& objects, const TrustId& trust) {
    std::vector<Roster> all;
    for (const Buffer& object : objects) {
        Result<Roster> one = parse_roster(object);
        if (one && one->trust == trust) all.push_back(*std::move(one));
    }
    const Roster* newest = HF_TRY(
        only(all, [&](const Roster& one) { return static_cast<bool>(verify_first(one, trust)); }));
    if (newest == nullptr) {
        return Error{Errc::NotFound, "roster 1 of trust " + trust.brief() +
                                         " is not here: fetch it from the trust or a partner"};
    }
    for (const Roster* next = newest; next != nullptr;) {
        newest = next;
        next = HF_TRY(only(all, [&](const Roster& one) {
            return static_cast<bool>(verify_successor(*newest, one));
        }));
    }
    for (const Roster& one : all) {
        if (one.number > newest->number && continues(*newest, one.trust_key)) {
            return Error{Errc::Corrupt, "roster " + std::to_string(newest->number + 1) +
                                            " is missing or damaged, but " + name_of(one) +
                                            " is here: fetch it from the trust or a partner"};
        }
    }
    return *newest;
}

}  // namespace holdfast::vault
