#include "console/pages/words.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace holdfast::console {
namespace {

struct Unit {
    std::int64_t seconds;
    const char* name;
};
constexpr std::array<Unit, 4> units{
    {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};

std::string local_time(std::int64_t wall_ms, const char* form) {
    const std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
    std::tm parts{};
    if (::localtime_r(&seconds, &parts) == nullptr) return "an unknown time";
    std::array<char, 64> text{};
    const std::size_t n = std::strftime(text.data(), text.size(), form, &parts);
    return {text.data(), n};
}

}  // namespace

std::string count_text(std::size_t n, const std::string& noun) {
    return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string span_text(std::int64_t ms) {
    std::int64_t rest = ms < 0 ? 0 : ms / 1000;
    for (std::size_t i = 0; i < units.size(); ++i) {
        const std::int64_t n = rest / units[i].seconds;
        if (n == 0 && i + 1 < units.size()) continue;
        std::string text = count_text(static_cast<std::size_t>(n), units[i].name);
        rest -= n * units[i].seconds;
        // Seconds beside hours, or minutes beside days, tell nobody anything.
        if (i + 1 == units.size() || units[i].seconds == 60) return text;
        const std::int64_t less = rest / units[i + 1].seconds;
        if (less != 0) text += " " + count_text(static_cast<std::size_t>(less), units[i + 1].name);
        return text;
    }
    return "0 seconds";
}

std::string time_of_day(std::int64_t wall_ms) {
    return local_time(wall_ms, "%H:%M:%S %Z");
}

std::string day_and_time(std::int64_t wall_ms) {
    return local_time(wall_ms, "%-d %b %Y, %H:%M %Z");
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<const char*, 5> names{"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) return std::to_string(bytes) + " bytes";
    double value = static_cast<double>(bytes) / 1024;
    std::size_t i = 0;
    while (value >= 1024 && i + 1 < names.size()) {
        value /= 1024;
        ++i;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, names[i]);
    return text.data();
}

}  // namespace holdfast::console
