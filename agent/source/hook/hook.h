// Hook: two programs of the admin's own around the reading of a source. The first holds it at one
// moment (a snapshot of a volume, a frozen application) and says where to read it; the second lets
// go of it again, whatever became of the reading.
//
// Both run without a shell, in a plain environment with
//
//     HOLDFAST_SYSTEM, HOLDFAST_SOURCE   the names of what is read
//     HOLDFAST_PREVIOUS                  the checkpoint of the snapshot before; empty: none
//     HOLDFAST_CHECKPOINT                (end) the checkpoint that begin told
//     HOLDFAST_OUTCOME                   (end) "read" or "failed"
//
// begin answers on its standard output, a line for each: "KEY VALUE". Unknown keys are an error,
// since a misspelt one would go unnoticed. If this process is killed, end does not run: begin must
// clear away what an earlier one left.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent::hook {

constexpr std::size_t answer_value_bytes_max = 4'096;

struct HookSettings {
    std::vector<std::string> begin;  // A program's whole path, and arguments.
    std::vector<std::string> end;    // Empty: none.
    std::int64_t timeout_ms = 600'000;
};

/// What the programs are told of what is read.
struct Subject {
    std::string system, source;
    std::string checkpoint;  // Of the snapshot before; empty: none.
};

using Answers = std::map<std::string, std::string, std::less<>>;

/// Errors: Invalid (not of the form above, a key that is none of `known`, told twice).
Result<Answers> parse_answers(std::string_view text, std::span<const std::string_view> known);

class Hook {
public:
    /// Runs `begin`; if it fails, `end` too. Errors: NotFound (no such program), Io (it failed;
    /// with what it said), Unreachable (it took too long), those of parse_answers().
    static Result<Hook> begin(HookSettings settings, Subject subject,
                              std::span<const std::string_view> known);
    Hook(Hook&& other) noexcept;
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;
    /// Runs `end` if end() was not called.
    ~Hook();

    /// Empty if it was not told.
    std::string answer(std::string_view key) const;

    /// Runs `end`, once. Errors: as begin().
    Result<void> end(bool read);

private:
    Hook(HookSettings settings, Subject subject);

    HookSettings settings_;
    Subject subject_;
    Answers answers_;
    bool open_ = true;
};

}  // namespace holdfast::agent::hook
