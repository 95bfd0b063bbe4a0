#include "agent/config/duration.h"

#include <array>
#include <charconv>
#include <utility>

namespace holdfast::agent::config {

std::optional<std::int64_t> parse_duration(std::string_view text) {
    if (text.empty() || text[0] == '-') return {};
    std::int64_t count = 0;
    const char* const unit = text.data() + text.size() - 1;
    const auto [end, failure] = std::from_chars(text.data(), unit, count);
    if (failure != std::errc() || end != unit || count < 1) return {};
    static constexpr std::array<std::pair<char, std::int64_t>, 4> units{
        {{'s', 1'000}, {'m', 60'000}, {'h', 3'600'000}, {'d', 86'400'000}}};
    for (const auto& [letter, ms] : units) {
        if (*unit == letter && count <= duration_ms_max / ms) return count * ms;
    }
    return {};
}

}  // namespace holdfast::agent::config
