// Rules: what a text of the settings may be, each with its limit and its words for a person.
#pragma once

#include "agent/config/arguments.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::agent::config {

constexpr std::size_t line_bytes_max = 200;
constexpr std::size_t path_bytes_max = 4'096;

/// "" if `text` is right; else what is wrong, or what was expected.
using Complaint = std::string;

struct Rule {
    std::string_view expected;  // "an absolute path", after "expected".
    std::size_t bytes_max;
    Complaint (*complaint)(const std::string& text, const Rule& rule);
};

/// What is wrong with `text`; its length first.
Complaint complaint_of(const std::string& text, const Rule& rule);

namespace rule {

extern const Rule line;            // One line that says something.
extern const Rule sentence;        // A longer one.
extern const Rule name;            // name.h
extern const Rule path;            // Absolute and normal.
extern const Rule disk;            // An absolute path or an NBD URI.
extern const Rule pattern;         // vault/base/glob.h
extern const Rule host;            // A name, an address, or the folder of a socket.
extern const Rule role;            // A PostgreSQL role.
extern const Rule account;         // A UNIX user that is not root.
extern const Rule bound;           // "ADDRESS:PORT", to listen on.
extern const Rule dialled;         // "HOST:PORT", to call.
extern const Rule trust_id;        // 64 hexadecimal digits.
extern const Rule query;           // SQL, as it goes to the server.
extern const Rule expectation;     // What a query answers; may be empty.
extern const Rule file_name;       // Of one file, not a path.
extern const Rule plain_argument;  // As it goes to a program; no placeholders.
extern const Rule argument;        // arguments.h, with {postgres_options}.
extern const Rule own_argument;    // arguments.h, without.
}  // namespace rule

}  // namespace holdfast::agent::config
