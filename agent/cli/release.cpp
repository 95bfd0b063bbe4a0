#include "agent/cli/release.h"

#include "agent/people/custody_files.h"
#include "agent/people/people_book.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <algorithm>

namespace holdfast::agent::cli {
namespace {

Result<void> check_agreed(replicator::ControlClient& replicator,
                          const replicator::PartnerInfo& partner, const std::string& system,
                          const TrustId& own) {
    for (const auto& held : HF_TRY(replicator.agreements(partner.trust))) {
        const bool in_force =
            held.terms.owner == own && held.terms.number == partner.agreement_as_owner;
        if (!in_force) continue;
        if (std::ranges::find(held.terms.may_run, system) != held.terms.may_run.end()) return {};
        return Error{Errc::Denied, "agreement " + std::to_string(held.terms.number) + " with " +
                                       partner.name + " does not let " + system + " run there"};
    }
    return Error{Errc::Denied, "no agreement in date lets systems run at " + partner.name};
}

/// The newest, or the one asked for, of those that the partner holds by its own receipts.
Result<std::string> receipted(const Node& node, replicator::ControlClient& replicator,
                              const replicator::PartnerInfo& partner,
                              const ReleaseOptions& options) {
    std::vector<ListId> lists;
    for (const auto& one : HF_TRY(replicator.receipts(partner.trust))) lists.push_back(one.list);
    const auto& all = node.vault->reader().snapshots();
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
        if (at->system != options.system || !at->id.hex().starts_with(options.snapshot)) continue;
        if (std::ranges::find(lists, at->list) != lists.end()) return at->id.hex();
    }
    return Error{Errc::NotFound, partner.name + " has receipted no snapshot " +
                                     options.snapshot.substr(0, 12) +
                                     (options.snapshot.empty() ? "of " : " of ") + options.system +
                                     " (holdfast replicate brings it there)"};
}

Result<EnvelopeHost> linked_node(replicator::ControlClient& replicator,
                                 const replicator::PartnerInfo& partner) {
    const vault::Roster roster = HF_TRY(replicator.partner_roster(partner.trust));
    const vault::RosterNode* node = roster.node_by_tls_key(Digest{partner.tls_key.digest});
    if (node != nullptr && node->state == vault::NodeState::Active) {
        return EnvelopeHost{partner.trust, node->box_key};
    }
    return envelope_host(roster);
}

}  // namespace

Result<vault::NewRelease> make_for(const Home& home, replicator::ControlClient& replicator,
                                   const replicator::PartnerInfo& partner,
                                   const ReleaseOptions& options) {
    if (options.days < 1 || options.days > release_days_max) {
        return Error{Errc::Invalid, "--days: expected 1 to " + std::to_string(release_days_max)};
    }
    const Node node = HF_TRY(open_node(home));
    HF_TRY(check_agreed(replicator, partner, options.system, node.settings.trust));
    const EnvelopeHost host = HF_TRY(linked_node(replicator, partner));
    ReleaseOrder order;
    order.host = host.trust;
    order.host_key = host.box_key;
    order.system = options.system;
    order.snapshot = HF_TRY(receipted(node, replicator, partner, options));
    order.purpose = options.purpose.empty() ? "a run of " + options.system + " at " + partner.name
                                            : options.purpose;
    order.until_ms = system_clock().wall_ms() + options.days * day_ms;
    return make_release(node, order, system_clock());
}

Result<void> sign_release(const Home& home, vault::Record& record, const PersonKeyFile& file) {
    const Node node = HF_TRY(open_node(home));
    const PeopleBook book = HF_TRY(PeopleBook::load(home, node.vault->roster()));
    const vault::SigningKey key = HF_TRY(open_person_key(file));
    const std::int64_t now_ms = system_clock().wall_ms();
    const auto approver = book.people().may(key.public_key, vault::Role::Approver, now_ms);
    if (!approver && !book.people().may(key.public_key, vault::Role::Operator, now_ms)) {
        return approver.error();
    }
    const vault::PersonCertificate* person = book.people().by_key(key.public_key);
    for (const vault::RecordSignature& one : record.signatures) {
        const vault::PersonCertificate* before = book.people().by_key(one.signer);
        if (before != nullptr && before->person == person->person) {
            return Error{Errc::Conflict,
                         person->name + " has signed already; a second person must sign"};
        }
    }
    vault::sign(record, key);
    return {};
}

Result<vault::NewRelease> signed_release(const Home& home, replicator::ControlClient& replicator,
                                         const replicator::PartnerInfo& partner,
                                         const ReleaseOptions& options) {
    if (options.key_files.size() != 2) {
        return Error{Errc::Invalid,
                     "two people release a snapshot: give --release-key-file twice, or, if they "
                     "are not in one room, --release FILE (holdfast release make)"};
    }
    vault::NewRelease made = HF_TRY(make_for(home, replicator, partner, options));
    for (std::size_t i = 0; i < options.key_files.size(); ++i) {
        const std::string passphrase =
            i < options.passphrase_files.size() ? options.passphrase_files[i] : "";
        HF_TRY(sign_release(home, made.record, {options.key_files[i], passphrase, ""}));
    }
    return made;
}

Result<vault::NewRelease> read_release(const std::string& file) {
    const Buffer text = HF_TRY(read_file(file, release_text_bytes_max));
    return parse_release_text(as_text(text)).within(file);
}

}  // namespace holdfast::agent::cli
