#include "agent/failover/wording.h"

#include <array>
#include <cstdio>

namespace holdfast::agent {

std::string count_text(std::size_t count, const std::string& one, const std::string& many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string count_text(std::size_t count, const std::string& one) {
    return count_text(count, one, one + "s");
}

std::string span_text(std::int64_t ms) {
    const auto s = static_cast<std::size_t>(ms < 0 ? 0 : ms / 1000);
    if (s < 120) return count_text(s, "second");
    if (s < 120 * 60) return count_text(s / 60, "minute");
    if (s < 48 * 3600) return count_text(s / 3600, "hour");
    return count_text(s / 86400, "day");
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text.data();
}

}  // namespace holdfast::agent
