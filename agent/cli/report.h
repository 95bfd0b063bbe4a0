// Report: what a verb did, for people or for programs.
#pragma once

#include "agent/cli/context.h"
#include "vault/base/json.h"

#include <string>

namespace holdfast::agent::cli {

/// Prints `json` with --json, else `text`, and a newline.
void report(const Context& context, const Json& json, const std::string& text);

/// The exit code of a verb: its own, or Done; or that of its Error, which is told.
int end(const Result<int>& code);
int end(const Result<void>& done);

constexpr std::size_t warnings_shown_max = 20;

/// Tells the first of them: each has a path, and what is wrong with it.
template <class Warnings>
void warn_of(const Warnings& warnings) {
    for (std::size_t i = 0; i < warnings.size() && i < warnings_shown_max; ++i) {
        warn(warnings[i].path + ": " + warnings[i].what);
    }
    if (warnings.size() > warnings_shown_max) {
        warn("and " + std::to_string(warnings.size() - warnings_shown_max) + " more");
    }
}

}  // namespace holdfast::agent::cli
