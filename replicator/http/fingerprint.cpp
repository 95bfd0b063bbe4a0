#include "replicator/http/fingerprint.h"

#include "replicator/http/openssl.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <string_view>

namespace holdfast::replicator {

Result<std::string> certificate_fingerprint(View pem) {
    const OsslCertificate certificate = HF_TRY(read_certificate(pem));
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    unsigned n = 0;
    if (X509_digest(certificate.get(), EVP_sha256(), hash.data(), &n) != 1) {
        return openssl_error(Errc::Io, "hash a certificate");
    }
    std::string text;
    for (const unsigned char byte : hash) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        if (!text.empty()) text += ':';
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace holdfast::replicator
