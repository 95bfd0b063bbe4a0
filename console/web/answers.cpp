#include "console/web/answers.h"

#include "console/session/form.h"

#include <algorithm>

namespace holdfast::console {
namespace {

using replicator::HttpResponse;

constexpr std::size_t token_digits = 64;
constexpr const char* attributes = "; Path=/; Secure; HttpOnly; SameSite=Strict";

HttpResponse guarded(unsigned status) {
    HttpResponse out;
    out.status = status;
    out.headers = {
        {"content-security-policy",
         "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
         "frame-ancestors 'none'; base-uri 'none'"},
        {"x-content-type-options", "nosniff"},
        {"referrer-policy", "no-referrer"},
        {"cross-origin-opener-policy", "same-origin"},
        {"cross-origin-resource-policy", "same-origin"},
    };
    return out;
}

Buffer bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

}  // namespace

HttpResponse html_answer(unsigned status, const std::string& html) {
    HttpResponse out = guarded(status);
    out.headers.emplace_back("content-type", "text/html; charset=utf-8");
    out.headers.emplace_back("cache-control", "no-store");
    out.body = bytes_of(html);
    return out;
}

HttpResponse file_answer(const char* type, std::string_view content) {
    HttpResponse out = guarded(200);
    out.headers.emplace_back("content-type", type);
    out.headers.emplace_back("cache-control", "max-age=300");
    out.body = bytes_of(content);
    return out;
}

HttpResponse go_to(const char* path) {
    HttpResponse out = guarded(303);
    out.headers.emplace_back("location", path);
    out.headers.emplace_back("cache-control", "no-store");
    return out;
}

void set_cookie(HttpResponse& response, const char* name, const std::string& value) {
    response.headers.emplace_back("set-cookie", std::string(name) + "=" + value + attributes);
}

void clear_cookie(HttpResponse& response, const char* name) {
    response.headers.emplace_back("set-cookie", std::string(name) + "=; Max-Age=0" + attributes);
}

std::string token_cookie(const replicator::HttpRequest& request, const char* name) {
    const std::string* header = request.header("cookie");
    if (header == nullptr) return {};
    std::string value = cookie_value(*header, name);
    const bool shaped =
        value.size() == token_digits && std::all_of(value.begin(), value.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        });
    return shaped ? value : std::string();
}

}  // namespace holdfast::console
