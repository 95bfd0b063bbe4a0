#include "agent/config/arguments.h"

#include "agent/config/wording.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace holdfast::agent {
namespace {

using config::in_quotes;

constexpr std::string_view options_placeholder = "{postgres_options}";
constexpr std::array<std::string_view, 5> placeholders{"mount", "run", "address", "port",
                                                       "postgres_options"};

/// Calls `text` with what stands as it is, `placeholder` with each name. Answers what is wrong.
template <class Text, class Placeholder>
std::optional<std::string> walk(std::string_view argument, Text text, Placeholder placeholder) {
    for (std::size_t at = 0; at < argument.size();) {
        const std::size_t brace = std::min(argument.find_first_of("{}", at), argument.size());
        text(argument.substr(at, brace - at));
        if (brace == argument.size()) break;
        const char c = argument[brace];
        if (brace + 1 < argument.size() && argument[brace + 1] == c) {
            text(argument.substr(brace, 1));
            at = brace + 2;
            continue;
        }
        const std::size_t end = argument.find('}', brace);
        if (c == '}' || end == std::string_view::npos) {
            return std::string("a ") + c + " without its other; a brace as text is written " + c +
                   c;
        }
        if (auto mistake = placeholder(argument.substr(brace + 1, end - brace - 1))) return mistake;
        at = end + 1;
    }
    return {};
}

std::string braced(std::string_view name) {
    return "{" + std::string(name) + "}";
}

std::string unknown(std::string_view name) {
    const std::string what =
        "unknown placeholder " + braced(in_quotes(name).substr(1, in_quotes(name).size() - 2));
    if (const auto best = config::meant(name, placeholders)) {
        return what + "; did you mean " + braced(*best) + "?";
    }
    return what + "; expected {mount}, {run}, {address}, {port} or {postgres_options}";
}

std::optional<std::string> mistake_in_name(std::string_view name, bool alone,
                                           Placeholders allowed) {
    if (std::find(placeholders.begin(), placeholders.end(), name) == placeholders.end()) {
        return unknown(name);
    }
    if (name != "postgres_options") return {};
    if (allowed == Placeholders::NoPostgresOptions) {
        return "{postgres_options} is for the start command only";
    }
    if (!alone) return "{postgres_options} is several arguments, so it stands alone in its own";
    return {};
}

const std::string& value_of(std::string_view name, const PlaceholderValues& values) {
    if (name == "mount") return values.mount;
    if (name == "run") return values.run;
    if (name == "address") return values.address;
    HF_ASSERT(name == "port");
    return values.port;
}

}  // namespace

std::optional<std::string> mistake_in(const std::string& argument, Placeholders allowed) {
    if (argument.find('\0') != std::string::npos) return "no argument can hold a zero byte";
    return walk(
        argument, [](std::string_view) {},
        [&](std::string_view name) {
            return mistake_in_name(name, argument == options_placeholder, allowed);
        });
}

bool names_postgres_options(const Arguments& arguments) {
    return std::find(arguments.begin(), arguments.end(), options_placeholder) != arguments.end();
}

Result<Arguments> expand(const Arguments& arguments, const PlaceholderValues& values) {
    Arguments out;
    for (const std::string& argument : arguments) {
        if (const auto mistake = mistake_in(argument, Placeholders::All)) {
            return Error{Errc::Invalid, "argument " + in_quotes(argument) + ": " + *mistake};
        }
        if (argument == options_placeholder) {
            out.insert(out.end(), values.postgres_options.begin(), values.postgres_options.end());
            continue;
        }
        std::string expanded;
        walk(
            argument, [&](std::string_view text) { expanded += text; },
            [&](std::string_view name) -> std::optional<std::string> {
                expanded += value_of(name, values);
                return {};
            });
        out.push_back(std::move(expanded));
    }
    return out;
}

}  // namespace holdfast::agent
