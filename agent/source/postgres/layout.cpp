#include "agent/source/postgres/layout.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

namespace holdfast::agent::postgres {

namespace {

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Cuts the first name off `path`.
std::string_view take_name(std::string_view& path) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    return name;
}

bool is_relation(std::string_view name) {
    const std::size_t point = name.find('.');
    if (point != std::string_view::npos) {
        if (!all_digits(name.substr(point + 1))) return false;
        name = name.substr(0, point);
    }
    for (const std::string_view fork : {"_fsm", "_vm", "_init"}) {
        if (name.ends_with(fork)) {
            name.remove_suffix(fork.size());
            break;
        }
    }
    return is_oid(name);
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
    std::uint64_t value = 0;
    if (text.empty() || text.size() > 8) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

bool is_oid(std::string_view name) {
    return name.size() <= 10 && all_digits(name);
}

Shape shape_of(std::string_view path) {
    const std::string_view top = take_name(path);
    if (top == "base") {
        if (!is_oid(take_name(path))) return Shape::Stream;
    } else if (top == "pg_tblspc") {
        if (!is_oid(take_name(path)) || !take_name(path).starts_with("PG_")) return Shape::Stream;
        if (!is_oid(take_name(path))) return Shape::Stream;
    } else if (top != "global") {
        return Shape::Stream;
    }
    return is_relation(path) ? Shape::Pages : Shape::Stream;
}

std::optional<std::uint64_t> parse_lsn(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto high = hexadecimal(text.substr(0, slash));
    const auto low = hexadecimal(text.substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return *high << 32 | *low;
}

std::string lsn_text(std::uint64_t lsn) {
    char digits[20];
    const int size = std::snprintf(digits, sizeof digits, "%X/%X", static_cast<unsigned>(lsn >> 32),
                                   static_cast<unsigned>(lsn));
    return {digits, static_cast<std::size_t>(size)};
}

std::string wal_segment_name(std::uint32_t timeline, std::uint64_t lsn,
                             std::uint64_t segment_bytes) {
    const std::uint64_t segments_per_log = (std::uint64_t{1} << 32) / segment_bytes;
    const std::uint64_t segment = lsn / segment_bytes;
    char name[64];
    std::snprintf(name, sizeof name, "%08X%08llX%08llX", timeline,
                  static_cast<unsigned long long>(segment / segments_per_log),
                  static_cast<unsigned long long>(segment % segments_per_log));
    return name;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value > UINT32_MAX) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    constexpr std::pair<std::string_view, int> units[] = {
        {"", 0}, {"B", 0}, {"kB", 10}, {"MB", 20}, {"GB", 30}};
    for (const auto& [name, shift] : units) {
        if (unit == name) return value << shift;
    }
    return std::nullopt;
}

}  // namespace holdfast::agent::postgres
