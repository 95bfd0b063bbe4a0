#include "replicator/state/partners.h"

#include "replicator/tenancy/refusal.h"
#include "vault/crypto/hash.h"

#include <algorithm>

namespace holdfast::replicator {
namespace {

Digest token_hash(const PairingToken& token) {
    return vault::hash("pairing token", token.view());
}

bool speaks_for(const KeyHash& key, const vault::Roster& roster) {
    const vault::RosterNode* node = roster.node_by_tls_key(Digest{key.digest});
    return node != nullptr && node->state == vault::NodeState::Active;
}

/// The chain up to the newest roster, each number once. `objects` hold it.
Result<std::vector<Buffer>> chain_of(const std::vector<Buffer>& objects,
                                     const vault::Roster& newest) {
    std::map<Digest, const Buffer*> by_digest;
    for (const Buffer& object : objects) by_digest[vault::record_digest(object)] = &object;
    std::vector<Buffer> chain;
    for (Digest wanted = newest.digest; !wanted.zero();) {
        const auto found = by_digest.find(wanted);
        if (found == by_digest.end()) return Error{Errc::Denied, "a roster is missing"};
        chain.push_back(*found->second);
        wanted = HF_TRY(vault::parse_roster(*found->second)).previous;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
}

struct Chain {
    vault::Roster newest;
    std::vector<Buffer> objects;
};

Result<Chain> read_chain(const std::vector<Buffer>& objects, const TrustId& trust) {
    if (objects.size() > rosters_max) {
        return Error{Errc::Invalid, "over " + std::to_string(rosters_max) + " rosters"};
    }
    auto newest = vault::newest_roster(objects, trust);
    if (!newest) return Error{Errc::Denied, newest.error().message};
    auto chain = HF_TRY(chain_of(objects, *newest));
    return Chain{std::move(*newest), std::move(chain)};
}

/// `known` with what of `objects` follows it.
Result<Chain> grow(const Partner& known, const std::vector<Buffer>& objects) {
    std::uint64_t highest = 0;
    for (const Buffer& object : objects) {
        auto one = vault::parse_roster(object);
        if (!one) return Error{Errc::Denied, one.error().message};
        highest = std::max(highest, one->number);
    }
    if (highest < known.roster.number) {
        return refuse(Refusal::StaleRoster, "roster " + std::to_string(known.roster.number) +
                                                " of " + known.name + " is known here; this is " +
                                                std::to_string(highest));
    }
    std::vector<Buffer> both = known.rosters;
    both.insert(both.end(), objects.begin(), objects.end());
    Chain grown = HF_TRY(read_chain(both, known.trust));
    if (grown.newest.number < highest || grown.objects.size() < known.rosters.size() ||
        !std::equal(known.rosters.begin(), known.rosters.end(), grown.objects.begin())) {
        return Error{Errc::Denied, "these rosters do not follow roster " +
                                       std::to_string(known.roster.number) + " of " + known.name};
    }
    return grown;
}

}  // namespace

Result<std::unique_ptr<Partners>> Partners::open(vault::Database& db) {
    std::unique_ptr<Partners> partners(new Partners(db));
    HF_TRY(partners->load());
    return partners;
}

Result<void> Partners::load() {
    auto rows =
        HF_TRY(db_->prepare("SELECT trust, address, tls_key, confirmed, paired_ms FROM partner"));
    auto rosters =
        HF_TRY(db_->prepare("SELECT object FROM roster WHERE trust = ? ORDER BY number"));
    while (HF_TRY(rows.step())) {
        Partner partner;
        partner.trust = HF_TRY(TrustId::from(rows.blob(0)));
        partner.address = rows.text(1);
        partner.tls_key = HF_TRY(KeyHash::from(rows.blob(2)));
        partner.confirmed = rows.integer(3) != 0;
        partner.paired_ms = rows.integer(4);
        rosters.bind(0, partner.trust.view());
        while (HF_TRY(rosters.step())) {
            const View object = rosters.blob(0);
            partner.rosters.emplace_back(object.begin(), object.end());
        }
        rosters.reset();
        partner.roster = HF_TRY(vault::newest_roster(partner.rosters, partner.trust));
        partner.name = partner.roster.name;
        all_[partner.trust] = std::move(partner);
    }
    return {};
}

Result<void> Partners::store(Partner partner) {
    partner.name = partner.roster.name;
    HF_TRY(db_->transaction([&]() -> Result<void> {
        auto row = HF_TRY(db_->prepare(
            "INSERT OR REPLACE INTO partner (trust, name, address, tls_key, confirmed, paired_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)"));
        row.bind(0, partner.trust.view()).bind(1, partner.name).bind(2, partner.address);
        row.bind(3, partner.tls_key.view()).bind(4, partner.confirmed ? 1 : 0);
        row.bind(5, partner.paired_ms);
        HF_TRY(row.run());
        auto roster = HF_TRY(
            db_->prepare("INSERT OR IGNORE INTO roster (trust, number, object) VALUES (?, ?, ?)"));
        for (std::size_t i = 0; i < partner.rosters.size(); ++i) {
            roster.bind(0, partner.trust.view()).bind(1, std::uint64_t{i + 1});
            roster.bind(2, View(partner.rosters[i]));
            HF_TRY(roster.run());
            roster.reset();
        }
        return {};
    }));
    all_[partner.trust] = std::move(partner);
    return {};
}

const Partner* Partners::find(const TrustId& trust) const {
    const auto found = all_.find(trust);
    return found == all_.end() ? nullptr : &found->second;
}

const Partner* Partners::by_key(const KeyHash& key) const {
    for (const auto& [trust, partner] : all_) {
        if (speaks_for(key, partner.roster)) return &partner;
    }
    return nullptr;
}

Result<const Partner*> Partners::need(const TrustId& trust) const {
    const Partner* partner = find(trust);
    if (partner != nullptr) return partner;
    return Error{Errc::NotFound,
                 "no partner " + trust.brief() + " (holdfast partner list shows them)"};
}

// A token is used up by one trust, which may repeat its call if the answer was lost.
Result<void> Partners::pair(const Pairing& pairing, std::int64_t now_ms) {
    if (!pairing.address.empty()) HF_TRY(check_address(pairing.address));
    Partner partner;
    partner.trust = pairing.trust;
    partner.paired_ms = now_ms;
    const Partner* known = find(pairing.trust);
    Chain chain;
    if (known != nullptr) {
        partner = *known;
        chain = HF_TRY(grow(*known, pairing.rosters));
        if (known->tls_key != pairing.tls_key) partner.confirmed = false;
    } else if (all_.size() >= partners_max) {
        return Error{Errc::Full, "at most " + std::to_string(partners_max) + " partners"};
    } else {
        chain = HF_TRY(read_chain(pairing.rosters, pairing.trust));
    }
    if (!speaks_for(pairing.tls_key, chain.newest)) {
        return Error{Errc::Denied, "TLS key " + pairing.tls_key.brief() +
                                       " is not that of an active node in roster " +
                                       std::to_string(chain.newest.number) + " of " +
                                       chain.newest.name};
    }
    partner.address = pairing.address;
    partner.tls_key = pairing.tls_key;
    partner.roster = std::move(chain.newest);
    partner.rosters = std::move(chain.objects);
    HF_TRY(check_keys(partner));
    if (pairing.token) HF_TRY(use_token(*pairing.token, pairing.trust, now_ms));
    return store(std::move(partner));
}

// Else a partner could claim another's key, and keep that one out.
Result<void> Partners::check_keys(const Partner& partner) const {
    for (const auto& [trust, other] : all_) {
        if (trust == partner.trust) continue;
        for (const vault::RosterNode& node : partner.roster.nodes) {
            if (node.state == vault::NodeState::Active &&
                speaks_for(KeyHash{node.tls_key.digest}, other.roster)) {
                return Error{Errc::Denied, "the roster of " + partner.roster.name +
                                               " claims a TLS key of " + other.name};
            }
        }
    }
    return {};
}

Result<vault::Roster> Partners::preview(const TrustId& trust,
                                        const std::vector<Buffer>& rosters) const {
    return HF_TRY(grow(*HF_TRY(need(trust)), rosters)).newest;
}

Result<bool> Partners::take_rosters(const TrustId& trust, const std::vector<Buffer>& rosters) {
    Partner partner = *HF_TRY(need(trust));
    Chain grown = HF_TRY(grow(partner, rosters));
    if (grown.newest.number == partner.roster.number) return false;
    partner.roster = std::move(grown.newest);
    partner.rosters = std::move(grown.objects);
    HF_TRY(check_keys(partner));
    HF_TRY(store(std::move(partner)));
    return true;
}

Result<void> Partners::confirm(const TrustId& trust) {
    Partner partner = *HF_TRY(need(trust));
    partner.confirmed = true;
    return store(std::move(partner));
}

Result<void> Partners::set_address(const TrustId& trust, const std::string& address,
                                   const KeyHash& key) {
    HF_TRY(check_address(address));
    Partner partner = *HF_TRY(need(trust));
    if (!speaks_for(key, partner.roster)) {
        return Error{Errc::Denied, "that key is not of an active node of " + partner.name};
    }
    partner.address = address;
    partner.tls_key = key;
    return store(std::move(partner));
}

Result<void> Partners::invite(const PairingToken& token, std::int64_t now_ms) {
    return db_->transaction([&]() -> Result<void> {
        auto old = HF_TRY(db_->prepare("DELETE FROM invitation WHERE expires_ms < ?"));
        old.bind(0, now_ms);
        HF_TRY(old.run());
        auto row =
            HF_TRY(db_->prepare("INSERT INTO invitation (token_hash, expires_ms) VALUES (?, ?)"));
        const Digest digest = token_hash(token);
        row.bind(0, digest.view()).bind(1, now_ms + invitation_life_ms);
        return row.run();
    });
}

Result<void> Partners::use_token(const PairingToken& token, const TrustId& user,
                                 std::int64_t now_ms) {
    const Digest digest = token_hash(token);
    auto row =
        HF_TRY(db_->prepare("UPDATE invitation SET used_by = ?1 WHERE token_hash = ?2 AND "
                            "expires_ms > ?3 AND (used_by IS NULL OR used_by = ?1)"));
    row.bind(0, user.view()).bind(1, digest.view()).bind(2, now_ms);
    HF_TRY(row.run());
    if (db_->changed_rows() == 1) return {};
    return refuse(Refusal::BadToken,
                  "the invitation is unknown here, used already or over its date: ask the other "
                  "trust for a new one (holdfast partner invite)");
}

}  // namespace holdfast::replicator
