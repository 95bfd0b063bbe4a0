// JSON as foreign text: reading that never throws. For .cpp files only, since nlohmann's header
// costs seconds in each file that sees it.
#pragma once

#include "vault/base/result.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent {

using Json = nlohmann::ordered_json;

/// An object. Errors: Invalid (no JSON, or no object); `what` opens the message.
Result<Json> parse_object(std::string_view text, std::string_view what);

/// The field, or what stands for its absence: "", 0, false, an empty list.
std::string text_in(const Json& object, const char* field);
std::int64_t number_in(const Json& object, const char* field);
bool flag_in(const Json& object, const char* field);
const Json& list_in(const Json& object, const char* field);
std::vector<std::string> texts_in(const Json& object, const char* field);

/// One line; bytes that are no UTF-8 become U+FFFD. `indent` 2: for people.
std::string dump(const Json& value, int indent = -1);

}  // namespace holdfast::agent
