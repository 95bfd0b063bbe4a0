// User: an account of this machine that may run a system.
#pragma once

#include "vault/base/result.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::agent {

struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};

/// Errors: Invalid (no such user, or root).
Result<User> find_user(const std::string& name);

/// A folder for this user alone, made if absent. Errors: Denied, Io, Full.
Result<void> make_private_folder(const std::string& path, const User& user);

}  // namespace holdfast::agent
