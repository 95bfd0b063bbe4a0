#include "agent/cli/report.h"

#include <fmt/format.h>

namespace holdfast::agent::cli {

void report(const Context& context, const Json& json, const std::string& text) {
    fmt::print("{}\n", context.json ? json_text(json) : text);
}

int end(const Result<int>& code) {
    return code ? *code : fail(code.error());
}

int end(const Result<void>& done) {
    return done ? int{Done} : fail(done.error());
}

}  // namespace holdfast::agent::cli
