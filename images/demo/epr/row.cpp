#include "images/demo/epr/row.h"

namespace holdfast::demo {
namespace {

/// The letter that follows the backslash in COPY's text format; 0 if `c` stands for itself.
char copy_escape(char c) {
    switch (c) {
        case '\\':
            return '\\';
        case '\t':
            return 't';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        default:
            return 0;
    }
}

}  // namespace

void Row::clear() {
    text_.clear();
    fields_.clear();
}

Row& Row::add(std::string_view text) {
    const std::size_t begin = text_.size();
    text_.append(text);
    fields_.push_back({begin, text_.size(), false});
    text_.push_back('\0');
    return *this;
}

Row& Row::add(std::uint64_t number) {
    return add(std::string_view(std::to_string(number)));
}

Row& Row::null() {
    fields_.push_back({0, 0, true});
    return *this;
}

const char* Row::c_str(std::size_t i) const {
    return fields_[i].null ? nullptr : text_.data() + fields_[i].begin;
}

std::string_view Row::text(std::size_t i) const {
    return std::string_view(text_).substr(fields_[i].begin, fields_[i].end - fields_[i].begin);
}

void Row::append_copy_line(std::string& out) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (i > 0) out.push_back('\t');
        if (fields_[i].null) out.append("\\N");
        for (const char c : text(i)) {
            const char escape = copy_escape(c);
            if (escape != 0) out.push_back('\\');
            out.push_back(escape != 0 ? escape : c);
        }
    }
    out.push_back('\n');
}

}  // namespace holdfast::demo
