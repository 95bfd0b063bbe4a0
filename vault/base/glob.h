// Glob: a pattern over paths, as people write them in settings and on a command line.
//
//   *      any bytes but '/'                    ?        one byte but '/'
//   **     any bytes                            [a-z0]   one byte of a set, never '/'
//   \x     the byte x as it is                  [!a-z0]  one byte not of a set, never '/'
//
// A pattern without '/' is for a name at any depth; one with '/' is for a whole path from the root,
// and "/name" is for that name at the root alone. "**/" may stand for nothing: "a/**/b" is for a/b
// too. A '/' at the end: folders only. Bytes are bytes: no case is folded, no dot is special.
#pragma once

#include "vault/base/result.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

constexpr std::size_t glob_bytes_max = 4096;
constexpr std::size_t globs_max = 1000;

class Glob {
public:
    /// Errors: Invalid (empty, over the limit, a '[' or '\' without its end).
    static Result<Glob> parse(std::string_view pattern);

    /// `path` is relative to the root, '/' between names.
    bool matches(std::string_view path, bool is_folder) const;

private:
    enum class Kind : std::uint8_t { Byte, AnyByte, Set, Star, Deep, DeepFolders };
    struct Token {
        Kind kind;
        char byte = 0;
        std::size_t set = 0;  // In sets_.
    };

    Result<void> parse_tokens(std::string_view pattern);
    Result<std::size_t> parse_set(std::string_view pattern, std::size_t at);
    bool accepts(const Token& token, char byte) const;
    bool matches_tokens(std::string_view text) const;

    std::vector<Token> tokens_;
    std::vector<std::bitset<256>> sets_;
    std::string literal_;  // The whole pattern, if it has Byte tokens only.
    bool names_only_ = false;
    bool folders_only_ = false;
};

/// Errors: Invalid (too many, or one that is wrong: the message quotes it).
Result<std::vector<Glob>> parse_globs(const std::vector<std::string>& patterns);

bool any_matches(const std::vector<Glob>& globs, std::string_view path, bool is_folder);

}  // namespace holdfast
