// Owner rules: to whom restored paths belong, when it is not to the numbers of the snapshot.
//
// Another machine has other numbers for the same people, or other people for the same numbers. In
// this order: everything to one owner; a name or number mapped to another; the number that a name
// has here; the number itself. Belongs to one thread.
#pragma once

#include "vault/base/result.h"
#include "vault/snapshot/entry.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

class OwnerRules {
public:
    /// Names of this machine go before numbers.
    void by_name() { by_name_ = true; }
    /// "USER", "USER:GROUP" or ":GROUP", each a name of this machine or a number; without a group,
    /// the user's own. Errors: Invalid.
    Result<void> all_to(const std::string& owner);
    /// "OLD=NEW", each a name or a number: OLD as the snapshot has it, NEW as this machine has.
    /// Errors: Invalid.
    Result<void> map_user(const std::string& pair);
    Result<void> map_group(const std::string& pair);

    std::uint32_t user_of(const vault::Entry& entry);
    std::uint32_t group_of(const vault::Entry& entry);

private:
    using Numbers = std::map<std::string, std::uint32_t>;

    bool by_name_ = false;
    std::optional<std::uint32_t> user_, group_;
    Numbers mapped_users_, mapped_groups_;  // By name or by number as text.
    Numbers known_users_, known_groups_;    // By name, once asked.
};

}  // namespace holdfast::agent
