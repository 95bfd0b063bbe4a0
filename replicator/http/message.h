// The words that server and client share: headers, key hashes, and errors as JSON.
#pragma once

#include "vault/base/units.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::replicator {

/// SHA-256 of a certificate's SubjectPublicKeyInfo (DER): who a TLS peer is.
using KeyHash = Id<struct TlsKeyTag>;

/// Names as they came or shall go; compared without case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The value of `name`, or nothing.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);

struct HttpResponse {
    unsigned status = 200;
    HttpHeaders headers;
    Buffer body;
};

/// `text` is JSON already.
HttpResponse json_response(unsigned status, std::string_view text);

/// {"error":{"code":"...","message":"..."}}. `code` is stable, lower_case, part of the interface;
/// `message` is for people.
HttpResponse error_response(unsigned status, std::string_view code, std::string_view message);

/// The same for an Error: not_found 404, corrupt 500, io 500, unreachable 502, denied 403,
/// invalid 400, conflict 409, full 507, locked 423, interrupted 503.
HttpResponse error_response(const Error& error);

/// What error_response() made, read back: the code's Errc, or by status where the code is another.
/// The message is "CODE: MESSAGE", or the status if the body is no such JSON.
Error error_from(unsigned status, View body);

/// The stable code inside an error body; empty if there is none.
std::string error_code_of(View body);

}  // namespace holdfast::replicator
