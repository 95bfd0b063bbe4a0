#include "agent/recover/kit_partners.h"

#include "replicator/agreement/return_order.h"
#include "replicator/state/partners.h"
#include "replicator/state/promises.h"
#include "replicator/state/state_file.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"

namespace holdfast::agent {
namespace {

constexpr std::size_t id_digits_min = 4;

std::string names_of(const vault::Kit& kit) {
    std::string out;
    for (const vault::KitPartner& one : kit.partners) {
        out += (out.empty() ? "" : ", ") + one.name;
    }
    return out;
}

Error told(const vault::KitPartner& partner, Error error) {
    error.message = partner.name + " at " + partner.address + ": " + error.message;
    if (error.code == Errc::Denied) {
        error.message +=
            ". Either another machine answers there, or " + partner.name +
            " does not know this trust by this kit: ring them; another partner of the kit may do";
    }
    return error;
}

}  // namespace

Result<vault::KitPartner> find_host(const vault::Kit& kit, const std::string& text) {
    if (kit.partners.empty()) {
        return Error{
            Errc::NotFound,
            "this kit names no partner: it was made before any was paired with. Is there a "
            "newer one (holdfast recovery kit)?"};
    }
    std::vector<vault::KitPartner> found;
    for (const vault::KitPartner& one : kit.partners) {
        const bool by_id = text.size() >= id_digits_min && one.trust.hex().starts_with(text);
        if (by_id || one.name == text) found.push_back(one);
    }
    if (found.size() == 1) return std::move(found.front());
    if (found.empty()) {
        return Error{Errc::NotFound,
                     "the kit names no partner \"" + text + "\"; it names " + names_of(kit)};
    }
    return Error{Errc::Invalid, "the kit names several partners \"" + text + "\": give the id"};
}

Result<ReachedPartner> reach(const vault::KitPartner& partner, const vault::Kit& kit,
                             const vault::KitSecrets& secrets,
                             const replicator::TlsIdentity& identity, std::int64_t now_ms) {
    const replicator::PeerEnd end{partner.address, replicator::KeyHash{partner.tls_key.digest},
                                  kit.trust, 0};
    auto client = HF_TRY(replicator::PeerClient::make(end, identity));
    const Buffer order = replicator::make_return_order(kit.trust, partner.trust,
                                                       identity.key_hash(), secrets.trust, now_ms);
    auto chain = client.come_back(order);
    if (!chain) return told(partner, std::move(chain).error());
    return ReachedPartner{partner, std::move(client), std::move(chain->rosters)};
}

Result<void> pair_again(const Home& home, ReachedPartner& reached, const vault::Roster& own,
                        std::int64_t now_ms, std::vector<std::string>& warnings) {
    const vault::KitPartner& partner = reached.partner;
    const replicator::RosterChain chain = HF_TRY(reached.client.rosters());
    if (chain.trust != partner.trust) {
        return Error{Errc::Denied, "another trust than the kit's answers at " + partner.address};
    }
    vault::Database db = HF_TRY(replicator::open_state(home.state + "/replicator.db"));
    const auto partners = HF_TRY(replicator::Partners::open(db));
    HF_TRY(
        partners->pair({partner.trust, partner.address, replicator::KeyHash{partner.tls_key.digest},
                        chain.rosters, std::nullopt},
                       now_ms));
    // The kit names only those whose words were compared, and its key is who answered.
    HF_TRY(partners->confirm(partner.trust));
    fault_point("partner paired again");
    replicator::Promises promises(db);
    const vault::Roster& theirs = partners->find(partner.trust)->roster;
    for (const Buffer& object : HF_TRY(reached.client.agreements())) {
        const auto record = vault::parse_record(object);
        const auto terms = record ? replicator::parse_agreement(*record)
                                  : Result<replicator::Agreement>(record.error());
        const bool we_own = terms && terms->owner == own.trust;
        const auto kept =
            terms ? promises.put_agreement(object, we_own ? own : theirs, we_own ? theirs : own)
                  : Result<replicator::HeldAgreement>(terms.error());
        if (!kept) warnings.push_back(partner.name + ": an agreement: " + kept.error().message);
    }
    return {};
}

}  // namespace holdfast::agent
