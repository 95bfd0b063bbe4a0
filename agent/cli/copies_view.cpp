#include "agent/cli/copies_view.h"

#include "agent/cli/terminal.h"

#include <fmt/format.h>

namespace holdfast::agent::cli {
namespace {

std::string copy_line(const Json& copy, std::int64_t newest_ms, std::int64_t now_ms) {
    const std::string proven = text_in(copy, "proven");
    if (proven == "none") return "holds no snapshot of it yet";
    const std::int64_t snapshot_ms = number_in(copy, "snapshot_ms");
    std::string line = proven == "receipted" ? "receipted " : "stored here, unproven by others";
    if (proven == "receipted") line += human_age(now_ms - number_in(copy, "receipt_ms")) + " ago";
    if (snapshot_ms < newest_ms) {
        line += ", behind by " + human_age(newest_ms - snapshot_ms);
    }
    return line;
}

}  // namespace

void print_copies(const Json& system, std::int64_t now_ms) {
    const std::int64_t newest_ms = number_in(system, "snapshot_ms");
    for (const Json& copy : list_in(system, "copies")) {
        fmt::print("{:<16} copy at {}: {}\n", "", printable(text_in(copy, "place")),
                   copy_line(copy, newest_ms, now_ms));
    }
    const std::string unknown = text_in(system, "unknown");
    if (unknown.empty()) return;
    fmt::print("{:<16} copies at partners: UNKNOWN ({})\n", "", printable(unknown));
}

}  // namespace holdfast::agent::cli
