// Lazy keys: a trust's epochs, opened from the store when a segment first asks for one.
//
// A vault has an epoch a day and system; opening them all at start would cost a tenth of a
// millisecond each for ever. Safe from several threads.
#pragma once

#include "vault/crypto/keys.h"
#include "vault/keys/key_ring.h"
#include "vault/store/store.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace holdfast::vault {

class LazyKeys final : public KeySource {
public:
    /// `store` outlives the keys; `seal` is that of the roster. `node_box` opens map keys; may be
    /// empty (a rescue).
    LazyKeys(const Store& store, std::string seal, std::optional<BoxKey> node_box)
        : store_(&store), node_box_(std::move(node_box)), seal_(std::move(seal)) {}

    /// A domain's opening key makes its content readable; without one only its structure is.
    void add_opening(const DomainId& domain, BoxKey opening);
    void add(const Epoch& epoch) { ring_.add(epoch); }
    /// The roster names another seal now.
    void set_seal(const std::string& seal);

    Result<DomainId> domain_of(const EpochId& epoch) const override;
    Result<Secret> key_of(const SegmentName& segment) const override;

private:
    Result<void> load(const EpochId& epoch) const;
    /// True if the domain was unlocked since the epoch was loaded, or may have been.
    bool has_opening(const EpochId& epoch) const;

    const Store* store_;
    std::optional<BoxKey> node_box_;
    mutable std::mutex mutex_;  // Guards what load() reads and adds.
    std::string seal_;
    std::map<DomainId, BoxKey> openings_;
    mutable KeyRing ring_;
};

}  // namespace holdfast::vault
