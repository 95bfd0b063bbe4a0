// The pages' templates (mustache; html/NAME.html), embedded when the program is built.
#pragma once

#include <string_view>

namespace holdfast::console {

std::string_view frame_html();
std::string_view now_html();
std::string_view sign_in_html();

}  // namespace holdfast::console
