// Sign-in request: {"name": "…", "passphrase": "…"}, read without the passphrase ever lying in
// memory that is not wiped.
//
// A JSON library would leave pieces of it on the heap; this reads one flat object of texts, with
// JSON's escapes. Other fields are refused.
#pragma once

#include "vault/base/result.h"
#include "vault/crypto/secret.h"

#include <string>

namespace holdfast::agent {

constexpr std::size_t sign_in_body_bytes_max = 8'192;
constexpr std::size_t sign_in_name_bytes_max = 256;
constexpr std::size_t sign_in_passphrase_bytes_max = 1'024;

struct SignInRequest {
    std::string name;
    vault::Secret passphrase;
};

/// Wipes `body`, whatever comes of it. Errors: Invalid (and never with a piece of the body).
Result<SignInRequest> take_sign_in_request(Buffer& body);

}  // namespace holdfast::agent
