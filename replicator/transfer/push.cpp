#include "replicator/transfer/push.h"

#include "replicator/peer/own_node.h"
#include "replicator/tenancy/refusal.h"
#include "replicator/transfer/patient_client.h"
#include "vault/base/fault.h"
#include "vault/base/worker_pool.h"
#include "vault/keys/custody.h"
#include "vault/keys/key_ring.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/list.h"
#include "vault/ledger/open_body.h"
#include "vault/ledger/standing.h"
#include "vault/vault_reader.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

namespace holdfast::replicator {
namespace {

constexpr std::size_t receipts_at_once_max = 64;

class Pusher {
public:
    Pusher(const vault::PosixStore& vault, const TlsIdentity& identity,
           const PushSettings& settings, PushProgress& progress, PushReport& report)
        : vault_(vault),
          identity_(&identity),
          settings_(&settings),
          progress_(&progress),
          report_(&report),
          ledger_(vault_, settings.own_roster) {}

    Result<void> run();

private:
    /// As it was when the partner was asked: the ledger may be read again meanwhile.
    struct Chain {
        ChainId id;
        std::vector<vault::LedgerEntry> entries;
        std::size_t carried = 0;  // The first so many are in a carry, which is the next.
        std::size_t at = 0;       // The first that the partner lacks; at least `carried`.
        /// Before `carried`, and not carried over: what a partner lacks that lags behind.
        std::vector<vault::LedgerEntry> missed;
    };

    Result<void> connect();
    Result<void> exchange_papers();
    Result<PeerStatus> compare_chains();
    Result<void> compare(const vault::ChainHead& theirs);
    Result<void> bridge(Chain& chain, const vault::ChainHead& theirs);
    Result<void> for_each_lacking(
        const std::function<Result<void>(const vault::LedgerEntry&, bool carried)>& visit) const;
    bool is_continued(const ChainId& chain) const;
    bool is_live(const ListId& list) const { return live_lists_.contains(list); }
    void note_live();
    Result<std::optional<vault::ResolvedList>> live_list(const ListId& id);
    Result<void> bring_list_of(const vault::LedgerEntry& entry);
    Result<void> bring_entry(const vault::LedgerEntry& entry);
    Result<void> bring_what_it_needs(const vault::ResolvedList& list);
    Result<void> bring_list(const vault::ResolvedList& list);
    Result<void> bring_all_in(const std::string& folder);
    Result<void> bring_custody();
    Result<void> bring_names(const std::vector<std::string>& names);
    Result<std::vector<std::string>> missing_there(const std::vector<std::string>& names);
    /// The same, counted as what is to be brought.
    Result<std::vector<std::string>> lacking(const std::vector<std::string>& names);
    Result<void> survey_packs();
    Result<void> ask_for_carried_lists();
    Result<void> bring_packs(const std::vector<std::string>& names);
    using Put = Result<Stored> (PeerClient::*)(const std::string&, View);
    Result<void> bring(PatientClient& client, const std::string& name, Put put = &PeerClient::put);
    Result<void> send(PatientClient& client, const std::string& name, const Buffer& object,
                      Put put);
    Result<void> collect_receipts();

