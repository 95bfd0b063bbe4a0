// Arguments of a command: what execve() gets. There is no shell anywhere, so nothing is in_quotes.
//
//     {mount}             the writable mount, one folder per source
//     {run}               a private folder for sockets and logs
//     {address} {port}    where the started system listens
//     {postgres_options}  alone in its argument: becomes any number of arguments
//     {{  }}              one brace
#pragma once

#include "vault/base/result.h"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

constexpr std::size_t arguments_max = 100;
constexpr std::size_t argument_bytes_max = 2'048;

using Arguments = std::vector<std::string>;

struct PlaceholderValues {
    std::string mount, run, address, port;
    Arguments postgres_options;
};

/// Which placeholders a command may name.
enum class Placeholders { All, NoPostgresOptions };

/// What is wrong with `argument`, for a person; nothing if it is right.
std::optional<std::string> mistake_in(const std::string& argument, Placeholders allowed);

bool names_postgres_options(const Arguments& arguments);

/// `arguments` with values in their places. Errors: Invalid (as mistake_in() says; settings that
/// were loaded have none).
Result<Arguments> expand(const Arguments& arguments, const PlaceholderValues& values);

}  // namespace holdfast::agent
