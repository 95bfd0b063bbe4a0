// The style sheet, embedded when the program is built.
#pragma once

#include <string_view>

namespace holdfast::console {

std::string_view style_sheet();

}  // namespace holdfast::console
