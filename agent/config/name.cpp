#include "agent/config/name.h"

#include "agent/config/wording.h"

#include <algorithm>

namespace holdfast::agent {

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= name_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

Result<void> check_name(std::string_view text, std::string_view what) {
    if (is_name(text)) return {};
    return Error{Errc::Invalid, std::string(what) + " cannot be named " + config::in_quotes(text) +
                                    "; a name is 1 to 40 of a-z, 0-9 and -"};
}

}  // namespace holdfast::agent
