// Document: a TOML text as a tree that knows the place of everything, in the file's order.
//
// toml++ does the parsing, in document.cpp alone. It nests as deep as a text says, and its tables
// are freed by recursion; so a text's dots are counted before, and brackets by toml++ itself.
#pragma once

#include "agent/config/mistakes.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::agent::config {

constexpr std::size_t dots_max = 4'000;  // "a.b.c = 1" is two levels deep.
constexpr int depth_max = 8;

struct Value;
struct Member;

struct Table {
    std::vector<Member> members;
};
struct List {
    std::vector<Value> values;
};
/// What no setting here is: a date, a time, a number with a fraction.
struct Other {
    std::string_view what;
};

struct Value {
    Place place;  // Where it begins; of [a] and [[a]], the bracket.
    std::variant<std::string, std::int64_t, bool, Other, List, Table> content;
};

struct Member {
    std::string key;
    Place place;
    Value value;
};

/// A Value that holds a Table. Errors: Invalid (over `bytes_max`; no TOML; deeper than depth_max).
Result<Value> parse_document(std::string_view text, const std::string& file, std::size_t bytes_max);

/// "text", "a whole number", "a list"...
std::string_view kind_of(const Value& value);

}  // namespace holdfast::agent::config
