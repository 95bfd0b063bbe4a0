#include "agent/restore/owner_rules.h"

#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <limits>

namespace holdfast::agent {
namespace {

constexpr std::size_t owner_record_bytes = 64 << 10;
// chown() takes the largest for "leave it as it is".
constexpr std::uint32_t number_max = std::numeric_limits<std::uint32_t>::max() - 1;

struct User {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

std::optional<User> find_user(const std::string& name) {
    std::vector<char> buffer(owner_record_bytes);
    struct passwd record {};
    struct passwd* found = nullptr;
    getpwnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found);
    if (found == nullptr) return std::nullopt;
    return User{found->pw_uid, found->pw_gid};
}

std::optional<std::uint32_t> find_group(const std::string& name) {
    std::vector<char> buffer(owner_record_bytes);
    struct group record {};
    struct group* found = nullptr;
    getgrnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found);
    if (found == nullptr) return std::nullopt;
    return found->gr_gid;
}

std::optional<std::uint32_t> number_in(const std::string& text) {
    std::uint32_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, bad] = std::from_chars(text.data(), end, number);
    if (bad != std::errc() || rest != end || number > number_max) return std::nullopt;
    return number;
}

Error unknown(const std::string& what, const std::string& name) {
    return {Errc::Invalid, "this machine has no " + what + " \"" + name + "\""};
}

Result<std::uint32_t> group_here(const std::string& text) {
    if (const auto number = number_in(text)) return *number;
    if (const auto group = find_group(text)) return *group;
    return unknown("group", text);
}

Result<std::pair<std::string, std::string>> halves(const std::string& pair) {
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos && equals != 0 && equals + 1 != pair.size()) {
        return std::pair(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return Error{Errc::Invalid, "\"" + pair + "\": expected OLD=NEW"};
}

/// By the name that the snapshot has, then by its number.
std::optional<std::uint32_t> mapped(const std::map<std::string, std::uint32_t>& numbers,
                                    const std::string& name, std::uint32_t number) {
    if (numbers.empty()) return std::nullopt;
    auto at = name.empty() ? numbers.end() : numbers.find(name);
    if (at == numbers.end()) at = numbers.find(std::to_string(number));
    if (at == numbers.end()) return std::nullopt;
    return at->second;
}

}  // namespace

Result<void> OwnerRules::all_to(const std::string& owner) {
    const std::size_t colon = std::min(owner.find(':'), owner.size());
    const std::string user = owner.substr(0, colon);
    const bool has_group = colon + 1 < owner.size();
    if (user.empty() && !has_group) {
        return Error{Errc::Invalid, "\"" + owner + "\": expected USER, USER:GROUP or :GROUP"};
    }
    if (!user.empty()) {
        const auto known = find_user(user);
        const auto number = number_in(user);
        if (!known && !number) return unknown("user", user);
        user_ = known ? known->uid : *number;
        if (known) group_ = known->gid;
    }
    if (has_group) group_ = HF_TRY(group_here(owner.substr(colon + 1)));
    return {};
}

Result<void> OwnerRules::map_user(const std::string& pair) {
    const auto [from, to] = HF_TRY(halves(pair));
    const auto known = find_user(to);
    const auto number = number_in(to);
    if (!known && !number) return unknown("user", to);
    mapped_users_[from] = known ? known->uid : *number;
    return {};
}

Result<void> OwnerRules::map_group(const std::string& pair) {
    const auto [from, to] = HF_TRY(halves(pair));
    mapped_groups_[from] = HF_TRY(group_here(to));
    return {};
}

std::uint32_t OwnerRules::user_of(const vault::Entry& entry) {
    if (user_) return *user_;
    if (const auto number = mapped(mapped_users_, entry.user, entry.uid)) return *number;
    if (!by_name_ || entry.user.empty()) return entry.uid;
    const auto [at, missing] = known_users_.try_emplace(entry.user, entry.uid);
    if (!missing) return at->second;
    if (const auto known = find_user(entry.user)) at->second = known->uid;
    return at->second;
}

std::uint32_t OwnerRules::group_of(const vault::Entry& entry) {
    if (group_) return *group_;
    if (const auto number = mapped(mapped_groups_, entry.group, entry.gid)) return *number;
    if (!by_name_ || entry.group.empty()) return entry.gid;
    const auto [at, missing] = known_groups_.try_emplace(entry.group, entry.gid);
    if (!missing) return at->second;
    if (const auto known = find_group(entry.group)) at->second = *known;
    return at->second;
}

}  // namespace holdfast::agent
