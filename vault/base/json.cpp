#include "vault/base/json.h"

namespace holdfast {
namespace {

constexpr int json_depth_max = 64;

}  // namespace

Result<Json> parse_json(std::string_view text) {
    bool too_deep = false;
    const auto shallow = [&](int depth, Json::parse_event_t, const Json&) {
        too_deep = too_deep || depth > json_depth_max;
        return !too_deep;
    };
    Json value = Json::parse(text, shallow, false);
    if (too_deep) return Error{Errc::Corrupt, "JSON nested too deep"};
    if (value.is_discarded()) return Error{Errc::Corrupt, "not JSON"};
    return value;
}

Result<Json> parse_object(std::string_view text, std::string_view what) {
    Result<Json> value = parse_json(text);
    if (value && value->is_object()) return value;
    return Error{Errc::Invalid, std::string(what) + " is no JSON object"};
}

std::string json_text(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json& field_in(const Json& object, const char* field) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto at = object.find(field);
    return at != object.end() ? *at : none;
}

std::string text_in(const Json& object, const char* field) {
    const auto* text = field_in(object, field).get_ptr<const std::string*>();
    return text != nullptr ? *text : std::string();
}

std::int64_t number_in(const Json& object, const char* field) {
    const Json& value = field_in(object, field);
    return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

std::uint64_t count_in(const Json& object, const char* field) {
    const Json& value = field_in(object, field);
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

bool flag_in(const Json& object, const char* field) {
    const Json& value = field_in(object, field);
    return value.is_boolean() && value.get<bool>();
}

const Json& list_in(const Json& object, const char* field) {
    static const Json none = Json::array();
    const Json& value = field_in(object, field);
    return value.is_array() ? value : none;
}

std::vector<std::string> texts_in(const Json& object, const char* field) {
    std::vector<std::string> out;
    for (const Json& one : list_in(object, field)) {
        if (const auto* text = one.get_ptr<const std::string*>()) out.push_back(*text);
    }
    return out;
}

}  // namespace holdfast
