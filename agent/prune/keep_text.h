// Keep rules as words: on the command line, and in reports.
#pragma once

#include "agent/config/system_settings.h"

#include <string>
#include <vector>

namespace holdfast::agent {

/// From "daily=7", "within=30d" … Errors: Invalid (says which word, and what is expected).
Result<KeepSettings> parse_keep(const std::vector<std::string>& words);

/// "last 12, daily 31, within 2d".
std::string keep_text(const KeepSettings& keep);

}  // namespace holdfast::agent
