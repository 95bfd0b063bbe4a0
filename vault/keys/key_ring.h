// KeyRing: the keys of the epochs that this node knows, and of their domains.
//
// It is filled by the loop thread while workers already ask it for segment keys: an epoch joins
// every day and at every start, an unlock ends when it expires. That is why it holds a lock: many
// readers, one writer.
#pragma once

#include "vault/keys/epoch.h"
#include "vault/keys/segment.h"

#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::vault {

class KeyRing final : public KeySource {
public:
    /// Adds an epoch, or those keys of it that were not known yet.
    void add(const Epoch& epoch);

    /// Names a domain for messages, and keeps its naming secret (32 bytes).
    void add_domain(const DomainId& domain, const std::string& name, const Secret& naming);

    /// Wipes the content keys of a domain's epochs, all but those of `keep`: the end of an unlock.
    void lock_domain(const DomainId& domain, const std::vector<EpochId>& keep = {});

    /// Wipes one content key: the end of an epoch on a node in locked mode.
    void forget_content(const EpochId& epoch);

    /// The secret that names a domain's chunks. Errors: Locked (the domain was not added).
    Result<Secret> naming_of(const DomainId& domain) const;

    Result<DomainId> domain_of(const EpochId& epoch) const override;
    Result<Secret> key_of(const SegmentName& segment) const override;

    /// Sorted by id.
    std::vector<EpochId> epochs() const;
    bool knows_content(const EpochId& epoch) const;

private:
    struct Known {
        DomainId domain;
        Secret content;  // 32 bytes; empty: not known here.
        Secret map;
    };
    struct Domain {
        std::string name;
        Secret naming;
    };

    Error locked(const Known& known, const SegmentName& segment) const;

    mutable std::shared_mutex lock_;
    std::unordered_map<EpochId, Known, IdHash<EpochTag>> epochs_;
    std::map<DomainId, Domain> domains_;
};

}  // namespace holdfast::vault
