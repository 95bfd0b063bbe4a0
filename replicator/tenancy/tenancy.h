// Tenancy: what this trust keeps for one owner, and what it lets in.
//
//   FOLDER/vault      the owner's objects, a vault like any other (vault/store/posix_store.h)
//   FOLDER/papers     TYPE/DIGEST: certificates, envelopes, custody records for the host
//   FOLDER/incoming   packs on their way; emptied at start
//
// Invariants: an object is what its name says, or is signed by the owner. A list is let in when all
// of its packs are here, a ledger entry when its list and epoch are, as the next of its chain; only
// an entry whose list the owner says is given up comes without it. So at every instant, whatever is
// cut off or killed, this is a complete older state. A chain that lags behind may begin anew at a
// carry (vault/ledger/carry.h), whose lists are the owner's to bring before it. A chain never
// goes back: the heads that this host has witnessed bind it even if its files are lost. Thread
// rule: one thread at a time; methods do blocking file work.
#pragma once

#include "replicator/tenancy/pack_upload.h"
#include "vault/base/clock.h"
#include "vault/keys/roster.h"
#include "vault/ledger/chain.h"
#include "vault/store/posix_store.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t tenancy_chains_max = 1024;
constexpr std::size_t tenancy_papers_max = 1000;
constexpr std::size_t tenancy_paper_bytes_max = 64_KiB;
constexpr std::uint64_t tenancy_list_bytes_max = vault::object_bytes_max;

/// What the agreement in date allows.
struct Terms {
    std::uint64_t agreement = 0;
    std::uint64_t quota_bytes = 0;
    std::uint64_t objects_max = 0;
    std::uint64_t new_bytes_a_day = 0;
};

struct Usage {
    std::uint64_t bytes = 0;
    std::uint64_t objects = 0;
    std::uint64_t packs = 0;
    std::uint64_t new_bytes_today = 0;
};

/// What a list stands for here.
struct ListCount {
    std::uint64_t packs = 0;
    std::uint64_t bytes = 0;
};

enum class Stored { New, Was };

/// GivenUp: the owner's word that no snapshot stands on the list of a ledger entry any more (it was
/// forgotten, or stands on another), so that nothing is to be held for it: the entry comes alone.
enum class EntryList { Needed, GivenUp };

class Tenancy {
public:
    Tenancy(std::string folder, const TrustId& owner, const TrustId& host, const Clock& clock)
        : folder_(std::move(folder)), owner_(owner), host_(host), clock_(&clock) {}

    /// The longest that an object of this name can be.
    static std::uint64_t bytes_max_of(const std::string& name);
    static std::string vault_folder(const std::string& folder) { return folder + "/vault"; }

    /// Reads what is here. Until it has succeeded every other method answers its Error.
    /// Errors: Corrupt (what is here is not what was witnessed), Full, Io.
    Result<void> load(const std::vector<Buffer>& rosters,
                      const std::vector<vault::ChainHead>& witnessed);
    /// The owner's newer chain of rosters. Errors: Full, Io.
    Result<void> take_rosters(const std::vector<Buffer>& rosters);

    /// Anything but a pack or a roster. Errors: refusals, Denied, Corrupt, Full, Io.
    Result<Stored> put(const std::string& name, View object, const Terms& terms,
                       EntryList list = EntryList::Needed);
    /// Nothing if the pack is here. Errors: refusals, Full, Io.
    Result<std::optional<PackUpload>> start_pack(const PackId& id, std::uint64_t length,
                                                 const Terms& terms);
    /// A finished upload. Errors: refusals, Full, Io.
    Result<Stored> put_pack(PackUpload upload, const Terms& terms);
    /// A record of type person, envelope or custody. Errors: Denied, Corrupt, Full, Io.
    Result<Stored> put_paper(View object);
    Result<std::vector<Buffer>> papers() const;

    /// Those of `names` that are not here. Errors: Invalid (a name).
    Result<std::vector<std::string>> missing(const std::vector<std::string>& names) const;
    /// Up to `limit` names behind `after` in rising order. Errors: Io, Invalid.
    Result<std::vector<std::string>> list(const std::string& prefix, const std::string& after,
                                          std::size_t limit) const;
    /// Errors: Refusal::ListMissing, Refusal::PacksMissing, Io.
    Result<ListCount> count(const ListId& list) const;
    Result<Usage> usage();
    Result<std::vector<vault::ChainHead>> heads() const;
    /// The head of the chain that ledger entry `name` belongs to.
    std::optional<vault::ChainHead> head_of_entry(const std::string& name) const;

private:
    Result<void> load_all(const std::vector<Buffer>& rosters);
    Result<void> open_vault();
    Result<void> count_all();
    Result<void> load_chains();
    Result<void> ready() const;
    Result<void> check_room(std::uint64_t bytes, const Terms& terms);
    void note_stored(std::uint64_t bytes, bool pack);
    void roll_day();
    bool has(const std::string& name) const;

    Result<void> check_object(const std::string& name, View object);
    Result<void> check_domain(const std::string& name, View object) const;
    Result<void> check_custody(const std::string& name, View object) const;
    Result<void> check_epoch(const std::string& name, View object) const;
    Result<void> check_list(const std::string& name, View object) const;
    Result<Stored> put_entry(const std::string& name, View object, const Terms& terms,
                             EntryList list);
    Result<void> store_entry(const std::string& name, View object, const Terms& terms);
    Result<Stored> check_entry_place(const vault::Envelope& envelope, const vault::Chain& chain);
    Result<void> check_witnessed(const vault::Envelope& envelope, const vault::Chain& chain) const;
    vault::MaySign may_sign() const;

    std::string folder_;
    TrustId owner_;
    TrustId host_;
    const Clock* clock_;
    Error not_ready_{Errc::Io, "the tenancy is not read yet"};
    bool loaded_ = false;
    std::optional<vault::PosixStore> store_;
    vault::Roster roster_;
    std::map<ChainId, vault::Chain> chains_;
    std::map<ChainId, vault::ChainHead> witnessed_;
    Usage usage_;
    std::int64_t day_ = 0;  // Days since 1970 that usage_.new_bytes_today counts.
};

}  // namespace holdfast::replicator
