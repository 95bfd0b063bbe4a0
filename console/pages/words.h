// Words: times and sizes as people say them.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::console {

/// "12 seconds", "1 minute", "3 hours 12 minutes", "2 days 4 hours": the two largest units.
/// `ms` below zero counts as zero.
std::string span_text(std::int64_t ms);

/// In the node's own time zone: "03:12:07 GMT".
std::string time_of_day(std::int64_t wall_ms);
/// "25 Nov 2026, 03:12 GMT".
std::string day_and_time(std::int64_t wall_ms);

/// "3.2 GiB".
std::string size_text(std::uint64_t bytes);

/// "1 system", "3 systems".
std::string count_text(std::size_t n, const std::string& noun);

}  // namespace holdfast::console
