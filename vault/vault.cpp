#include "vault/vault.h"

#include "vault/base/damage.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/base/lock_file.h"
#include "vault/base/temporary.h"
#include "vault/ledger/standing.h"
#include "vault/pack/pack_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace holdfast::vault {
namespace {

constexpr std::int64_t epoch_age_ms_max = 24LL * 3600 * 1000;
constexpr std::size_t state_file_bytes_max = 4096;
constexpr const char* trust_domain = "The trust";  // No system's name has a capital or a space.

std::string presence_folder(const VaultPlaces& places) {
    return places.state + "/present";
}

std::string epoch_state_path(const VaultPlaces& places, const DomainId& id) {
    return places.state + "/epochs/" + id.hex();
}

std::string keys_lock_path(const VaultPlaces& places) {
    return places.state + "/keys.lock";
}

/// Shared by all who write. Errors: Io.
Result<Fd> keep_keys(const std::string& path) {
    Fd lock = HF_TRY(open_file(path, O_RDWR | O_CREAT));
    while (::flock(lock.get(), LOCK_SH) != 0) {
        if (errno != EINTR) return io_error(errno, "lock " + path);
    }
    return lock;
}

/// A damaged index is put aside: it is a cache, and is learnt again from the packs.
Result<std::unique_ptr<ChunkIndex>> open_index(const std::string& path) {
    auto index = ChunkIndex::open(path);
    if (index || index.error().code != Errc::Corrupt) return index;
    for (const char* suffix : {"-wal", "-shm"}) ::unlink((path + suffix).c_str());
    if (::rename(path.c_str(), (path + ".damaged").c_str()) != 0) {
        return io_error(errno, "put aside " + path);
    }
    return ChunkIndex::open(path);
}

Result<void> still_sound(std::size_t unsound, const char* how) {
    if (unsound == 0) return {};
    return Error{Errc::Corrupt, std::to_string(unsound) +
                                    " packs that this snapshot builds on are " + how +
                                    "; run it again, and it stores their content anew"};
}

}  // namespace

Result<void> make_vault(const VaultPlaces& places, View roster_object) {
    HF_TRY(make_folders(places.state));
    HF_TRY(make_folders(places.keys + "/domains"));
    PosixStore store = HF_TRY(PosixStore::make(places.objects));
    return store.put(roster_name(1), roster_object);
}

Result<std::unique_ptr<Vault>> Vault::open(const VaultPlaces& places, NodeKeys keys,
                                           const TrustId& trust, const Clock& clock,
                                           Random& random) {
    PosixStore store = HF_TRY(PosixStore::open(places.objects));
    std::unique_ptr<Vault> vault(new Vault(std::move(store), std::move(keys), clock, random));
    vault->places_ = places;
    HF_TRY(make_folders(places.state + "/epochs"));
    HF_TRY(make_folders(places.keys + "/domains"));
    vault->roster_ = HF_TRY(read_roster(vault->store_, trust));
    vault->index_ = HF_TRY(open_index(places.state + "/index.db"));
    vault->keys_ = std::make_unique<LazyKeys>(vault->store_, vault->roster_.seal,
                                              BoxKey::from_secret(vault->node_.box.secret.clone()));
    HF_TRY(vault->load_domains());
    vault->reader_ =
        std::make_unique<VaultReader>(vault->store_, *vault->index_, *vault->keys_, vault->roster_);
    const auto head = OwnChain::remembered_in(places.state, trust);  // Else load() tells.
    if (head) vault->reader_->ledger().trust_head(*head);
    HF_TRY(vault->reader_->refresh());
    for (Damage& damage : vault->damaged_) vault->reader_->note(std::move(damage));
    vault->chain_ = std::make_unique<OwnChain>(OwnChain::Node{vault->reader_.get(), &vault->roster_,
                                                              &vault->node_.ledger, &clock, &random,
                                                              places.state});
    HF_TRY(vault->chain_->load());
    vault->note_chain_damage();
    return vault;
}