    vault::PosixStore vault_;
    const TlsIdentity* identity_;
    const PushSettings* settings_;
    PushProgress* progress_;
    PushReport* report_;
    vault::Ledger ledger_;
    std::vector<PatientClient> clients_;  // One for each worker.
    std::set<std::string> there_;         // Names that the partner has for sure.
    std::set<std::string> to_bring_;      // Packs that it lacks, counted already.
    std::vector<Chain> chains_;
    vault::Standing standing_;
    std::set<ListId> live_lists_;  // On which snapshots stand.
};

Result<void> Pusher::run() {
    HF_TRY(connect());
    HF_TRY(exchange_papers());
    const PeerStatus status = HF_TRY(compare_chains());
    if (status.agreement == 0) {
        return refuse(Refusal::NoAgreement,
                      "no agreement in date lets us store at this partner "
                      "(holdfast agreement propose)");
    }
    HF_TRY(bring_all_in("domain/"));
    HF_TRY(bring_custody());
    // All that the entries read above can name are in the vault by now.
    HF_TRY(bring_all_in("epoch/"));
    HF_TRY(survey_packs());
    HF_TRY(ask_for_carried_lists());
    HF_TRY(for_each_lacking([&](const vault::LedgerEntry& entry, bool carried) -> Result<void> {
        HF_TRY(bring_list_of(entry));
        if (carried) return {};
        HF_TRY(bring_entry(entry));
        ++progress_->entries_done;
        return {};
    }));
    return collect_receipts();
}

/// In the order in which they are to be brought. A carry comes when all that stands in it can.
Result<void> Pusher::for_each_lacking(
    const std::function<Result<void>(const vault::LedgerEntry&, bool carried)>& visit) const {
    for (const Chain& chain : chains_) {
        for (const vault::LedgerEntry& entry : chain.missed) HF_TRY(visit(entry, false));
        for (std::size_t i = chain.at == chain.carried ? 0 : chain.at; i < chain.entries.size();
             ++i) {
            HF_TRY(visit(chain.entries[i], i < chain.carried));
        }
    }
    return {};
}

Result<void> Pusher::connect() {
    for (unsigned i = 0; i < std::max(1u, settings_->connections); ++i) {
        clients_.push_back(HF_TRY(PatientClient::make(*settings_, *identity_, *progress_)));
    }
    return {};
}

Result<void> Pusher::exchange_papers() {
    const std::vector<Buffer> rosters = HF_TRY(rosters_in(vault_));
    HF_TRY(clients_[0]([&](PeerClient& peer) { return peer.put_rosters(rosters); }));
    fault_point("rosters brought");
    const RosterChain theirs = HF_TRY(clients_[0]([](PeerClient& peer) { return peer.rosters(); }));
    if (theirs.trust != settings_->host) {
        return Error{Errc::Denied, "another trust answers at the partner's address"};
    }
    report_->host_rosters = theirs.rosters;
    for (const Buffer& agreement : settings_->agreements) {
        HF_TRY(clients_[0]([&](PeerClient& peer) { return peer.put_agreement(agreement); }));
    }
    report_->agreements = HF_TRY(clients_[0]([](PeerClient& peer) { return peer.agreements(); }));
    return {};
}

Result<PeerStatus> Pusher::compare_chains() {
    HF_TRY(ledger_.refresh());
    note_live();
    PeerStatus status = HF_TRY(clients_[0]([](PeerClient& peer) { return peer.status(); }));
    for (const auto& [id, entries] : ledger_.entries()) {
        const vault::Chain* chain = ledger_.chain(id);
        const std::uint64_t stored = chain->length() - chain->first();
        const std::size_t carried = entries.size() - static_cast<std::size_t>(stored);
        chains_.push_back({id, entries, carried, carried, {}});
    }
    for (const vault::ChainHead& head : status.chains) HF_TRY(compare(head));
    for (const Chain& chain : chains_) {
        progress_->entries_all += chain.missed.size() + chain.entries.size() - chain.at;
    }
    return status;
}

Result<void> Pusher::compare(const vault::ChainHead& theirs) {
    const vault::Chain* ours = ledger_.chain(theirs.chain);
    const auto held = ours == nullptr ? Result<void>(Error{Errc::NotFound, "no such chain"})
                                      : ours->check_ours(theirs);
    if (!held && held.error().code == Errc::NotFound) {
        if (is_continued(theirs.chain)) return {};
        return Error{Errc::Conflict,
                     "the partner holds " + std::to_string(theirs.length) + " entries of chain " +
                         theirs.chain.brief() +
                         ", more than this vault: this vault went back in time. Fetch them "
                         "from the partner before anything is written here"};
    }
    HF_TRY(held);
    for (Chain& chain : chains_) {
        if (chain.id != theirs.chain) continue;
        if (theirs.length < ours->first()) {
            HF_TRY(bridge(chain, theirs));
        } else {
            const auto more = static_cast<std::size_t>(theirs.length - ours->first());
            chain.at = std::min(chain.carried + more, chain.entries.size());
        }
    }
    return {};
}

/// What lies between the partner's head and our carry, if all of it is still here; else the
/// partner's chain begins anew at the carry.
Result<void> Pusher::bridge(Chain& chain, const vault::ChainHead& theirs) {
    const std::uint64_t first = chain.entries[chain.carried].envelope.number;
    for (std::uint64_t number = theirs.length; number < first; ++number) {
        const std::string name = vault::entry_name(chain.id, number);
        const auto object = vault_.get_all(name, vault::ledger_entry_bytes_max);
        if (!object && object.error().code == Errc::NotFound) {
            chain.missed.clear();
            return {};
        }
        if (!object) return object.error();
        vault::LedgerEntry entry = HF_TRY(vault::parse_entry(*object).within(name));
        if (number == theirs.length && entry.envelope.previous != theirs.root) {
            return Error{Errc::Denied, "ledger chain " + chain.id.brief() +
                                           ": a fork: the partner has another head at length " +
                                           std::to_string(number)};
        }
        chain.missed.push_back(std::move(entry));
    }
    return {};
}

/// True if a chain here goes on from `chain`: what this vault lacks of it was given up.
bool Pusher::is_continued(const ChainId& chain) const {
    const vault::KeyRing none;  // The first entry of a chain is clear.
    for (const auto& [id, entries] : ledger_.entries()) {
        const auto body = vault::open_body(entries.front(), none);
        if (!body) continue;
        const auto open = vault::parse_open_body(*body, settings_->end.own);
        if (open && *open && (*open)->after && (*open)->after->chain == chain) return true;
    }
    return false;
}

Result<std::vector<std::string>> Pusher::lacking(const std::vector<std::string>& names) {
    auto missing = HF_TRY(missing_there(names));
    progress_->objects_all += missing.size();
    return missing;
}

Result<std::vector<std::string>> Pusher::missing_there(const std::vector<std::string>& names) {
    std::vector<std::string> unknown;
    for (const std::string& name : names) {
        if (!there_.contains(name)) unknown.push_back(name);
    }
    std::vector<std::string> all;
    for (std::size_t at = 0; at < unknown.size(); at += wire_names_max) {
        const auto from = unknown.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(wire_names_max, unknown.size() - at);
        const std::vector<std::string> part(from, from + static_cast<std::ptrdiff_t>(count));
        const auto missing =
            HF_TRY(clients_[0]([&](PeerClient& peer) { return peer.missing(part); }));
        all.insert(all.end(), missing.begin(), missing.end());
    }
    there_.insert(unknown.begin(), unknown.end());
    for (const std::string& name : all) there_.erase(name);
    return all;
}

void Pusher::note_live() {
    standing_.refresh(ledger_);
    live_lists_ = standing_.live_lists(ledger_);
}

// None if only forgotten snapshots name it: then it, and its packs, may be gone. What is not in
// this vault may have been forgotten, and erased, since this push began.
Result<std::optional<vault::ResolvedList>> Pusher::live_list(const ListId& id) {
    using Found = std::optional<vault::ResolvedList>;
    if (!is_live(id)) return Found{};
    auto list = ledger_.list(id);
    if (list) return Found(*std::move(list));
    if (list.error().code != Errc::NotFound) return list.error();
    HF_TRY(ledger_.refresh());
    note_live();
    if (!is_live(id)) return Found{};
    return Error{Errc::Corrupt, list.error().message + " (holdfast verify)"};
}

// How much there is to bring, so that people see how long it takes.
Result<void> Pusher::survey_packs() {
    std::set<std::string> packs;
    HF_TRY(for_each_lacking([&](const vault::LedgerEntry& entry, bool) -> Result<void> {
        const auto list = HF_TRY(live_list(entry.envelope.list));
        if (!list) return {};
        for (const PackId& pack : list->packs) packs.insert(vault::pack_name(pack));
        return {};
    }));
    for (const std::string& name : HF_TRY(lacking({packs.begin(), packs.end()}))) {
        const auto bytes = vault_.size(name);  // One that is gone is told when its turn comes.
        progress_->bytes_all += bytes ? *bytes : 0;
        to_bring_.insert(name);
    }
    return {};
}

Result<void> Pusher::bring(PatientClient& client, const std::string& name, Put put) {
    auto object = vault_.get_all(name, vault::object_bytes_max);
    if (!object && object.error().code == Errc::NotFound) {
        return Error{Errc::Corrupt,
                     name + " is not in this vault, but its ledger names it (holdfast verify)"};
    }
    if (!object) return std::move(object).error();
    return send(client, name, *object, put);
}

Result<void> Pusher::send(PatientClient& client, const std::string& name, const Buffer& object,
                          Put put) {
    HF_TRY(client([&](PeerClient& peer) { return (peer.*put)(name, object); }).within(name));
    progress_->bytes_done += object.size();
    ++progress_->objects_done;
    fault_point("object brought");
    return {};
}

/// Most of what a carry stands on is there: one question for many of them.
Result<void> Pusher::ask_for_carried_lists() {
    std::set<std::string> names;
    HF_TRY(for_each_lacking([&](const vault::LedgerEntry& entry, bool carried) -> Result<void> {
        const ListId& list = entry.envelope.list;
        if (carried && is_live(list)) names.insert(vault::list_name(list));
        return {};
    }));
    HF_TRY(missing_there({names.begin(), names.end()}));
    return {};
}

Result<void> Pusher::bring_packs(const std::vector<std::string>& names) {
    std::mutex mutex;
    std::optional<Error> failed;  // The first; the others stop then.
    {
        WorkerPool pool(static_cast<unsigned>(clients_.size()), clients_.size());
        for (const std::string& name : names) {
            pool.submit([&, name](unsigned worker) {
                {
                    const std::lock_guard lock(mutex);
                    if (failed) return;
                }
                const auto done = bring(clients_[worker], name);
                const std::lock_guard lock(mutex);
                if (!done && !failed) failed = done.error();
            });
        }
    }
    if (failed) return *failed;
    for (const std::string& name : names) to_bring_.erase(name);
    return {};
}

Result<void> Pusher::bring_all_in(const std::string& folder) {
    std::vector<std::string> names;
    HF_TRY(vault_.list(folder, [&](const std::string& name) -> Result<void> {
        names.push_back(name);
        return {};
    }));
    return bring_names(names);
}

/// Those of a former trust key were replaced, and no partner takes them any more.
Result<void> Pusher::bring_custody() {
    const vault::Roster roster = HF_TRY(vault::read_roster(vault_, settings_->own_roster.trust));
    std::vector<std::string> names;
    HF_TRY(vault_.list("custody/", [&](const std::string& name) -> Result<void> {
        const auto object = vault_.get_all(name, vault::record_bytes_max);
        const auto custody =
            object ? vault::parse_custody(*object, roster) : Result<vault::Custody>(object.error());
        if (custody || custody.error().code != Errc::Denied) names.push_back(name);
        return {};
    }));
    return bring_names(names);
}

Result<void> Pusher::bring_names(const std::vector<std::string>& names) {
    for (const std::string& name : HF_TRY(lacking(names))) {
        HF_TRY(bring(clients_[0], name));
        there_.insert(name);
    }
    return {};
}

/// The list that an entry names, with its packs, if a snapshot stands on it.
Result<void> Pusher::bring_list_of(const vault::LedgerEntry& entry) {
    const auto list = HF_TRY(live_list(entry.envelope.list));
    if (!list) return {};
    auto brought = bring_what_it_needs(*list);
    if (brought || brought.error().code != Errc::Corrupt) return brought;
    HF_TRY(ledger_.refresh());  // As in live_list().
    note_live();
    if (is_live(list->id)) return brought;
    return {};
}

Result<void> Pusher::bring_entry(const vault::LedgerEntry& entry) {
    const vault::Envelope& envelope = entry.envelope;
    const std::string name = vault::entry_name(envelope.chain, envelope.number);
    ++progress_->objects_all;
    const bool forgotten = !envelope.list.zero() && !is_live(envelope.list);
    return send(clients_[0], name, vault::encode_entry(entry),
                forgotten ? &PeerClient::put_given_up : &PeerClient::put);
}

Result<void> Pusher::bring_what_it_needs(const vault::ResolvedList& list) {
    std::vector<std::string> packs;
    for (const PackId& pack : list.packs) packs.push_back(vault::pack_name(pack));
    std::erase_if(packs, [&](const std::string& name) { return !to_bring_.contains(name); });
    HF_TRY(bring_packs(packs));
    return bring_list(list);
}

// As it is here, if the partner has its base; else as a change of the nearest of its bases that the
// partner has, or whole. Bases are not brought for their own sake: their packs may be gone here.
Result<void> Pusher::bring_list(const vault::ResolvedList& list) {
    if (there_.contains(vault::list_name(list.id))) return {};
    std::vector<ListId> line;  // The list, its base, the base of that …
    for (ListId at = list.id; !at.zero() && line.size() <= vault::list_bases_max;) {
        line.push_back(at);
        const auto object = vault_.get_all(vault::list_name(at), vault::object_bytes_max);
        if (!object && object.error().code == Errc::NotFound) {
            return Error{Errc::Corrupt, object.error().message};  // Erased since it was read.
        }
        if (!object) return object.error();
        at = HF_TRY(vault::parse_list(*object)).base;
    }
    std::vector<std::string> names;
    names.reserve(line.size());
    for (const ListId& id : line) names.push_back(vault::list_name(id));
    const auto missing = HF_TRY(missing_there(names));
    const auto is_there = [&](const std::string& name) {
        return std::ranges::find(missing, name) == missing.end();
    };
    const auto nearest = std::ranges::find_if(names, is_there) - names.begin();
    if (nearest == 0) return {};
    ++progress_->objects_all;
    there_.insert(names[0]);
    if (nearest == 1 || line.size() == 1) return bring(clients_[0], names[0]);
    std::optional<vault::ResolvedList> base;
    if (static_cast<std::size_t>(nearest) < line.size()) {
        base = HF_TRY(ledger_.list(line[static_cast<std::size_t>(nearest)]));
    }
    const auto built = vault::build_list(list.packs, base ? &*base : nullptr);
    return send(clients_[0], names[0], built.object, &PeerClient::put);
}

Result<void> Pusher::collect_receipts() {
    std::vector<std::pair<std::int64_t, ListId>> wanted;
    std::set<ListId> seen = settings_->receipted;
    for (const Chain& chain : chains_) {
        for (const vault::LedgerEntry& entry : chain.entries) {
            const vault::Envelope& envelope = entry.envelope;
            if (is_live(envelope.list) && seen.insert(envelope.list).second) {
                wanted.emplace_back(envelope.time_ms, envelope.list);
            }
        }
    }
    std::sort(wanted.rbegin(), wanted.rend());
    wanted.resize(std::min(wanted.size(), receipts_at_once_max));
    for (const auto& [time_ms, list] : wanted) {
        BroughtReceipt brought;
        brought.object =
            HF_TRY(clients_[0]([&, id = list](PeerClient& peer) { return peer.receipt(id); }));
        const auto rosters = vault::newest_roster(report_->host_rosters, settings_->host);
        brought.receipt = HF_TRY(parse_receipt(brought.object, settings_->end.own,
                                               rosters ? *rosters : settings_->host_roster));
        if (brought.receipt.list != list) {
            return Error{Errc::Denied, "the partner receipted another list than was asked for"};
        }
        report_->receipts.push_back(std::move(brought));
    }
    return {};
}

}  // namespace

Result<void> push(const vault::PosixStore& vault, const TlsIdentity& identity,
                  const PushSettings& settings, PushProgress& progress, PushReport& report) {
    Pusher pusher(vault, identity, settings, progress, report);
    auto done = pusher.run();
    report.objects = progress.objects_done;
    report.bytes = progress.bytes_done;
    return done;
}

}  // namespace holdfast::replicator
