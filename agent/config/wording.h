// Wording: how settings and their mistakes are put to a person.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::agent::config {

constexpr std::size_t quote_bytes_max = 60;

/// `text` as a TOML string, with its quotes.
std::string toml_text(std::string_view text);

/// The same for a message: cut where it is long.
std::string in_quotes(std::string_view text);

/// "a", "a or b", "a, b or c".
std::string any_of(std::span<const std::string_view> words);

/// The one of `words` that `word` was most likely meant to be; none if all are far off. Case does
/// not count; a slip is a letter too many, missing, wrong, or two swapped; leaving out letters
/// ("mnt") is one.
std::optional<std::string_view> meant(std::string_view word,
                                      std::span<const std::string_view> words);

/// "; did you mean "passfile"?", or nothing.
std::string suggestion(std::string_view word, std::span<const std::string_view> words);

}  // namespace holdfast::agent::config
