// Wording: times and amounts in the sentences of runs.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::agent {

/// "40 seconds", "19 minutes", "3 hours", "2 days".
std::string span_text(std::int64_t ms);
/// "4.2 GiB"
std::string size_text(std::uint64_t bytes);
/// "1 check", "2 checks"
std::string count_text(std::size_t count, const std::string& one);
/// "1 witness", "2 witnesses"
std::string count_text(std::size_t count, const std::string& one, const std::string& many);

}  // namespace holdfast::agent