Result<void> Vault::load_domains() {
    damaged_.clear();
    domains_ = HF_TRY(read_own_domains(store_, roster_, places_.keys, damaged_));
    add_openings(domains_, *keys_);
    return {};
}

/// Another process may have renewed them since this one opened the vault. Under lock_keys(), or
/// with the shared lock: whoever writes here already holds that too, so the seal is as it found it,
/// and the domains stay where they are.
Result<void> Vault::read_keys_again() {
    if (!store_.size(roster_name(roster_.number + 1))) return {};
    const std::string before = roster_.seal;
    roster_ = HF_TRY(read_roster(store_, roster_.trust));
    if (roster_.seal == before) return {};
    keys_->set_seal(roster_.seal);
    return load_domains();
}

Result<Fd> Vault::lock_keys() {
    const std::string path = keys_lock_path(places_);
    Fd lock = HF_TRY(open_file(path, O_RDWR | O_CREAT));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return io_error(errno, "lock " + path);
        return Error{Errc::Conflict,
                     "somebody writes in this vault (a snapshot, a stream, an "
                     "agent's note): wait until it has ended"};
    }
    HF_TRY(read_keys_again());
    return lock;
}

/// What only this node can know; what does not hold is among the reader's notes already.
void Vault::note_chain_damage() {
    const std::string damage = chain_->damage();
    if (damage.empty() || reader_->ledger().broken().contains(chain_->id())) return;
    reader_->note({"ledger/" + chain_->id().hex(), damage});
}

const OwnDomain* Vault::domain_named(std::string_view name, OpeningKeys mode) const {
    for (const auto& [id, domain] : domains_) {
        const bool same = domain.record.name == name && domain.record.opening_keys == mode;
        if (same && domain.naming) return &domain;
    }
    return nullptr;
}

Result<const OwnDomain*> Vault::need_domain(const std::string& name, OpeningKeys mode) {
    if (const OwnDomain* there = domain_named(name, mode)) {
        // Its writer may have been killed before its name was durable.
        const std::string object = domain_name(there->record.id, roster_.seal);
        HF_TRY(store_.put(object, HF_TRY(store_.get_all(object, record_bytes_max))));
        return there;
    }
    NewDomain made = HF_TRY(make_domain(name, mode, {roster_.recovery_key, roster_.seal},
                                        node_.ledger, clock_->wall_ms(), *random_));
    HF_TRY(write_domain_keys(places_.keys, made.id, roster_.seal, mode, made.keys));
    HF_TRY(store_.put(domain_name(made.id, roster_.seal), made.object));
    OwnDomain domain;
    domain.record = HF_TRY(parse_domain(made.object, made.id, roster_));
    domain.naming = std::move(made.keys.naming);
    if (mode == OpeningKeys::Node) {
        keys_->add_opening(made.id, BoxKey::from_secret(made.keys.opening.secret.clone()));
        domain.opening = std::move(made.keys.opening);
    }
    return &domains_.emplace(made.id, std::move(domain)).first->second;
}

Result<Presence> Vault::enter() {
    Presence presence = HF_TRY(Presence::enter(presence_folder(places_), *index_, *random_));
    HF_TRY(reader_->refresh());
    return presence;
}

Result<Present> Vault::present() const {
    return present_in(presence_folder(places_));
}

Result<Vault::Writing> Vault::begin_writing(const std::string& domain, OpeningKeys mode) {
    Writing writing;
    writing.keys = HF_TRY(keep_keys(keys_lock_path(places_)));
    HF_TRY(read_keys_again());
    writing.presence = HF_TRY(enter());
    writing.domain = HF_TRY(need_domain(domain, mode));
    writing.naming = std::make_unique<Naming>(*writing.domain->naming);
    HF_TRY(choose_epoch(writing));
    return writing;
}

