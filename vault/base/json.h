// JSON as foreign text: reading that never throws, and one way of writing. For .cpp files only,
// since nlohmann's header costs seconds in each file that sees it; its parser and writer are
// compiled once, here.
#pragma once

#include "vault/base/result.h"

// What is not used is not compiled.
#define JSON_HAS_FILESYSTEM 0
#define JSON_HAS_EXPERIMENTAL_FILESYSTEM 0
#define JSON_HAS_RANGES 0
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

using Json = nlohmann::ordered_json;

/// Errors: Corrupt (not JSON, or nested deeper than 64: what writes JSON recurses).
Result<Json> parse_json(std::string_view text);
/// An object. Errors: Invalid (no JSON, or no object); `what` opens the message.
Result<Json> parse_object(std::string_view text, std::string_view what);

/// One line; bytes that are no UTF-8 become U+FFFD. `indent` 2: for people.
std::string json_text(const Json& value, int indent = -1);

/// The field, or what stands for its absence: null, "", 0, false, an empty list. `object` may be
/// anything.
const Json& field_in(const Json& object, const char* field);
std::string text_in(const Json& object, const char* field);
std::int64_t number_in(const Json& object, const char* field);
/// 0 for a negative number too.
std::uint64_t count_in(const Json& object, const char* field);
bool flag_in(const Json& object, const char* field);
const Json& list_in(const Json& object, const char* field);
std::vector<std::string> texts_in(const Json& object, const char* field);

}  // namespace holdfast
