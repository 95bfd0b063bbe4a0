#include "agent/json/json.h"

namespace holdfast::agent {

Result<Json> parse_object(std::string_view text, std::string_view what) {
    Json value = Json::parse(text, nullptr, false);
    if (value.is_object()) return value;
    return Error{Errc::Invalid, std::string(what) + " is no JSON object"};
}

std::string text_in(const Json& object, const char* field) {
    const auto at = object.find(field);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::int64_t number_in(const Json& object, const char* field) {
    const auto at = object.find(field);
    return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

bool flag_in(const Json& object, const char* field) {
    const auto at = object.find(field);
    return at != object.end() && at->is_boolean() && at->get<bool>();
}

const Json& list_in(const Json& object, const char* field) {
    static const Json none = Json::array();
    const auto at = object.find(field);
    return at != object.end() && at->is_array() ? *at : none;
}

std::vector<std::string> texts_in(const Json& object, const char* field) {
    std::vector<std::string> out;
    for (const Json& one : list_in(object, field)) {
        if (one.is_string()) out.push_back(one.get<std::string>());
    }
    return out;
}

std::string dump(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace holdfast::agent
