// Owners for OpenSSL's objects, and the steps that server, client and identities share.
#pragma once

#include "replicator/http/tls.h"
#include "vault/base/closer.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace holdfast::replicator {

using OsslBio = std::unique_ptr<BIO, Closer<BIO_free_all>>;
using OsslKey = std::unique_ptr<EVP_PKEY, Closer<EVP_PKEY_free>>;
using OsslCertificate = std::unique_ptr<X509, Closer<X509_free>>;

/// The Error for the oldest entry of OpenSSL's queue, which is emptied.
Error openssl_error(Errc code, const std::string& what);

/// Errors: Invalid.
Result<OsslKey> read_key(View pem);
Result<OsslCertificate> read_certificate(View pem);

/// Errors: Io.
Result<KeyHash> hash_key_of(const X509& certificate);

/// TLS 1.3 only, no tickets, no sessions, `identity` as our certificate if given; whatever the peer
/// shows is accepted, to be judged by its key. Errors: Io, Invalid.
Result<void> set_up_context(SSL_CTX& context, const TlsIdentity* identity);

}  // namespace holdfast::replicator
