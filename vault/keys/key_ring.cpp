#include "vault/keys/key_ring.h"

#include <algorithm>
#include <mutex>

namespace holdfast::vault {
namespace {

Error unknown(const EpochId& epoch) {
    return {Errc::NotFound, "epoch " + epoch.brief() + " is not known here"};
}

}  // namespace

void KeyRing::add(const Epoch& epoch) {
    const std::unique_lock writing(lock_);
    Known& known = epochs_[epoch.id];
    known.domain = epoch.domain;
    if (known.content.empty()) known.content = epoch.content.clone();
    if (known.map.empty()) known.map = epoch.map.clone();
}

void KeyRing::add_domain(const DomainId& domain, const std::string& name, const Secret& naming) {
    const std::unique_lock writing(lock_);
    domains_[domain] = {name, naming.clone()};
}

void KeyRing::lock_domain(const DomainId& domain, const std::vector<EpochId>& keep) {
    const std::unique_lock writing(lock_);
    for (auto& [id, known] : epochs_) {
        const bool kept = std::ranges::find(keep, id) != keep.end();
        if (known.domain == domain && !kept) known.content = Secret();
    }
}

void KeyRing::forget_content(const EpochId& epoch) {
    const std::unique_lock writing(lock_);
    const auto at = epochs_.find(epoch);
    if (at != epochs_.end()) at->second.content = Secret();
}

Result<Secret> KeyRing::naming_of(const DomainId& domain) const {
    const std::shared_lock reading(lock_);
    const auto at = domains_.find(domain);
    if (at == domains_.end()) {
        return Error{Errc::Locked,
                     "the naming secret of domain " + domain.brief() +
                         " is not on this node: unlock the domain with the recovery kit or shares"};
    }
    return at->second.naming.clone();
}

Result<DomainId> KeyRing::domain_of(const EpochId& epoch) const {
    const std::shared_lock reading(lock_);
    const auto at = epochs_.find(epoch);
    if (at == epochs_.end()) return unknown(epoch);
    return at->second.domain;
}

Result<Secret> KeyRing::key_of(const SegmentName& segment) const {
    const std::shared_lock reading(lock_);
    const auto at = epochs_.find(segment.epoch);
    if (at == epochs_.end()) return unknown(segment.epoch);
    const Known& known = at->second;
    if (known.domain != segment.domain) {
        return Error{Errc::Corrupt, "a segment says that epoch " + segment.epoch.brief() +
                                        " is of domain " + segment.domain.brief() + ", it is of " +
                                        known.domain.brief()};
    }
    const Secret& key = is_content(segment.kind) ? known.content : known.map;
    if (key.empty()) return locked(known, segment);
    return segment_key(segment, key);
}

Error KeyRing::locked(const Known& known, const SegmentName& segment) const {
    const auto domain = domains_.find(known.domain);
    const std::string name = domain == domains_.end() ? known.domain.brief() : domain->second.name;
    const std::string what = is_content(segment.kind) ? "content" : "map";
    return {Errc::Locked, "the " + what + " of domain " + name + ", epoch " +
                              segment.epoch.brief() +
                              ", is locked: unlock the domain with the recovery kit or shares"};
}

std::vector<EpochId> KeyRing::epochs() const {
    const std::shared_lock reading(lock_);
    std::vector<EpochId> all;
    all.reserve(epochs_.size());
    for (const auto& [id, known] : epochs_) all.push_back(id);
    std::ranges::sort(all);
    return all;
}

bool KeyRing::knows_content(const EpochId& epoch) const {
    const std::shared_lock reading(lock_);
    const auto at = epochs_.find(epoch);
    return at != epochs_.end() && !at->second.content.empty();
}

}  // namespace holdfast::vault
