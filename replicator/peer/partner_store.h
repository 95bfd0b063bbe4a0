// PartnerStore: a trust's vault as a partner holds it, to read from.
//
// Bytes of packs come with a Merkle proof and are checked against the pack's name before anybody
// sees them; what other objects say is checked by those who read them (vault_reader.h). Reads of a
// pack go ahead in blocks of leaves, which are kept for a while. Several threads may read at once,
// each over a connection of its own.
#pragma once

#include "replicator/http/client.h"
#include "vault/repair/mend_pack.h"
#include "vault/store/store.h"

#include <memory>
#include <string>

namespace holdfast::replicator {

struct PartnerStoreSettings {
    HttpPeer peer;
    /// The folder of the objects: "/trusts/OWNER/objects" at the partner itself, or
    /// "/partner/HOST/objects" at our own replicator's control socket.
    std::string path;
    const TlsIdentity* identity = nullptr;  // Null over the control socket; outlives the store.
    std::size_t cache_bytes = 64_MiB;
    std::uint64_t read_ahead_leaves = 16;  // 1 to 64; of 64 KiB each.
};

class PartnerStore final : public vault::Store {
public:
    /// Connects when first asked. Errors: Invalid.
    static Result<std::unique_ptr<PartnerStore>> make(PartnerStoreSettings settings);
    ~PartnerStore() override;

    /// Errors: Denied; a partner's copy is written by replication alone.
    Result<void> put(const std::string& name, View data) override;
    Result<Buffer> get(const std::string& name, std::uint64_t offset,
                       std::uint64_t length) const override;
    /// One leaf of a pack with its proof, past the cache. Errors: as get().
    Result<vault::ProvenLeaf> leaf(const PackId& pack, std::uint64_t number) const;
    Result<std::uint64_t> size(const std::string& name) const override;
    Result<void> list(const std::string& prefix,
                      const std::function<Result<void>(const std::string&)>& visit) const override;
    Result<void> remove(const std::string& name) override;

private:
    struct State;
    explicit PartnerStore(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace holdfast::replicator
