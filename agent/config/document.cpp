#include "agent/config/document.h"

#include "agent/config/wording.h"

#include <algorithm>
#include <array>

// Header-only, since Debian's shared library is built to throw. What fuzzing found in 3.3:
//  - "[=" breaks an assertion that the code behind it would report. So none asserts, nor, with
//    NDEBUG, assumes.
//  - U+00E9 and others outside ASCII reach what is declared unreachable when it is asked whether
//    they are spaces, even in strings. They are not.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/impl/forward_declarations.h>
#pragma push_macro("TOML_UNREACHABLE")
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#pragma pop_macro("TOML_UNREACHABLE")
#include <toml++/toml.h>

namespace holdfast::agent::config {
namespace {

Place place_of(const toml::source_region& region) {
    return {std::max(region.begin.line, 1U), std::max(region.begin.column, 1U)};
}

class Converter {
public:
    explicit Converter(Mistakes& mistakes) : mistakes_(&mistakes) {}

    Value convert(const toml::node& node, int depth) {
        Value value{place_of(node.source()), Other{"a date or time"}};
        if (depth > depth_max) {
            mistakes_->add(value.place, "nested too deep; no setting is that deep");
        } else if (const auto* table = node.as_table()) {
            value.content = members_of(*table, depth);
        } else if (const auto* list = node.as_array()) {
            List values;
            for (const toml::node& item : *list) values.values.push_back(convert(item, depth + 1));
            value.content = std::move(values);
        } else if (const auto* text = node.as_string()) {
            value.content = text->get();
        } else if (const auto* number = node.as_integer()) {
            value.content = number->get();
        } else if (const auto* flag = node.as_boolean()) {
            value.content = flag->get();
        } else if (node.is_floating_point()) {
            value.content = Other{"a number with a fraction"};
        }
        return value;
    }

private:
    Table members_of(const toml::table& table, int depth) {
        Table out;
        for (const auto& [key, node] : table) {
            out.members.push_back(
                {std::string(key.str()), place_of(key.source()), convert(node, depth + 1)});
        }
        std::stable_sort(out.members.begin(), out.members.end(),
                         [](const Member& a, const Member& b) { return a.place < b.place; });
        return out;
    }

    Mistakes* mistakes_;
};

std::string_view line_of(std::string_view text, unsigned line) {
    for (; line > 1; --line) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find_first_of("\r\n"));
}

bool is_curly_quote(std::string_view text) {
    constexpr std::array<std::string_view, 5> quotes{"\u2018", "\u2019", "\u201c", "\u201d",
                                                     "\u201e"};
    return std::any_of(quotes.begin(), quotes.end(),
                       [&](std::string_view quote) { return text.starts_with(quote); });
}

/// The commonest mistake, kind = files, in words that help. Empty if `line` is not that.
std::string unquoted_text(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return {};
    const std::string_view key = line.substr(0, line.find_last_not_of(" \t", equals - 1) + 1);
    std::string_view value = line.substr(equals + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    if (is_curly_quote(value)) return "this quote is curly; text stands in straight ones, \" or '";
    const auto letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    const bool is_text = !value.empty() && (letter(value[0]) || value[0] == '/');
    if (!is_text || value.find_first_of("\"'#") != std::string_view::npos) return {};
    return "text stands in quotes: " + std::string(key) + " = " + in_quotes(value);
}

std::string explained(const toml::parse_error& error, std::string_view text) {
    std::string hint = unquoted_text(line_of(text, error.source().begin.line));
    if (!hint.empty()) return hint;
    return "this is not TOML: " + std::string(error.description());
}

}  // namespace

Result<Value> parse_document(std::string_view text, const std::string& file,
                             std::size_t bytes_max) {
    Mistakes mistakes(file);
    if (text.size() > bytes_max) {
        mistakes.add({}, std::to_string(text.size()) + " bytes; settings like these are " +
                             std::to_string(bytes_max) + " at most");
        return std::move(mistakes).error();
    }
    if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '.')) > dots_max) {
        mistakes.add({}, "more than " + std::to_string(dots_max) + " dots; no settings have that");
        return std::move(mistakes).error();
    }
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        mistakes.add(place_of(parsed.error().source()), explained(parsed.error(), text));
        return std::move(mistakes).error();
    }
    Value root = Converter(mistakes).convert(parsed.table(), 0);
    if (!mistakes.none()) return std::move(mistakes).error();
    return root;
}

std::string_view kind_of(const Value& value) {
    struct Namer {
        std::string_view operator()(const std::string&) const { return "text"; }
        std::string_view operator()(std::int64_t) const { return "a whole number"; }
        std::string_view operator()(bool) const { return "true or false"; }
        std::string_view operator()(const Other& other) const { return other.what; }
        std::string_view operator()(const List&) const { return "a list"; }
        std::string_view operator()(const Table&) const { return "a table"; }
    };
    return std::visit(Namer{}, value.content);
}

}  // namespace holdfast::agent::config
