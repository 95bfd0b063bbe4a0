// Names of passing snapshots: they tell whose they are, so that those of killed processes can go.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::agent::moment {

/// `prefix`, this process's id, and a few random digits.
std::string passing_name(std::string_view prefix);

/// True for such a name of a process that is gone.
bool is_left_over(std::string_view name, std::string_view prefix);

}  // namespace holdfast::agent::moment
