#include "agent/config/table_reader.h"

#include "agent/config/duration.h"

#include <algorithm>

namespace holdfast::agent::config {
namespace {

std::string expected_number(Limits limits) {
    return "a whole number, " + std::to_string(limits.min) + " to " + std::to_string(limits.max);
}

}  // namespace

TableReader::TableReader(const Value& table, std::string title, Mistakes& mistakes)
    : table_(std::get_if<Table>(&table.content)),
      place_(table.place),
      title_(std::move(title)),
      mistakes_(&mistakes) {
    HF_ASSERT(table_ != nullptr);
}

const Member* TableReader::find(std::string_view key) const {
    const auto& members = table_->members;
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const Member& member) { return member.key == key; });
    return found == members.end() ? nullptr : &*found;
}

const Value* TableReader::take(std::string_view key, Need need, std::string_view expected) {
    known_.push_back(key);
    const Member* const member = find(key);
    if (member != nullptr) return &member->value;
    if (need == Need::Required) missing_[key] = std::string(expected);
    return nullptr;
}

void TableReader::wrong_kind(std::string_view key, const Value& value, std::string_view expected) {
    mistakes_->add(value.place, in_quotes(key) + " is " + std::string(kind_of(value)) +
                                    "; expected " + std::string(expected));
}

bool TableReader::text(std::string_view key, Need need, const Rule& rule, std::string& into) {
    const Value* const value = take(key, need, rule.expected);
    if (value == nullptr) return false;
    const auto* const text = std::get_if<std::string>(&value->content);
    if (text == nullptr) {
        wrong_kind(key, *value, std::string(rule.expected) + ", in quotes");
        return false;
    }
    Complaint complaint = complaint_of(*text, rule);
    if (!complaint.empty()) {
        complain(key, "is " + in_quotes(*text) + "; " + complaint);
        return false;
    }
    into = *text;
    return true;
}

bool TableReader::item(std::string_view key, std::size_t index, const Value& value,
                       const Rule& rule, std::vector<std::string>& into) {
    const std::string which = "item " + std::to_string(index + 1) + " of " + in_quotes(key);
    const auto* const text = std::get_if<std::string>(&value.content);
    if (text == nullptr) {
        mistakes_->add(value.place, which + " is " + std::string(kind_of(value)) + "; expected " +
                                        std::string(rule.expected) + ", in quotes");
        return false;
    }
    const Complaint complaint = complaint_of(*text, rule);
    if (!complaint.empty()) {
        mistakes_->add(value.place, which + " is " + in_quotes(*text) + "; " + complaint);
        return false;
    }
    into.push_back(*text);
    return true;
}

bool TableReader::texts(std::string_view key, Need need, const Rule& rule, ListLimits limits,
                        std::vector<std::string>& into) {
    const std::string expected = "a list, each " + std::string(rule.expected);
    const Value* const value = take(key, need, expected);
    if (value == nullptr) return false;
    const auto* const list = std::get_if<List>(&value->content);
    if (list == nullptr) {
        wrong_kind(key, *value, expected + ": " + std::string(key) + " = [\"...\"]");
        return false;
    }
    const std::size_t count = list->values.size();
    if (count < limits.min || count > limits.max) {
        complain(key, "has " + std::to_string(count) + " items; expected " +
                          std::to_string(limits.min) + " to " + std::to_string(limits.max));
        return false;
    }
    std::vector<std::string> texts;
    std::set<std::string_view> seen;
    bool right = true;
    for (std::size_t i = 0; i < count; ++i) {
        const Value& one = list->values[i];
        if (!item(key, i, one, rule, texts)) {
            right = false;
        } else if (limits.distinct && !seen.insert(std::get<std::string>(one.content)).second) {
            mistakes_->add(one.place, in_quotes(texts.back()) + " is twice in " + in_quotes(key));
            right = false;
        }
    }
    if (right) into = std::move(texts);
    return right;
}

bool TableReader::flag(std::string_view key, Need need, bool& into) {
    const Value* const value = take(key, need, "true or false");
    if (value == nullptr) return false;
    const auto* const flag = std::get_if<bool>(&value->content);
    if (flag == nullptr) {
        wrong_kind(key, *value, "true or false, without quotes");
        return false;
    }
    into = *flag;
    return true;
}

bool TableReader::duration(std::string_view key, Need need, std::int64_t& into_ms) {
    const Value* const value = take(key, need, duration_expected);
    if (value == nullptr) return false;
    const auto* const text = std::get_if<std::string>(&value->content);
    if (text == nullptr) {
        wrong_kind(key, *value, duration_expected);
        return false;
    }
    const auto ms = parse_duration(*text);
    if (!ms) {
        complain(key, "is " + in_quotes(*text) + "; expected " + std::string(duration_expected));
        return false;
    }
    into_ms = *ms;
    return true;
}

