#include "vault/lazy_keys.h"

namespace holdfast::vault {

void LazyKeys::add_opening(const DomainId& domain, BoxKey opening) {
    const std::lock_guard lock(mutex_);
    openings_.insert_or_assign(domain, std::move(opening));
}

void LazyKeys::set_seal(const std::string& seal) {
    const std::lock_guard lock(mutex_);
    seal_ = seal;
}

Result<void> LazyKeys::load(const EpochId& epoch) const {
    const std::lock_guard lock(mutex_);
    const std::string name = epoch_name(epoch, seal_);
    const Buffer object = HF_TRY(store_->get_all(name, epoch_object_max));
    const EpochInfo info = HF_TRY(parse_epoch(object, epoch).within(name));
    const auto opening = openings_.find(info.domain);
    const BoxKey* node = node_box_ ? &*node_box_ : nullptr;
    ring_.add(HF_TRY(open_epoch(info, opening == openings_.end() ? nullptr : &opening->second, node)
                         .within(name)));
    return {};
}

bool LazyKeys::has_opening(const EpochId& epoch) const {
    const auto domain = ring_.domain_of(epoch);
    const std::lock_guard lock(mutex_);
    return domain && openings_.contains(*domain);
}

Result<DomainId> LazyKeys::domain_of(const EpochId& epoch) const {
    auto known = ring_.domain_of(epoch);
    if (known || known.error().code != Errc::NotFound) return known;
    HF_TRY(load(epoch));
    return ring_.domain_of(epoch);
}

Result<Secret> LazyKeys::key_of(const SegmentName& segment) const {
    auto key = ring_.key_of(segment);
    if (key) return key;
    const bool unlocked = key.error().code == Errc::Locked && has_opening(segment.epoch);
    if (key.error().code != Errc::NotFound && !unlocked) return key;
    HF_TRY(load(segment.epoch));
    return ring_.key_of(segment);
}

}  // namespace holdfast::vault
