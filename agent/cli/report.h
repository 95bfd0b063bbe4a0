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

}  // namespace holdfast::agent::cli
