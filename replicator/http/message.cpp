#include "replicator/http/message.h"

#include "vault/base/json.h"

#include <strings.h>
#include <array>

namespace holdfast::replicator {

namespace {

struct Meaning {
    Errc errc;
    unsigned status;
    const char* code;
};

constexpr std::array<Meaning, 10> meanings{{
    {Errc::NotFound, 404, "not_found"},
    {Errc::Corrupt, 500, "corrupt"},
    {Errc::Io, 500, "io"},
    {Errc::Unreachable, 502, "unreachable"},
    {Errc::Denied, 403, "denied"},
    {Errc::Invalid, 400, "invalid"},
    {Errc::Conflict, 409, "conflict"},
    {Errc::Full, 507, "full"},
    {Errc::Locked, 423, "locked"},
    {Errc::Interrupted, 503, "interrupted"},
}};

struct Told {
    std::string code;
    std::string message;
};

Told told_in(View body) {
    const auto json = parse_json(as_text(body));
    if (!json) return {};
    const Json& error = field_in(*json, "error");
    return {text_in(error, "code"), text_in(error, "message")};
}

Errc errc_of_status(unsigned status) {
    switch (status) {
        case 401:
        case 403:
            return Errc::Denied;
        case 404:
        case 410:
            return Errc::NotFound;
        case 409:
        case 412:
            return Errc::Conflict;
        case 423:
            return Errc::Locked;
        case 507:
            return Errc::Full;
        case 429:
        case 502:
        case 503:
        case 504:
            return Errc::Unreachable;
        default:
            return status >= 500 ? Errc::Io : Errc::Invalid;
    }
}

}  // namespace

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0) {
            return &value;
        }
    }
    return nullptr;
}

HttpResponse json_response(unsigned status, std::string_view text) {
    return {status, {{"content-type", "application/json"}}, Buffer(text.begin(), text.end())};
}

HttpResponse error_response(unsigned status, std::string_view code, std::string_view message) {
    const Json json{{"error", {{"code", code}, {"message", message}}}};
    // A message may quote what a client sent: replace what is not UTF-8, never fail.
    return json_response(status, json_text(json));
}

HttpResponse error_response(const Error& error) {
    for (const Meaning& meaning : meanings) {
        if (meaning.errc == error.code) {
            return error_response(meaning.status, meaning.code, error.message);
        }
    }
    return error_response(500, "io", error.message);
}

Error error_from(unsigned status, View body) {
    const Told told = told_in(body);
    if (told.code.empty()) {
        return {errc_of_status(status),
                "the server answered with status " + std::to_string(status)};
    }
    Errc errc = errc_of_status(status);
    for (const Meaning& meaning : meanings) {
        if (meaning.code == told.code) errc = meaning.errc;
    }
    return {errc, told.code + ": " + told.message};
}

std::string error_code_of(View body) {
    return told_in(body).code;
}

}  // namespace holdfast::replicator
