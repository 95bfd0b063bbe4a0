#include "agent/cli/report.h"

#include <fmt/format.h>

namespace holdfast::agent::cli {

void report(const Context& context, const Json& json, const std::string& text) {
    fmt::print("{}\n", context.json ? json_text(json) : text);
}

}  // namespace holdfast::agent::cli
