// Names of systems, sources, endpoints and runtimes: [a-z0-9-]{1,40}.
//
// A name becomes a file name, a folder name and a unit name. What cannot be in a name cannot be in
// a path either: no '/', no '.', no space.
#pragma once

#include "vault/base/result.h"

#include <string_view>

namespace holdfast::agent {

constexpr std::size_t name_bytes_max = 40;

bool is_name(std::string_view text);

/// `what` is told in the message: "the system". Errors: Invalid.
Result<void> check_name(std::string_view text, std::string_view what);

}  // namespace holdfast::agent