Result<void> Vault::choose_epoch(Writing& writing) {
    const DomainRecord& record = writing.domain->record;
    const std::string path = epoch_state_path(places_, record.id);
    const auto last = read_file(path, state_file_bytes_max);
    const auto id = last ? EpochId::from_text(as_text(*last)) : Result<EpochId>(EpochId{});
    if (writing.domain->opening && id && !id->zero()) {
        const auto object = store_.get_all(epoch_name(*id, roster_.seal), epoch_object_max);
        if (object) {
            const auto info = parse_epoch(*object, *id);  // A damaged one is not written in.
            const std::int64_t age = info ? clock_->wall_ms() - info->created : -1;
            if (age >= 0 && age < epoch_age_ms_max) {
                writing.epoch = HF_TRY(open_epoch(*info, &*writing.domain->opening, nullptr));
                return {};
            }
        }
    }
    NewEpoch made = make_epoch(record.id, record.opening_key, {node_.box.public_key},
                               clock_->wall_ms(), *random_);
    writing.epoch = std::move(made.epoch);
    writing.epoch_object = std::move(made.object);
    keys_->add(writing.epoch);
    // Packs carry the epoch's name, and a pack may outlive a killed snapshot: so the object is in
    // the store before the first of them.
    return store_epoch(writing);
}

Result<void> Vault::store_epoch(const Writing& writing) {
    HF_TRY(store_.put(epoch_name(writing.epoch.id, roster_.seal), writing.epoch_object));
    return write_file_durably(epoch_state_path(places_, writing.epoch.domain),
                              as_view(writing.epoch.id.hex()));
}

SnapshotContext Vault::context(const Writing& writing, unsigned workers) {
    return {store_, *index_, *keys_, *writing.naming, writing.epoch, *random_, workers};
}

/// The index is a cache: it may know packs of a vault that has been put back to an older state
/// since.
Result<void> Vault::check_present(const std::set<PackId>& packs) {
    std::size_t missing = 0;
    for (const PackId& pack : packs) {
        const auto size = store_.size(pack_name(pack));
        if (size) continue;
        if (size.error().code != Errc::NotFound) return size.error();
        HF_TRY(index_->mark_bad(pack));
        ++missing;
    }
    return still_sound(missing, "gone from the vault");
}

/// Nobody has looked at what no list names since it was written: what a snapshot that was killed
/// left behind, or one that was forgotten. So its bytes are read once before they are relied on.
Result<void> Vault::check_adopted(const WrittenSnapshot& written, const std::string& system) {
    std::set<PackId> listed;
    if (const auto before = reader_->latest(system)) {
        const auto list = reader_->ledger().list(before->list);
        if (!list) return {};  // Verify names it.
        listed.insert(list->packs.begin(), list->packs.end());
    }
    std::size_t damaged = 0;
    for (const PackId& pack : written.packs) {
        if (listed.contains(pack) || written.new_packs.contains(pack)) continue;
        const auto file = store_.get_all(pack_name(pack), pack_bytes_max);
        if (file && file->size() >= pack_bytes_min && pack_id_of(*file) == pack) continue;
        if (!file && !is_damage(file.error())) return file.error();
        HF_TRY(index_->mark_bad(pack));
        ++damaged;
    }
    return still_sound(damaged, "damaged or gone");
}

/// The same set may rest here already, as a change of a base that a killed prune has erased.
Result<void> Vault::store_list(const BuiltList& list) {
    const std::string name = list_name(list.list.id);
    HF_TRY(store_.put(name, list.object));
    const auto stored = reader_->ledger().list(list.list.id);
    if (stored) return {};
    const Errc code = stored.error().code;
    if (code != Errc::NotFound && code != Errc::Corrupt) return stored.error();
    return store_.replace(name, list.object);
}

