// TLS identities: a P-256 key and a certificate that only wraps it.
//
// A peer is its key: partners compare KeyHash, and nothing else in a certificate is looked at. The
// certificate is self-signed, valid from 2000 to 9999, and never renewed; a new key is a new peer.
// The private key is wiped from the memory that this class owns when it goes.
#pragma once

#include "replicator/http/message.h"

#include <string>
#include <string_view>

namespace holdfast::replicator {

class TlsIdentity {
public:
    /// A fresh key. `name` (at most 64 bytes) goes into the certificate as its common name, for
    /// people who look. Errors: Invalid (name), Io (OpenSSL failed).
    static Result<TlsIdentity> make(std::string_view name);
    /// Errors: Invalid (no PEM, not P-256, or the key is not the certificate's).
    static Result<TlsIdentity> from_pem(View key_pem, View certificate_pem);

    TlsIdentity(TlsIdentity&& other) noexcept = default;
    TlsIdentity& operator=(TlsIdentity&& other) noexcept;
    ~TlsIdentity();

    /// A second owner of the same key.
    TlsIdentity copy() const;

    /// PKCS #8 in PEM, in clear: store it sealed.
    View key_pem() const { return key_pem_; }
    View certificate_pem() const { return certificate_pem_; }
    const KeyHash& key_hash() const { return key_hash_; }

private:
    TlsIdentity() = default;

    Buffer key_pem_;
    Buffer certificate_pem_;
    KeyHash key_hash_;
};

/// Errors: Invalid (no certificate in PEM).
Result<KeyHash> key_hash_of_certificate(View pem);

/// "sha256//BASE64", as curl and the invitation file write it.
std::string pin_text(const KeyHash& key);

/// Errors: Invalid.
Result<KeyHash> parse_pin(std::string_view text);

}  // namespace holdfast::replicator
