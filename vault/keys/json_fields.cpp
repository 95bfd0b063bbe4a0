#include "vault/keys/json_fields.h"

#include <algorithm>

namespace holdfast::vault {

Result<JsonText> JsonText::parse(std::string_view text, std::string what) {
    Json value = HF_TRY(parse_json(text).within(what));
    return JsonText(std::move(value), std::move(what));
}

Result<void> JsonText::check() const {
    if (error_) return Error(*error_).within(what_);
    return {};
}

void Fields::fail(const char* field, const std::string& expected) {
    if (!*error_) *error_ = Error{Errc::Corrupt, path_ + field + ": " + expected};
}

const Json* Fields::at(const char* field) {
    if (*error_) return nullptr;
    if (!object_->is_object()) {
        fail(field, "expected inside an object");
        return nullptr;
    }
    const auto found = object_->find(field);
    if (found != object_->end()) return &*found;
    fail(field, "missing");
    return nullptr;
}

std::string Fields::text(const char* field, std::size_t bytes_max) {
    const Json* value = at(field);
    if (value == nullptr) return {};
    const auto* text = value->get_ptr<const std::string*>();
    if (text != nullptr && text->size() <= bytes_max) return *text;
    fail(field, "expected a text of at most " + std::to_string(bytes_max) + " bytes");
    return {};
}

std::uint64_t Fields::number(const char* field, std::uint64_t max) {
    const Json* value = at(field);
    if (value == nullptr) return 0;
    const auto* number = value->get_ptr<const std::uint64_t*>();
    if (number != nullptr && *number <= max) return *number;
    fail(field, "expected a whole number from 0 to " + std::to_string(max));
    return 0;
}

std::int64_t Fields::time(const char* field) {
    return static_cast<std::int64_t>(number(field));
}

Buffer Fields::base64(const char* field, std::size_t bytes_max) {
    Result<Buffer> bytes = from_base64(text(field, (bytes_max + 2) / 3 * 4));
    if (bytes) return *std::move(bytes);
    fail(field, bytes.error().message);
    return {};
}

void Fields::bytes(const char* field, std::span<std::uint8_t> out) {
    const Buffer read = base64(field, out.size());
    if (read.size() == out.size()) {
        std::copy(read.begin(), read.end(), out.begin());
    } else {
        fail(field, "expected " + std::to_string(out.size()) + " bytes in base64");
    }
}

std::vector<std::string> Fields::texts(const char* field, std::size_t count_max,
                                       std::size_t bytes_max) {
    std::vector<std::string> all;
    const Json* items = list_at(field, count_max);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        const auto* text = (*items)[i].get_ptr<const std::string*>();
        if (text == nullptr || text->size() > bytes_max) {
            fail(field, "expected texts");
            return {};
        }
        all.push_back(*text);
    }
    return all;
}

Fields Fields::object(const char* field) {
    static const Json nothing = Json::object();
    const Json* value = at(field);
    return {value == nullptr ? &nothing : value, path_ + field + ".", error_};
}

const Json* Fields::list_at(const char* field, std::size_t count_max) {
    const Json* value = at(field);
    if (value == nullptr) return nullptr;
    if (value->is_array() && value->size() <= count_max) return value;
    fail(field, "expected a list of at most " + std::to_string(count_max));
    return nullptr;
}

}  // namespace holdfast::vault
