// TableReader: takes the settings of one table by key, and tells every mistake in it.
//
// Each call names a key that may be there; finish() ends the table and has to be called. A call
// answers true if the key was there and right, and has put its value into `into`; else `into` keeps
// its default, and what was wrong is among the mistakes. So a parser reads on, and asks once at its
// end.
#pragma once

#include "agent/config/document.h"
#include "agent/config/rules.h"
#include "agent/config/wording.h"

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace holdfast::agent::config {

enum class Need { Optional, Required };

/// What finish() does with keys that nothing asked for.
enum class Others { Complain, Pass };

/// A word of a setting, and what it means.
template <class E>
struct Choice {
    std::string_view word;
    E value;
};

struct Limits {
    std::int64_t min, max;
};

/// A list of texts: how long it may be, and whether one may be there twice.
struct ListLimits {
    std::size_t min, max;
    bool distinct = false;
};

class TableReader {
public:
    /// `title` as it stands in the file: "[plan]"; empty for the file itself.
    TableReader(const Value& table, std::string title, Mistakes& mistakes);

    /// How messages call this table from now on: "[[source]] \"documents\"".
    void call(std::string title) { title_ = std::move(title); }
    const std::string& title() const { return title_; }

    bool text(std::string_view key, Need need, const Rule& rule, std::string& into);
    bool texts(std::string_view key, Need need, const Rule& rule, ListLimits limits,
               std::vector<std::string>& into);
    bool flag(std::string_view key, Need need, bool& into);
    /// "15m": a whole number, then s, m, h or d.
    bool duration(std::string_view key, Need need, std::int64_t& into_ms);
    bool number(std::string_view key, Need need, Limits limits, std::int64_t& into);
    bool port(std::string_view key, Need need, std::uint16_t& into);

    template <class E, std::size_t n>
    bool choice(std::string_view key, Need need, const std::array<Choice<E>, n>& choices, E& into) {
        std::array<std::string_view, n> words;
        for (std::size_t i = 0; i < n; ++i) words[i] = choices[i].word;
        const auto chosen = word(key, need, words);
        if (chosen) into = choices[*chosen].value;
        return chosen.has_value();
    }

    /// The table `key`; none if it is not there or is no table.
    std::optional<TableReader> table(std::string_view key, Need need);
    /// The tables [[key]]; at most `count_max`.
    std::vector<TableReader> tables(std::string_view key, Need need, std::size_t count_max);
    bool has(std::string_view key) const { return find(key) != nullptr; }
    /// All keys, for a table whose keys are the file's own.
    std::vector<std::string> keys() const;

    /// `key` has a meaning elsewhere, not here: "kind \"files\"".
    void elsewhere(std::string_view key, std::string where);
    /// What was found at `key` is wrong: `what` follows on its name in quotes.
    void complain(std::string_view key, const std::string& what);
    /// The table itself is wrong.
    void complain(const std::string& what) { mistakes_->add(place_, what); }
    /// Complains unless `value`, found at `key`, is one of `there`, which are `what`s.
    void expect_one_of(std::string_view key, const std::string& value,
                       std::span<const std::string_view> there, std::string_view what);
    /// Complains of keys that are missing, and of those that nothing asked for: one of these may be
    /// a slip for one of those, and is told once. Pass: the others are not known (enough) to tell.
    void finish(Others others = Others::Complain);

    Place place() const { return place_; }

private:
    const Member* find(std::string_view key) const;
    const Value* take(std::string_view key, Need need, std::string_view expected);
    std::optional<std::size_t> word(std::string_view key, Need need,
                                    std::span<const std::string_view> words);
    bool item(std::string_view key, std::size_t index, const Value& value, const Rule& rule,
              std::vector<std::string>& into);
    void complain_of_other(const Member& member);
    void wrong_kind(std::string_view key, const Value& value, std::string_view expected);
    std::string in_title() const { return title_.empty() ? "" : " in " + title_; }

    const Table* table_;
    Place place_;
    std::string title_;
    Mistakes* mistakes_;
    std::vector<std::string_view> known_;
    std::map<std::string_view, std::string> elsewhere_;
    std::map<std::string_view, std::string> missing_;  // Key, and what was expected.
};

/// Says of each name where it was first, so that none is given twice.
class UsedNames {
public:
    /// Complains, at `key` of `reader`, if `name` was used. `what` is the kind of thing.
    void use(TableReader& reader, std::string_view key, const std::string& name);

private:
    std::map<std::string, Place> first_;
};

}  // namespace holdfast::agent::config
