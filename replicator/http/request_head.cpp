#include "replicator/http/request_head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace holdfast::replicator {

namespace {

struct Method {
    lws_token_indexes token;
    const char* name;
};

constexpr std::array<Method, 7> methods{{
    {WSI_TOKEN_GET_URI, "GET"},
    {WSI_TOKEN_POST_URI, "POST"},
    {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_DELETE_URI, "DELETE"},
    {WSI_TOKEN_HEAD_URI, "HEAD"},
    {WSI_TOKEN_PATCH_URI, "PATCH"},
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
}};

// Content-Length: 18 digits, so that no sum of it overflows.
constexpr std::size_t length_digits_max = 18;

std::string copy_token(lws& wsi, lws_token_indexes token) {
    const int n = lws_hdr_total_length(&wsi, token);
    if (n <= 0) return {};
    std::string value(static_cast<std::size_t>(n) + 1, '\0');
    const int copied = lws_hdr_copy(&wsi, value.data(), n + 1, token);
    value.resize(copied > 0 ? static_cast<std::size_t>(copied) : 0);
    return value;
}

bool is_method(int token) {
    return std::any_of(methods.begin(), methods.end(),
                       [&](const Method& method) { return method.token == token; });
}

// The table also holds the request line and HTTP/2's pseudo headers; a header's name in it ends
// with a colon, and does not begin with one.
void read_known_headers(lws& wsi, HttpHeaders& out) {
    for (int i = 0; i < WSI_TOKEN_COUNT; ++i) {
        const auto token = static_cast<lws_token_indexes>(i);
        if (is_method(i) || token == WSI_TOKEN_CONNECT || token == WSI_TOKEN_HTTP) continue;
        const auto* raw = lws_token_to_string(token);
        std::string_view name = raw ? reinterpret_cast<const char*>(raw) : "";
        if (name.size() < 2 || name.back() != ':' || name.front() == ':') continue;
        if (lws_hdr_total_length(&wsi, token) <= 0) continue;
        name.remove_suffix(1);
        out.emplace_back(name, copy_token(wsi, token));
    }
}

void read_extra_headers(lws& wsi, const std::vector<std::string>& names, HttpHeaders& out) {
    for (const std::string& name : names) {
        const std::string key = name + ":";
        const int key_bytes = static_cast<int>(key.size());
        const int n = lws_hdr_custom_length(&wsi, key.c_str(), key_bytes);
        if (n < 0) continue;
        std::string value(static_cast<std::size_t>(n) + 1, '\0');
        if (lws_hdr_custom_copy(&wsi, value.data(), n + 1, key.c_str(), key_bytes) < 0) continue;
        value.resize(static_cast<std::size_t>(n));
        out.emplace_back(name, std::move(value));
    }
}

void read_query(lws& wsi, std::map<std::string, std::string>& out) {
    for (int i = 0;; ++i) {
        const int n = lws_hdr_fragment_length(&wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n <= 0) return;
        std::string pair(static_cast<std::size_t>(n) + 1, '\0');
        const int copied =
            lws_hdr_copy_fragment(&wsi, pair.data(), n + 1, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (copied < 0) return;
        pair.resize(static_cast<std::size_t>(copied));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        out[pair.substr(0, equals)] = equals < pair.size() ? pair.substr(equals + 1) : "";
    }
}

std::size_t size_of(const HttpRequest& request) {
    std::size_t bytes = request.method.size() + request.path.size();
    for (const auto& [name, value] : request.headers) bytes += name.size() + value.size() + 4;
    for (const auto& [name, value] : request.query) bytes += name.size() + value.size() + 2;
    return bytes;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

// libwebsockets waits for 100 MiB of body if a POST, PUT or PATCH names no length; such a body can
// neither be read nor skipped. It understands no chunked request either.
void read_length(RequestHead& head) {
    HttpRequest& request = head.request;
    const bool brings_body =
        request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    const std::string* const length = request.header("content-length");
    if (request.header("transfer-encoding") != nullptr || (brings_body && length == nullptr)) {
        head.shape.length_known = false;
        head.refusal = error_response(411, "length_required",
                                      "send the body with Content-Length, not chunked");
        return;
    }
    if (length == nullptr) return;
    const char* const end = length->data() + length->size();
    const auto parsed = std::from_chars(length->data(), end, request.content_length);
    if (parsed.ec != std::errc() || parsed.ptr != end || length->size() > length_digits_max) {
        head.shape.length_known = false;
        head.refusal = error_response(400, "bad_request", "Content-Length is not a number");
        return;
    }
    head.shape.length = request.content_length;
}

void read_shape(lws& wsi, RequestHead& head) {
    head.shape.head = head.request.method == "HEAD";
    head.shape.http_1_1 = copy_token(wsi, WSI_TOKEN_HTTP).ends_with("1.1");
    const std::string* const connection = head.request.header("connection");
    // As libwebsockets decides it, which closes or keeps the connection in the end.
    head.shape.keep_alive = head.shape.http_1_1;
    if (connection && same_word(*connection, "keep-alive")) head.shape.keep_alive = true;
    if (connection && same_word(*connection, "close")) head.shape.keep_alive = false;
}

}  // namespace

RequestHead read_request_head(lws& wsi, const ServerOptions& options) {
    RequestHead head;
    HttpRequest& request = head.request;
    for (const Method& method : methods) {
        if (lws_hdr_total_length(&wsi, method.token) <= 0) continue;
        request.method = method.name;
        request.path = copy_token(wsi, method.token);
    }
    read_known_headers(wsi, request.headers);
    read_extra_headers(wsi, options.extra_headers, request.headers);
    read_query(wsi, request.query);
    read_shape(wsi, head);
    read_length(head);
    if (request.path.empty() || request.path.front() != '/') {
        head.refusal = error_response(400, "bad_request", "the target is not a path");
    } else if (size_of(request) > options.limits.header_bytes_max) {
        head.refusal =
            error_response(431, "headers_too_large",
                           "the request's head is over " +
                               std::to_string(options.limits.header_bytes_max) + " bytes");
    }
    return head;
}

}  // namespace holdfast::replicator
