// What a tenancy lets in: one check for each kind of object.
#include "replicator/tenancy/refusal.h"
#include "replicator/tenancy/tenancy.h"

#include "vault/base/fault.h"
#include "vault/base/temporary.h"
#include "vault/keys/custody.h"
#include "vault/keys/domain.h"
#include "vault/keys/epoch.h"
#include "vault/keys/person.h"
#include "vault/ledger/body.h"
#include "vault/ledger/carry.h"
#include "vault/ledger/list.h"
#include "vault/ledger/may_sign.h"

#include <algorithm>
#include <filesystem>

namespace holdfast::replicator {
namespace {

constexpr std::size_t packs_named_max = 8;  // In a message about missing ones.

Error not_its_name(const std::string& name) {
    return refuse(Refusal::NotItsName, "these bytes are not what " + name + " names");
}

template <class SomeId>
Result<SomeId> id_of(const std::string& name) {
    return SomeId{HF_TRY(vault::id_in_name(name)).digest};
}

// Its content is read on the day it is opened; what counts now is whose it is and for whom.
Result<void> check_envelope(const vault::Record& record, const TrustId& host,
                            const vault::Roster& owner) {
    HF_TRY(vault::expect(record, "envelope", vault::addressed_to(host)));
    const bool ours = std::ranges::any_of(owner.nodes, [&](const vault::RosterNode& node) {
        return node.state == vault::NodeState::Active && vault::signed_by(record, node.ledger_key);
    });
    if (ours) return {};
    return Error{Errc::Denied, "an envelope that no active node of " + owner.name + " signed"};
}

}  // namespace

std::uint64_t Tenancy::bytes_max_of(const std::string& name) {
    if (name.starts_with("pack/")) return vault::object_bytes_max;
    if (name.starts_with("epoch/")) return vault::epoch_object_max;
    if (name.starts_with("list/")) return tenancy_list_bytes_max;
    if (name.starts_with("ledger/")) return vault::ledger_entry_bytes_max;
    return vault::record_bytes_max;
}

vault::MaySign Tenancy::may_sign() const {
    return vault::nodes_may_sign(roster_);
}

Result<Stored> Tenancy::put(const std::string& name, View object, const Terms& terms,
                            EntryList list) {
    HF_TRY(ready());
    HF_TRY(vault::check_object_name(name));
    if (object.size() > bytes_max_of(name)) {
        return refuse(Refusal::TooLong,
                      name + ": at most " + std::to_string(bytes_max_of(name)) + " bytes");
    }
    if (name.starts_with("ledger/")) return put_entry(name, object, terms, list);
    if (has(name)) return Stored::Was;
    HF_TRY(check_room(object.size(), terms));
    HF_TRY(check_object(name, object));
    HF_TRY(store_->put(name, object));
    note_stored(object.size(), false);
    fault_point("object stored in a tenancy");
    return Stored::New;
}

Result<void> Tenancy::check_object(const std::string& name, View object) {
    if (name.starts_with("epoch/")) return check_epoch(name, object);
    if (name.starts_with("list/")) return check_list(name, object);
    if (name.starts_with("domain/")) return check_domain(name, object);
    if (name.starts_with("custody/")) return check_custody(name, object);
    return Error{Errc::Invalid,
                 "no object of a vault is called " + name + " (rosters come by PUT /roster)"};
}

Result<void> Tenancy::check_domain(const std::string& name, View object) const {
    const auto sealed = HF_TRY(vault::sealed_name(name));
    const DomainId id{sealed.id.digest};
    if (vault::domain_name(id, sealed.seal) != name) return not_its_name(name);
    const auto domain = HF_TRY(vault::parse_domain(object, id, roster_));
    return domain.seal == sealed.seal ? Result<void>() : not_its_name(name);
}

Result<void> Tenancy::check_custody(const std::string& name, View object) const {
    const auto custody = HF_TRY(vault::parse_custody(object, roster_));
    const std::string number = vault::roster_name(custody.number);  // The same 16 digits.
    if (name != "custody/" + number.substr(number.rfind('/') + 1)) return not_its_name(name);
    return {};
}

Result<void> Tenancy::check_epoch(const std::string& name, View object) const {
    const auto sealed = HF_TRY(vault::sealed_name(name));
    const EpochId id{sealed.id.digest};
    auto info = vault::parse_epoch(object, id);
    if (!info || vault::epoch_name(id, sealed.seal) != name) return not_its_name(name);
    if (has(vault::domain_name(info->domain, sealed.seal))) return {};
    return refuse(Refusal::DomainMissing,
                  "domain " + info->domain.hex() + " must come before " + name);
}

// A base that is here is complete; so only the packs that this object adds can be missing.
Result<void> Tenancy::check_list(const std::string& name, View object) const {
    const auto id = HF_TRY(id_of<ListId>(name));
    const auto parsed = vault::parse_list(object);
    if (!parsed || vault::list_name(id) != name) return not_its_name(name);
    if (!parsed->base.zero() && !has(vault::list_name(parsed->base))) {
        return refuse(Refusal::BaseMissing,
                      "list " + parsed->base.hex() + " must come before " + name);
    }
    std::uint64_t missing = 0;
    std::string named;
    for (const PackId& pack : parsed->added) {
        if (has(vault::pack_name(pack))) continue;
        if (missing++ < packs_named_max) named += (named.empty() ? "" : ", ") + pack.hex();
    }
    if (missing != 0) {
        return refuse(Refusal::PacksMissing,
                      std::to_string(missing) + " packs of " + name + " are not here: " + named);
    }
    const auto resolved = vault::resolve_list(id, [&](const ListId& one) -> Result<Buffer> {
        if (one == id) return Buffer(object.begin(), object.end());
        return store_->get_all(vault::list_name(one), tenancy_list_bytes_max);
    });
    if (resolved) return {};
    if (resolved.error().code == Errc::Corrupt) return not_its_name(name);
    return resolved.error();
}

Result<Stored> Tenancy::check_entry_place(const vault::Envelope& envelope,
                                          const vault::Chain& chain) {
    const std::string name = vault::entry_name(envelope.chain, envelope.number);
    const std::string where =
        name + ": the chain has " + std::to_string(chain.length()) + " entries here, ";
    if (envelope.number > chain.length()) {
        return refuse(Refusal::EntryMissing, where + "bring those before this one first");
    }
    if (envelope.number < chain.length()) {
        const Buffer ours = HF_TRY(store_->get_all(name, vault::ledger_entry_bytes_max));
        if (HF_TRY(vault::parse_entry(ours)).envelope == envelope) return Stored::Was;
        return refuse(Refusal::Fork, where + "and another one of this number");
    }
    if (envelope.previous != chain.head().root) {
        return refuse(Refusal::Fork, where + "and this one goes on from others");
    }
    return Stored::New;
}

// Only a tenancy that lost files is shorter than what was witnessed.
Result<void> Tenancy::check_witnessed(const vault::Envelope& envelope,
                                      const vault::Chain& chain) const {
    const auto seen = witnessed_.find(envelope.chain);
    if (seen == witnessed_.end() || seen->second.length != envelope.number + 1) return {};
    vault::Chain grown = chain;
    HF_TRY(grown.append(envelope, may_sign()));
    if (grown.head() == seen->second) return {};
    return refuse(Refusal::Fork, "this host has witnessed another entry " +
                                     std::to_string(envelope.number) + " of chain " +
                                     envelope.chain.hex());
}

Result<Stored> Tenancy::put_entry(const std::string& name, View object, const Terms& terms,
                                  EntryList list) {
    const auto entry = vault::parse_entry(object);
    if (!entry || vault::entry_name(entry->envelope.chain, entry->envelope.number) != name) {
        return not_its_name(name);
    }
    const vault::Envelope& envelope = entry->envelope;
    if (envelope.trust != owner_) return not_its_name(name);
    auto known = chains_.find(envelope.chain);
    vault::Chain anew(owner_, envelope.chain);
    const bool lags = known == chains_.end() || envelope.number > known->second.length();
    const auto place = vault::carry_place(*entry);
    if (lags && place && place->part == 0) {
        anew = HF_TRY(vault::chain_before(*entry));
        known = chains_.end();
    }
    const vault::Chain& chain = known == chains_.end() ? anew : known->second;
    if (HF_TRY(check_entry_place(envelope, chain)) == Stored::Was) return Stored::Was;
    if (!chains_.contains(envelope.chain) && chains_.size() >= tenancy_chains_max) {
        return Error{Errc::Full,
                     "a tenancy has at most " + std::to_string(tenancy_chains_max) + " chains"};
    }
    if (!vault::signature_holds(envelope) || !may_sign()(envelope)) {
        return Error{Errc::Denied, name + ": not signed by a node of the owner's roster"};
    }
    HF_TRY(check_witnessed(envelope, chain));
    const bool needs_list = list == EntryList::Needed && !envelope.list.zero();
    if (needs_list && !has(vault::list_name(envelope.list))) {
        return refuse(Refusal::ListMissing,
                      "list " + envelope.list.hex() + " must come before " + name);
    }
    const EpochId epoch = vault::body_epoch(*entry);
    const bool has_epoch =
        has(vault::epoch_name(epoch)) || has(vault::epoch_name(epoch, roster_.seal));
    if (!epoch.zero() && !has_epoch) {
        return refuse(Refusal::EpochMissing, "epoch " + epoch.hex() + " must come before " + name);
    }
    HF_TRY(store_entry(name, object, terms));
    if (known == chains_.end()) known = chains_.insert_or_assign(envelope.chain, anew).first;
    HF_TRY(known->second.append(envelope, may_sign()));
    return Stored::New;
}

/// A carry that was cut off before its last part counts for nothing when the tenancy is read again,
/// and comes again: then its first parts are here.
Result<void> Tenancy::store_entry(const std::string& name, View object, const Terms& terms) {
    const auto here = store_->get_all(name, vault::ledger_entry_bytes_max);
    if (here && std::ranges::equal(*here, object)) return {};
    if (here) return refuse(Refusal::Fork, name + ": another entry of this number is here");
    if (here.error().code != Errc::NotFound) return here.error();
    HF_TRY(check_room(object.size(), terms));
    HF_TRY(store_->put(name, object));
    fault_point("ledger entry stored in a tenancy");
    note_stored(object.size(), false);
    return {};
}

Result<Stored> Tenancy::put_paper(View object) {
    HF_TRY(ready());
    if (object.size() > tenancy_paper_bytes_max) {
        return refuse(Refusal::TooLong,
                      "a paper has at most " + std::to_string(tenancy_paper_bytes_max) + " bytes");
    }
    const auto record = HF_TRY(vault::parse_record(object));
    if (record.type == "person") {
        HF_TRY(vault::parse_certificate(object, roster_));
    } else if (record.type == "envelope") {
        HF_TRY(check_envelope(record, host_, roster_));
    } else if (record.type == "custody") {
        HF_TRY(vault::parse_custody(object, roster_));
    } else {
        return Error{Errc::Invalid,
                     "papers are records of type person, envelope or custody, not " + record.type};
    }
    const std::string folder = folder_ + "/papers/" + record.type;
    const std::string path = folder + "/" + vault::record_digest(object).hex();
    if (path_exists(path)) return Stored::Was;
    HF_TRY(make_folders(folder));
    if (HF_TRY(papers()).size() >= tenancy_papers_max) {
        return Error{Errc::Full, "at most " + std::to_string(tenancy_papers_max) +
                                     " papers are kept for a trust"};
    }
    HF_TRY(write_file_durably(path, object, 0640));
    return Stored::New;
}

Result<std::vector<Buffer>> Tenancy::papers() const {
    HF_TRY(ready());
    std::vector<std::string> paths;
    std::error_code failed;
    for (std::filesystem::recursive_directory_iterator at(folder_ + "/papers", failed), end;
         !failed && at != end; at.increment(failed)) {
        const std::string path = at->path().string();
        if (at->is_regular_file(failed) && !is_temporary(path)) {
            paths.push_back(path);
        }
    }
    if (failed) return Error{Errc::Io, "read " + folder_ + "/papers: " + failed.message()};
    std::sort(paths.begin(), paths.end());
    std::vector<Buffer> out;
    out.reserve(paths.size());
    for (const std::string& path : paths) {
        out.push_back(HF_TRY(read_file(path, vault::record_bytes_max)));
    }
    return out;
}

}  // namespace holdfast::replicator
