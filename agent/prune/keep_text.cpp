#include "agent/prune/keep_text.h"

#include "agent/config/duration.h"
#include "vault/base/clock.h"

#include <array>
#include <charconv>

namespace holdfast::agent {
namespace {

std::optional<std::uint32_t> parse_count(std::string_view text) {
    std::uint32_t count = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (bad != std::errc() || end != text.data() + text.size()) return {};
    if (count < 1 || count > keep_count_max) return {};
    return count;
}

std::string span(std::int64_t ms) {
    static constexpr std::array<std::pair<char, std::int64_t>, 4> units{
        {{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
    const std::int64_t seconds = ms / second_ms;
    for (const auto& [letter, size] : units) {
        if (seconds % size == 0) return std::to_string(seconds / size) + letter;
    }
    return std::to_string(ms) + "ms";
}

/// True if `key` is a rule and `value` suits it.
bool take(std::string_view key, std::string_view value, KeepSettings& keep) {
    if (key == "within") {
        keep.within_ms = config::parse_duration(value);
        return keep.within_ms.has_value();
    }
    for (const auto& [name, count] : keep_counts) {
        if (key != name) continue;
        keep.*count = parse_count(value);
        return (keep.*count).has_value();
    }
    return false;
}

}  // namespace

Result<KeepSettings> parse_keep(const std::vector<std::string>& words) {
    KeepSettings keep;
    for (const std::string& word : words) {
        const std::size_t equals = std::min(word.find('='), word.size());
        const std::string_view value =
            std::string_view(word).substr(std::min(equals + 1, word.size()));
        if (take(std::string_view(word).substr(0, equals), value, keep)) continue;
        return Error{
            Errc::Invalid,
            "--keep \"" + word +
                "\": expected last, hourly, daily, weekly, monthly or yearly with a number "
                "(daily=7), or within with a duration (within=30d)"};
    }
    return keep;
}

std::string keep_text(const KeepSettings& keep) {
    std::string text;
    const auto add = [&](std::string_view name, const std::string& value) {
        text += (text.empty() ? "" : ", ") + std::string(name) + " " + value;
    };
    for (const auto& [name, count] : keep_counts) {
        if (keep.*count) add(name, std::to_string(*(keep.*count)));
    }
    if (keep.within_ms) add("within", span(*keep.within_ms));
    return text;
}

}  // namespace holdfast::agent