Result<SnapshotRecord> Vault::commit(const Writing& writing, const WrittenSnapshot& written,
                                     const std::string& system, std::int64_t time,
                                     std::uint64_t warnings,
                                     const std::optional<SnapshotId>& tail_of) {
    HF_TRY(check_adopted(written, system));
    const Fd lock = HF_TRY(lock_commits());
    // Under the lock a base that prune has erased does not resolve, and one that does stays, since
    // this entry's list builds on it.
    std::optional<ResolvedList> base;
    const auto before = reader_->latest(system);
    if (before) {
        auto list = reader_->ledger().list(before->list);
        if (list) base = std::move(*list);
    }
    HF_TRY(check_present(written.packs));
    PackSet packs(written.packs.begin(), written.packs.end());
    const BuiltList list = build_list(std::move(packs), base ? &*base : nullptr);
    HF_TRY(store_list(list));
    fault_point("list stored");
    SnapshotRecord record;
    record.system = system;
    record.time = time;
    record.domain = writing.epoch.domain;
    record.manifest_pack = written.manifest_pack;
    record.manifest_map = written.manifest_map;
    record.entries = written.entries;
    record.bytes = written.bytes;
    record.new_bytes = written.new_bytes;
    record.stored_bytes = written.stored_bytes;
    record.warnings = warnings;
    record.tail_of = tail_of;
    const std::string body = encode_snapshot_body(record);
    const LedgerEntry entry =
        HF_TRY(chain_->append(list.list.id, [&](const ChainId& chain, std::uint64_t number) {
            return seal_body(body, writing.epoch, chain, number, *random_);
        }));
    HF_TRY(reader_->refresh());
    return reader_->find(snapshot_id(entry.envelope));
}

Result<Fd> Vault::lock_commits() const {
    return wait_for_lock(places_.state + "/commit.lock");
}

Result<void> Vault::forget(const std::vector<SnapshotId>& snapshots) {
    for (std::size_t at = 0; at < snapshots.size(); at += standing_snapshots_max) {
        const auto from = snapshots.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(standing_snapshots_max, snapshots.size() - at);
        HF_TRY(append_standing(
            {StandingKind::Forget, {from, from + static_cast<std::ptrdiff_t>(count)}}, ListId{}));
    }
    return reader_->refresh();
}

Result<void> Vault::relist(const std::vector<SnapshotId>& snapshots, const BuiltList& list) {
    HF_TRY(check_present({list.list.packs.begin(), list.list.packs.end()}));
    HF_TRY(store_list(list));
    fault_point("list of a relist stored");
    HF_TRY(append_standing({StandingKind::Relist, snapshots}, list.list.id));
    return reader_->refresh();
}

Result<void> Vault::repeat_relist(const std::vector<SnapshotId>& snapshots, const ListId& list) {
    for (std::size_t at = 0; at < snapshots.size(); at += standing_snapshots_max) {
        const auto from = snapshots.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(standing_snapshots_max, snapshots.size() - at);
        HF_TRY(append_standing(
            {StandingKind::Relist, {from, from + static_cast<std::ptrdiff_t>(count)}}, list));
    }
    return reader_->refresh();
}

Result<void> Vault::append_standing(const StandingBody& body, const ListId& list) {
    const std::string text = encode_standing_body(body);
    HF_TRY(chain_->append(list, [&](const ChainId&, std::uint64_t) { return clear_body(text); }));
    return {};
}

Result<void> Vault::sweep() {
    for (const std::string& folder : {places_.objects, places_.state, places_.keys}) {
        HF_TRY(sweep_temporaries(folder));
    }
    return {};
}

Result<LedgerEntry> Vault::record_fact(const std::string& json) {
    const Writing writing = HF_TRY(begin_writing(trust_domain, OpeningKeys::Node));
    return chain_->append(ListId{}, [&](const ChainId& chain, std::uint64_t number) {
        return seal_body(json, writing.epoch, chain, number, *random_);
    });
}

}  // namespace holdfast::vault
