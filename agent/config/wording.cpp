#include "agent/config/wording.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace holdfast::agent::config {
namespace {

constexpr std::size_t word_bytes_max = 64;  // Longer ones are not compared.

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

/// Slips between `a` and `b`, none counted twice in one place (optimal string alignment).
std::size_t slips(std::string_view a, std::string_view b) {
    using Row = std::array<std::size_t, word_bytes_max + 1>;
    Row before{};
    Row last{};
    Row row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t wrong = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

/// "mnt" for "mount": the first letter, then others in order.
bool shortens(std::string_view shorter, std::string_view word) {
    if (shorter.size() < 3 || shorter[0] != word[0]) return false;
    std::size_t at = 0;
    for (const char c : word) {
        if (at < shorter.size() && shorter[at] == c) ++at;
    }
    return at == shorter.size();
}

/// "panl" for "plan": the first letter, then the others in any order.
bool reorders(std::string_view given, std::string_view word) {
    return given.size() >= 3 && given[0] == word[0] && given.size() == word.size() &&
           std::is_permutation(given.begin(), given.end(), word.begin());
}

void append_escaped(std::string& out, char c) {
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (c == '\n') {
        out += "\\n";
    } else if (c == '\t') {
        out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        std::array<char, 8> code{};
        std::snprintf(code.data(), code.size(), "\\u%04X",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += code.data();
    } else {
        out += c;
    }
}

}  // namespace

std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) append_escaped(out, c);
    return out + '"';
}

std::string in_quotes(std::string_view text) {
    if (text.size() <= quote_bytes_max) return toml_text(text);
    std::size_t end = quote_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    std::string out = toml_text(text.substr(0, end));
    out.insert(out.size() - 1, "...");
    return out;
}

std::string any_of(std::span<const std::string_view> words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
        out += words[i];
    }
    return out;
}

std::optional<std::string_view> meant(std::string_view word,
                                      std::span<const std::string_view> words) {
    if (word.size() > word_bytes_max) return {};
    const std::string given = lower(word);
    std::size_t fewest = std::clamp<std::size_t>(given.size() / 3, 1, 3) + 1;
    std::optional<std::string_view> best;
    for (const std::string_view candidate : words) {
        if (candidate.empty() || candidate.size() > word_bytes_max) continue;
        const std::string other = lower(candidate);
        const bool near = shortens(given, other) || reorders(given, other);
        const std::size_t count = given == other ? 0 : near ? 1 : slips(given, other);
        // All letters of a short word wrong is no slip.
        if (count >= fewest || count >= candidate.size()) continue;
        fewest = count;
        best = candidate;
    }
    return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> words) {
    const auto best = meant(word, words);
    return best ? "; did you mean " + in_quotes(*best) + "?" : "";
}

}  // namespace holdfast::agent::config
