// Our own programs: where the one called NAME is, seen from the one that runs.
#pragma once

#include "vault/base/result.h"

#include <string>

namespace holdfast::agent {

/// In the folder that HOLDFAST_PROGRAMS names (a build's), else beside this program, else in
/// ../lib/holdfast or ../../bin from there. Errors: NotFound.
Result<std::string> find_program(const std::string& name);

}  // namespace holdfast::agent
