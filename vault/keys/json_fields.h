// Reading the JSON of records, key files and network bodies, field by field. For .cpp files only.
//
// Like ByteReader, it answers empty or zero after the first failure, and remembers it: a parser
// reads a whole body and asks once. Unknown fields are left alone.
#pragma once

#include "vault/base/units.h"
#include "vault/crypto/base64.h"

#include "vault/base/json.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t name_bytes_max = 256;

/// One object's fields. Lives no longer than its JsonText.
class Fields {
public:
    Fields(const Json* object, std::string path, std::optional<Error>* error)
        : object_(object), path_(std::move(path)), error_(error) {}

    std::string text(const char* field, std::size_t bytes_max = name_bytes_max);
    std::uint64_t number(const char* field,
                         std::uint64_t max = std::numeric_limits<std::int64_t>::max());
    std::int64_t time(const char* field);
    Buffer base64(const char* field, std::size_t bytes_max);
    /// Base64 of exactly as many bytes as `out` has.
    void bytes(const char* field, std::span<std::uint8_t> out);
    std::vector<std::string> texts(const char* field, std::size_t count_max,
                                   std::size_t bytes_max = name_bytes_max);
    Fields object(const char* field);
    /// For fields that may be left out.
    bool has(const char* field) const { return object_->is_object() && object_->contains(field); }

    template <class SomeId>
    SomeId id(const char* field) {
        const Result<SomeId> read = SomeId::from_text(text(field, 64));
        if (read) return *read;
        fail(field, read.error().message);
        return {};
    }

    /// Calls read(Fields) for each object of a list, and collects the answers.
    template <class Read>
    auto list(const char* field, std::size_t count_max, Read read) {
        std::vector<decltype(read(std::declval<Fields&>()))> all;
        const Json* items = list_at(field, count_max);
        for (std::size_t i = 0; items != nullptr && i < items->size() && !*error_; ++i) {
            Fields one(&(*items)[i], path_ + field + "[" + std::to_string(i) + "].", error_);
            all.push_back(read(one));
        }
        return all;
    }

    /// Marks the field as bad, for rules that the caller checks.
    void fail(const char* field, const std::string& expected);

private:
    const Json* at(const char* field);
    const Json* list_at(const char* field, std::size_t count_max);

    const Json* object_;
    std::string path_;
    std::optional<Error>* error_;
};

class JsonText {
public:
    /// Errors: Corrupt (not JSON). `what` opens every message: "roster".
    static Result<JsonText> parse(std::string_view text, std::string what);

    Fields top() { return {&value_, "", &error_}; }
    /// The first failure of all that was read.
    Result<void> check() const;

private:
    JsonText(Json value, std::string what) : value_(std::move(value)), what_(std::move(what)) {}

    Json value_;
    std::string what_;
    std::optional<Error> error_;
};

/// What read(Fields&) makes of a body that somebody sent. Whatever is wrong with it is the sender's
/// fault: Errors: Invalid.
template <class Read>
auto read_body(std::string_view text, Read read)
    -> Result<decltype(read(std::declval<Fields&>()))> {
    auto body = JsonText::parse(text, "body");
    if (!body) return Error{Errc::Invalid, body.error().message};
    Fields top = body->top();
    auto out = read(top);
    const auto checked = body->check();
    if (!checked) return Error{Errc::Invalid, checked.error().message};
    return out;
}

}  // namespace holdfast::vault