bool TableReader::number(std::string_view key, Need need, Limits limits, std::int64_t& into) {
    const Value* const value = take(key, need, expected_number(limits));
    if (value == nullptr) return false;
    const auto* const number = std::get_if<std::int64_t>(&value->content);
    if (number == nullptr) {
        wrong_kind(key, *value, expected_number(limits) + ", without quotes");
        return false;
    }
    if (*number < limits.min || *number > limits.max) {
        complain(key, "is " + std::to_string(*number) + "; expected " + expected_number(limits));
        return false;
    }
    into = *number;
    return true;
}

bool TableReader::port(std::string_view key, Need need, std::uint16_t& into) {
    std::int64_t number_there = 0;
    if (!number(key, need, {1, 65'535}, number_there)) return false;
    into = static_cast<std::uint16_t>(number_there);
    return true;
}

std::optional<std::size_t> TableReader::word(std::string_view key, Need need,
                                             std::span<const std::string_view> words) {
    std::vector<std::string> each_quoted;
    for (const std::string_view one : words) each_quoted.push_back(in_quotes(one));
    const std::vector<std::string_view> shown(each_quoted.begin(), each_quoted.end());
    const std::string expected = any_of(shown);
    const Value* const value = take(key, need, expected);
    if (value == nullptr) return {};
    const auto* const text = std::get_if<std::string>(&value->content);
    if (text == nullptr) {
        wrong_kind(key, *value, expected);
        return {};
    }
    const auto found = std::find(words.begin(), words.end(), *text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    complain(key, "is " + in_quotes(*text) + "; expected " + expected + suggestion(*text, words));
    return {};
}

std::optional<TableReader> TableReader::table(std::string_view key, Need need) {
    const std::string title = "[" + std::string(key) + "]";
    const Value* const value = take(key, need, "a table, " + title);
    if (value == nullptr) return {};
    if (!std::holds_alternative<Table>(value->content)) {
        wrong_kind(key, *value, "a table, " + title);
        return {};
    }
    return TableReader(*value, title, *mistakes_);
}

std::vector<TableReader> TableReader::tables(std::string_view key, Need need,
                                             std::size_t count_max) {
    const std::string title = "[[" + std::string(key) + "]]";
    std::vector<TableReader> readers;
    const Value* const value = take(key, need, "at least one " + title);
    if (value == nullptr) return readers;
    const auto* const list = std::get_if<List>(&value->content);
    if (list == nullptr) {
        wrong_kind(key, *value, title + ", in two brackets");
        return readers;
    }
    if (list->values.size() > count_max) {
        complain(key, "is there " + std::to_string(list->values.size()) + " times; at most " +
                          std::to_string(count_max) + " are allowed");
        return readers;
    }
    for (const Value& one : list->values) {
        if (std::holds_alternative<Table>(one.content)) {
            readers.emplace_back(one, title, *mistakes_);
        } else {
            mistakes_->add(one.place, in_quotes(key) + " holds " + std::string(kind_of(one)) +
                                          "; expected " + title);
        }
    }
    return readers;
}

std::vector<std::string> TableReader::keys() const {
    std::vector<std::string> out;
    for (const Member& member : table_->members) out.push_back(member.key);
    return out;
}

void TableReader::elsewhere(std::string_view key, std::string where) {
    elsewhere_[key] = std::move(where);
}

void TableReader::complain(std::string_view key, const std::string& what) {
    const Member* const member = find(key);
    mistakes_->add(member == nullptr ? place_ : member->value.place, in_quotes(key) + " " + what);
}

void TableReader::expect_one_of(std::string_view key, const std::string& value,
                                std::span<const std::string_view> there, std::string_view what) {
    if (std::find(there.begin(), there.end(), value) != there.end()) return;
    complain(key, "is " + in_quotes(value) + "; there is no " + std::string(what) +
                      " of that name" + suggestion(value, there));
}

void TableReader::complain_of_other(const Member& member) {
    std::string what = "unknown key " + in_quotes(member.key);
    const auto other = elsewhere_.find(member.key);
    if (other != elsewhere_.end()) {
        mistakes_->add(member.place,
                       in_quotes(member.key) + " is for " + other->second + " only" + in_title());
        return;
    }
    std::vector<std::string_view> free;  // What is there already was not meant.
    for (const std::string_view key : known_) {
        if (!has(key)) free.push_back(key);
    }
    if (const auto key = meant(member.key, free)) {
        missing_.erase(*key);
        what += "; did you mean " + in_quotes(*key) + "?";
    } else {
        what += in_title() + "; expected " + any_of(known_);
    }
    mistakes_->add(member.place, std::move(what));
}

void TableReader::finish(Others others) {
    for (const Member& member : table_->members) {
        const bool known = std::find(known_.begin(), known_.end(), member.key) != known_.end();
        if (!known && others == Others::Complain) complain_of_other(member);
    }
    for (const auto& [key, expected] : missing_) {
        complain(in_quotes(key) + " is missing" + in_title() + "; expected " + expected);
    }
}

void UsedNames::use(TableReader& reader, std::string_view key, const std::string& name) {
    const auto [first, is_new] = first_.try_emplace(name, reader.place());
    if (is_new) return;
    reader.complain(key, "is " + in_quotes(name) + ", which the one on line " +
                             std::to_string(first->second.line) + " has; each needs its own");
}

}  // namespace holdfast::agent::config
