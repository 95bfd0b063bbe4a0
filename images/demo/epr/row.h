// Row: the fields of one row as text, for COPY and for statement parameters alike.
//
// A field is written as PostgreSQL itself prints it, so that a row that is expected and a row that
// was read can be compared as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::demo {

class Row {
public:
    void clear();
    Row& add(std::string_view text);
    Row& add(std::uint64_t number);
    Row& null();

    std::size_t size() const { return fields_.size(); }
    /// The i-th field, ended by a NUL as C libraries want it; nullptr for NULL.
    const char* c_str(std::size_t i) const;
    std::string_view text(std::size_t i) const;

    /// Appends the row in COPY's text format, with its line end.
    void append_copy_line(std::string& out) const;

private:
    struct Field {
        std::size_t begin;
        std::size_t end;
        bool null;
    };
    std::string text_;
    std::vector<Field> fields_;
};

}  // namespace holdfast::demo
