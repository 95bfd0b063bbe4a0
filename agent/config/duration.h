// Durations as people write them: a whole number, then s, m, h or d.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::agent::config {

constexpr std::int64_t duration_ms_max = 366LL * 24 * 60 * 60 * 1'000;
constexpr std::string_view duration_expected = "1s to 366d, such as \"15m\" (s, m, h or d)";

/// None if `text` is no duration or over the limit.
std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace holdfast::agent::config
