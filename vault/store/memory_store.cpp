#include "vault/store/memory_store.h"

#include <vector>

namespace holdfast::vault {
namespace {

Error absent(const std::string& name) {
    return {Errc::NotFound, name + ": no such object"};
}

}  // namespace

Result<void> MemoryStore::put(const std::string& name, View data) {
    HF_TRY(check_object_name(name));
    const std::lock_guard lock(mutex_);
    objects_.try_emplace(name, data.begin(), data.end());
    return {};
}

Result<Buffer> MemoryStore::get(const std::string& name, std::uint64_t offset,
                                std::uint64_t length) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(name);
    if (found == objects_.end()) return absent(name);
    const Buffer& all = found->second;
    if (offset > all.size() || length > all.size() - offset) {
        return Error{Errc::Corrupt,
                     name + ": it ends after " + std::to_string(all.size()) + " bytes"};
    }
    const View part = View(all).subspan(offset, length);
    return Buffer(part.begin(), part.end());
}

Result<std::uint64_t> MemoryStore::size(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(name);
    if (found == objects_.end()) return absent(name);
    return std::uint64_t{found->second.size()};
}

Result<void> MemoryStore::list(const std::string& prefix,
                               const std::function<Result<void>(const std::string&)>& visit) const {
    std::vector<std::string> names;
    {
        const std::lock_guard lock(mutex_);
        for (auto at = objects_.lower_bound(prefix);
             at != objects_.end() && at->first.starts_with(prefix); ++at) {
            names.push_back(at->first);
        }
    }
    for (const std::string& name : names) HF_TRY(visit(name));
    return {};
}

Result<void> MemoryStore::remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (objects_.erase(name) == 0) return absent(name);
    return {};
}

}  // namespace holdfast::vault
