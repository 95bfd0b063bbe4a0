#include "agent/recover/recover.h"

#include "agent/node/node.h"
#include "agent/recover/bring_back.h"
#include "agent/recover/kit_partners.h"
#include "agent/recover/recovery_state.h"
#include "replicator/agreement/agreement.h"
#include "replicator/peer/partner_store.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>

namespace holdfast::agent {
namespace {

class Recovery {
public:
    Recovery(const Home& home, const vault::Kit& kit, const vault::KitSecrets& secrets,
             const RecoverSettings& settings, const Clock& clock,
             replicator::PullProgress& progress)
        : home_(home),
          kit_(kit),
          secrets_(secrets),
          settings_(settings),
          clock_(clock),
          progress_(progress) {}

    Result<RecoverReport> run(vault::Random& random);

private:
    Result<void> reach_partners(const replicator::TlsIdentity& identity);
    Result<void> settle_roster(const RecoveryState& state, const AgentKeys& agent,
                               const LinkKeys& link);
    Result<Buffer> sign_next(const vault::Roster& newest, const AgentKeys& agent,
                             const LinkKeys& link) const;
    Result<void> tell_roster();
    Result<void> pull_vault(const replicator::TlsIdentity& identity, const AgentKeys& agent);
    Result<void> bring_back(const AgentKeys& agent);
    Result<void> pair_partners();
    std::int64_t first_agreement_ms();
    Result<void> finish(const RecoveryState& state);

