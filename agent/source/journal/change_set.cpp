#include "agent/source/journal/change_set.h"

#include <algorithm>

namespace holdfast::agent::journal {

void ChangeSet::note(std::string_view handle, std::string_view name, bool deep) {
    std::string key(1, static_cast<char>(handle.size()));  // At most 132: see Watch.
    key.append(handle).append(name);
    Moments& moments = noted_[key];
    moments.last = now_;
    if (deep) moments.last_deep = now_;
}

NotedName ChangeSet::from_key(const std::string& key) {
    const std::size_t length = static_cast<unsigned char>(key[0]);
    return {key.substr(1, length), key.substr(1 + length)};
}

std::vector<NotedName> ChangeSet::since(std::uint64_t moment) const {
    std::vector<NotedName> out;
    for (const auto& [key, moments] : noted_) {
        if (moments.last <= moment) continue;
        out.push_back(from_key(key));
        out.back().deep = moments.last_deep > moment;
    }
    return out;
}

void ChangeSet::forget_before(std::uint64_t moment) {
    floor_ = std::max(floor_, moment);
    std::erase_if(noted_, [&](const auto& one) { return one.second.last <= moment; });
}

void ChangeSet::lose_all() {
    noted_.clear();
    floor_ = now_;
}

void ChangeSet::drop_if(const std::function<bool(const NotedName&)>& drop) {
    std::erase_if(noted_, [&](const auto& one) { return drop(from_key(one.first)); });
}

}  // namespace holdfast::agent::journal
