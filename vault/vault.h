// Vault: the door to a trust's own vault on its own node.
//
//   open -> begin_snapshot(system) -> SnapshotWriter … -> commit
//
// A snapshot exists when its ledger entry does; whatever ends a process before that leaves packs
// that the next snapshot finds and uses. Several processes of a node may have the vault open.
#pragma once

#include "vault/base/clock.h"
#include "vault/keys/domain.h"
#include "vault/lazy_keys.h"
#include "vault/own_chain.h"
#include "vault/own_domains.h"
#include "vault/prune/presence.h"
#include "vault/snapshot/snapshot_writer.h"
#include "vault/store/posix_store.h"
#include "vault/vault_reader.h"

#include <memory>
#include <optional>
#include <string>

namespace holdfast::vault {

/// Where a node keeps what belongs to its vault.
struct VaultPlaces {
    std::string objects;  // The vault's own folder: nothing else lies in it.
    std::string state;    // Caches and locks.
    std::string keys;     // This node's keys.
};

/// The node's own keys.
struct NodeKeys {
    SigningKey ledger;
    BoxKey box;
};

class Vault {
public:
    /// Errors: NotFound (no vault), Corrupt, Denied (a roster or chain that does not hold), Io.
    static Result<std::unique_ptr<Vault>> open(const VaultPlaces& places, NodeKeys keys,
                                               const TrustId& trust, const Clock& clock,
                                               Random& random);

    const Roster& roster() const { return roster_; }
    const VaultPlaces& places() const { return places_; }
    VaultReader& reader() { return *reader_; }
    PosixStore& store() { return store_; }
    ChunkIndex& index() { return *index_; }
    LazyKeys& keys() { return *keys_; }
    const NodeKeys& node() const { return node_; }
    const std::map<DomainId, OwnDomain>& domains() const { return domains_; }
    const OwnDomain* domain_named(std::string_view name, OpeningKeys mode) const;

    /// The domain of that name and mode, made if there is none. Errors: Full, Io.
    Result<const OwnDomain*> need_domain(const std::string& name, OpeningKeys mode);

    /// While it lives, prune erases nothing that this process may rely on; to be taken before
    /// anything is read of snapshots. Reads the ledger again. Errors: Full, Io.
    Result<Presence> enter();
    /// Errors: Io.
    Result<Present> present() const;

    /// An epoch of the domain to write in: today's, or a new one. Whoever writes is present, and
    /// while it does the keys are not renewed. Errors: Locked (no naming secret here), Io.
    struct Writing {
        Fd keys;  // The lock that says so.
        Presence presence;
        const OwnDomain* domain = nullptr;
        std::unique_ptr<Naming> naming;
        Epoch epoch;
        Buffer epoch_object;  // Empty if it is in the store.
    };
    Result<Writing> begin_writing(const std::string& domain, OpeningKeys mode);
    SnapshotContext context(const Writing& writing, unsigned workers);

    /// The chain that this node writes; call its make_sound() before a snapshot, to tell people.
    OwnChain& chain() { return *chain_; }

    /// Stores list and ledger entry; `tail_of` as in SnapshotRecord. Errors: Corrupt (a pack that
    /// it builds on is missing or damaged: the next try stores the content anew), Full, Io,
    /// Conflict.
    Result<SnapshotRecord> commit(const Writing& writing, const WrittenSnapshot& written,
                                  const std::string& system, std::int64_t time,
                                  std::uint64_t warnings,
                                  const std::optional<SnapshotId>& tail_of = {});

    /// Gives up snapshots: readers leave them out, and prune may erase what only they need.
    /// Errors: Full, Io, Conflict; then those that fit into entries that were written are
    /// forgotten.
    Result<void> forget(const std::vector<SnapshotId>& snapshots);

    /// Lets snapshots stand on another list; lock_commits() is held. Errors: Corrupt (a pack is
    /// missing), Full, Io, Conflict.
    Result<void> relist(const std::vector<SnapshotId>& snapshots, const BuiltList& list);

    /// Says again that snapshots stand on the list that they stand on; lock_commits() is held.
    /// Errors: Full, Io, Conflict.
    Result<void> repeat_relist(const std::vector<SnapshotId>& snapshots, const ListId& list);

    /// While it is held nobody writes in this vault, and it is as it was read under it.
    /// Errors: Conflict (somebody writes), Io.
    Result<Fd> lock_keys();

    /// While it is held no snapshot of this vault is committed, and nothing is erased. Errors: Io.
    Result<Fd> lock_commits() const;

    /// Removes what writers that were killed have left half written, here and beside the vault,
    /// once it is a day old. Errors: Io.
    Result<void> sweep();

    /// Writes a fact other than a snapshot, sealed to the trust (in a domain of its own).
    /// `json` is an object with a "type". Errors: Full, Io.
    Result<LedgerEntry> record_fact(const std::string& json);

private:
    Vault(PosixStore store, NodeKeys node, const Clock& clock, Random& random)
        : store_(std::move(store)), node_(std::move(node)), clock_(&clock), random_(&random) {}

    Result<void> append_standing(const StandingBody& body, const ListId& list);
    Result<void> store_list(const BuiltList& list);
    Result<void> check_adopted(const WrittenSnapshot& written, const std::string& system);
    Result<void> check_present(const std::set<PackId>& packs);
    Result<void> load_domains();
    Result<void> read_keys_again();
    Result<void> choose_epoch(Writing& writing);
    Result<void> store_epoch(const Writing& writing);
    void note_chain_damage();

    VaultPlaces places_;
    PosixStore store_;
    NodeKeys node_;
    const Clock* clock_;
    Random* random_;
    Roster roster_;
    std::map<DomainId, OwnDomain> domains_;
    std::vector<Damage> damaged_;
    std::unique_ptr<ChunkIndex> index_;
    std::unique_ptr<LazyKeys> keys_;
    std::unique_ptr<VaultReader> reader_;
    std::unique_ptr<OwnChain> chain_;
};

/// Makes an empty vault with its first roster. Errors: Conflict (something is there), Full, Io.
Result<void> make_vault(const VaultPlaces& places, View roster_object);

}  // namespace holdfast::vault