    const Home& home_;
    const vault::Kit& kit_;
    const vault::KitSecrets& secrets_;
    const RecoverSettings& settings_;
    const Clock& clock_;
    replicator::PullProgress& progress_;
    std::vector<ReachedPartner> reached_;  // The host first.
    std::vector<Buffer> rosters_;
    vault::Roster roster_;
    RecoverReport report_;
};

Result<RecoverReport> Recovery::run(vault::Random& random) {
    report_.trust = kit_.trust;
    const vault::KitPartner host = HF_TRY(find_host(kit_, settings_.host));
    const RecoveryState state = HF_TRY(RecoveryState::begin(home_, kit_.trust));
    const AgentKeys agent = HF_TRY(state.agent_keys(random));
    const LinkKeys link = HF_TRY(state.link_keys(random));
    reached_.push_back(HF_TRY(reach(host, kit_, secrets_, link.tls, clock_.wall_ms())));
    HF_TRY(reach_partners(link.tls));
    HF_TRY(settle_roster(state, agent, link));
    HF_TRY(tell_roster());
    HF_TRY(pull_vault(link.tls, agent));
    HF_TRY(bring_back(agent));
    HF_TRY(pair_partners());
    HF_TRY(finish(state));
    return std::move(report_);
}

/// The others may know a newer roster than the host does; those that do not answer are told.
Result<void> Recovery::reach_partners(const replicator::TlsIdentity& identity) {
    for (const vault::KitPartner& one : kit_.partners) {
        if (one == reached_.front().partner) continue;
        auto reached = reach(one, kit_, secrets_, identity, clock_.wall_ms());
        if (reached) {
            reached_.push_back(*std::move(reached));
            continue;
        }
        report_.warnings.push_back("not paired with " + reached.error().message +
                                   "; pair anew by an invitation when it answers");
    }
    return {};
}

/// The chain that ends in `newest`, first to last. What partners gave beside it is left out.
Result<std::vector<Buffer>> chain_to(const vault::Roster& newest,
                                     const std::vector<Buffer>& objects) {
    std::map<Digest, const Buffer*> by_digest;
    for (const Buffer& object : objects) by_digest[vault::record_digest(object)] = &object;
    std::vector<Buffer> chain;
    for (Digest wanted = newest.digest; !wanted.zero();) {
        const auto found = by_digest.find(wanted);
        if (found == by_digest.end()) return Error{Errc::Corrupt, "a roster is missing"};
        chain.push_back(*found->second);
        wanted = HF_TRY(vault::parse_roster(chain.back())).previous;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
}

/// Uses the roster that an interrupted recovery signed, unless the chain has gone on without it.
Result<void> Recovery::settle_roster(const RecoveryState& state, const AgentKeys& agent,
                                     const LinkKeys& link) {
    for (const ReachedPartner& one : reached_) {
        rosters_.insert(rosters_.end(), one.rosters.begin(), one.rosters.end());
    }
    vault::Roster newest = HF_TRY(vault::newest_roster(rosters_, kit_.trust));
    const auto signed_before = HF_TRY(state.roster());
    if (signed_before) {
        vault::Roster ours = HF_TRY(vault::parse_roster(*signed_before));
        if (ours.digest != newest.digest && vault::verify_successor(newest, ours)) {
            rosters_.push_back(*signed_before);
            newest = std::move(ours);
        }
    }
    const Digest tls_key{link.tls.key_hash().digest};
    const vault::RosterNode* node = newest.node_by_tls_key(tls_key);
    if (node == nullptr) {
        rosters_.push_back(HF_TRY(sign_next(newest, agent, link)));
        newest = HF_TRY(vault::parse_roster(rosters_.back()));
        HF_TRY(state.keep_roster(rosters_.back()));
        node = newest.node_by_tls_key(tls_key);
    }
    if (node->state != vault::NodeState::Active) {
        return Error{Errc::Conflict,
                     "this node was revoked meanwhile: another machine has become "
                     "the trust's node. Use another, empty home to replace that"};
    }
    rosters_ = HF_TRY(chain_to(newest, rosters_));
    report_.node = node->name;
    for (const vault::RosterNode& one : newest.nodes) {
        if (one.state == vault::NodeState::Revoked) report_.revoked.push_back(one.name);
    }
    roster_ = std::move(newest);
    return {};
}

std::string free_node_name(const vault::Roster& roster) {
    for (std::size_t number = roster.nodes.size() + 1;; ++number) {
        const std::string name = "node-" + std::to_string(number);
        if (roster.node_by_name(name) == nullptr) return name;
    }
}

// The lost node's office key stays an officer: what it signed, people's certificates and
// agreements, must hold, and whoever has it now reaches no partner, since its link is revoked.
Result<Buffer> Recovery::sign_next(const vault::Roster& newest, const AgentKeys& agent,
                                   const LinkKeys& link) const {
    if (newest.recovery_key != secrets_.recovery.public_key) {
        return Error{Errc::Denied,
                     "the kit is older than the trust's recovery key: find the newest"};
    }
    const std::string name =
        settings_.node_name.empty() ? free_node_name(newest) : settings_.node_name;
    if (newest.node_by_name(name) != nullptr) {
        return Error{Errc::Invalid, "a node of the trust was called " + name +
                                        " before: choose another name (--node)"};
    }
    vault::Roster next = vault::next_roster(newest, clock_.wall_ms());
    for (const vault::RosterNode& node : newest.nodes) {
        HF_TRY(vault::revoke_node(next, node.ledger_key));
    }
    next.nodes.push_back(roster_node(name, agent, link));
    next.officers.push_back({"office of " + name, agent.office.public_key});
    Buffer object = HF_TRY(vault::sign_roster(next, secrets_.trust));
    HF_TRY(vault::verify_successor(newest, HF_TRY(vault::parse_roster(object)))
               .within("the kit's trust key is not the roster's"));
    return object;
}

Result<void> Recovery::tell_roster() {
    for (std::size_t i = 0; i < reached_.size(); ++i) {
        // Only what it lacks: a trust with a long history would not fit into one message.
        std::vector<Buffer> lacking;
        for (const Buffer& object : rosters_) {
            const auto& known = reached_[i].rosters;
            if (std::ranges::find(known, object) == known.end()) lacking.push_back(object);
        }
        if (lacking.empty()) continue;
        const auto told = reached_[i].client.put_rosters(lacking);
        if (told) continue;
        const std::string problem = reached_[i].partner.name + ": " + told.error().message;
        if (i == 0) return Error{told.error().code, problem};
        report_.warnings.push_back("does not know this node yet: " + problem);
    }
    fault_point("roster brought");
    return {};
}

Result<void> Recovery::pull_vault(const replicator::TlsIdentity& identity, const AgentKeys& agent) {
    const vault::KitPartner& host = reached_.front().partner;
    replicator::PartnerStoreSettings from;
    from.peer.base_url = "https://" + host.address;
    from.peer.key = replicator::KeyHash{host.tls_key.digest};
    from.path = "/trusts/" + kit_.trust.hex() + "/objects";
    from.identity = &identity;
    from.read_ahead_leaves = 64;
    const auto store = HF_TRY(replicator::PartnerStore::make(std::move(from)));
    auto to = vault::PosixStore::open(home_.vault);
    if (!to && to.error().code == Errc::NotFound) {
        // What a killed run made of it so far holds no object yet.
        std::error_code failed;
        std::filesystem::remove_all(home_.vault, failed);
        to = vault::PosixStore::make(home_.vault);
    }
    if (!to) return to.error();
    RecoveredDomains domains(*to, roster_, secrets_.recovery);
    replicator::PullSettings settings;
    settings.rewrap = [&](const EpochId& id, Buffer object) {
        return domains.rewrap(id, std::move(object), agent.box.public_key);
    };
    report_.pulled = HF_TRY(
        replicator::pull(*store, rosters_, roster_, *to, settings, progress_).within(host.name));
    return {};
}

Result<void> Recovery::bring_back(const AgentKeys&) {
    auto store = HF_TRY(vault::PosixStore::open(home_.vault));
    RecoveredDomains domains(store, roster_, secrets_.recovery);
    HF_TRY(domains.write_keys(home_, report_.warnings));
    HF_TRY(bring_systems(home_, store, roster_, domains, report_));
    HF_TRY(bring_custodians(home_, store, roster_, report_));
    const auto papers = reached_.front().client.papers();
    if (!papers) return papers.error();
    return bring_people(home_, *papers, roster_, first_agreement_ms(), report_);
}

/// Who was certified before the trust's first agreement need not wait for a day.
std::int64_t Recovery::first_agreement_ms() {
    std::int64_t first_ms = std::numeric_limits<std::int64_t>::max();
    for (ReachedPartner& one : reached_) {
        const auto agreements = one.client.agreements();
        if (!agreements) continue;
        for (const Buffer& object : *agreements) {
            const auto record = vault::parse_record(object);
            const auto terms = record ? replicator::parse_agreement(*record)
                                      : Result<replicator::Agreement>(record.error());
            if (terms) first_ms = std::min(first_ms, terms->valid_from);
        }
    }
    return std::min(first_ms, clock_.wall_ms());
}

Result<void> Recovery::pair_partners() {
    for (std::size_t i = 0; i < reached_.size(); ++i) {
        const std::string& name = reached_[i].partner.name;
        const auto paired =
            pair_again(home_, reached_[i], roster_, clock_.wall_ms(), report_.warnings);
        if (paired) {
            report_.partners.push_back(name);
        } else if (i == 0) {
            return Error{paired.error().code, name + ": " + paired.error().message};
        } else {
            report_.warnings.push_back("not paired with " + name + ": " + paired.error().message);
        }
    }
    return {};
}

Result<void> Recovery::finish(const RecoveryState& state) {
    for (const std::string* folder : {&home_.systems, &home_.runtimes, &home_.tenants,
                                      &home_.people, &home_.mounts, &home_.run}) {
        HF_TRY(make_folders(*folder, 0755));
    }
    NodeSettings node;
    node.trust = kit_.trust;
    node.name = report_.node;
    node.peer = settings_.peer;
    node.console = settings_.console;
    HF_TRY(write_node(home_, node));
    fault_point("node written");
    HF_TRY(open_node(home_).within("the node is made, but does not open"));
    return state.end();  // Last: whoever finds its folder gone is told that this is a node already.
}

}  // namespace

Result<RecoverReport> recover_node(const Home& home, const vault::Kit& kit,
                                   const vault::KitSecrets& secrets,
                                   const RecoverSettings& settings, const Clock& clock,
                                   vault::Random& random, replicator::PullProgress& progress) {
    if (RecoveryState::only_end_is_missing(home)) {
        const Node node = HF_TRY(open_node(home));
        RecoverReport report;
        report.trust = node.settings.trust;
        report.node = node.settings.name;
        report.was_done = true;
        HF_TRY(RecoveryState::end_of(home));
        return report;
    }
    return Recovery(home, kit, secrets, settings, clock, progress).run(random);
}

}  // namespace holdfast::agent
