#include "replicator/http/tls.h"

#include "replicator/http/openssl.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>

namespace holdfast::replicator {

namespace {

constexpr std::size_t name_bytes_max = 64;  // X.520's ub-common-name.
constexpr std::size_t pem_bytes_max = 64 * 1024;

OsslBio memory_bio(View pem) {
    return OsslBio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Buffer contents(BIO& bio) {
    char* data = nullptr;
    const long n = BIO_get_mem_data(&bio, &data);
    return {data, data + n};
}

// The common name and a random serial are all that tells one of our certificates from another.
Result<void> fill(X509& certificate, EVP_PKEY& key, std::string_view name) {
    std::array<unsigned char, 16> serial{};
    X509_NAME* const subject = X509_get_subject_name(&certificate);
    if (RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) {
        return openssl_error(Errc::Io, "draw a serial number");
    }
    serial[0] = static_cast<unsigned char>((serial[0] & 0x3f) | 0x40);  // DER allows no leading 0.
    const bool filled =
        X509_set_version(&certificate, X509_VERSION_3) == 1 &&
        ASN1_STRING_set(X509_get_serialNumber(&certificate), serial.data(),
                        static_cast<int>(serial.size())) == 1 &&
        ASN1_TIME_set_string_X509(X509_getm_notBefore(&certificate), "20000101000000Z") == 1 &&
        ASN1_TIME_set_string_X509(X509_getm_notAfter(&certificate), "99991231235959Z") == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0) == 1 &&
        X509_set_issuer_name(&certificate, subject) == 1 &&
        X509_set_pubkey(&certificate, &key) == 1 && X509_sign(&certificate, &key, EVP_sha256()) > 0;
    if (!filled) return openssl_error(Errc::Io, "make a certificate");
    return {};
}

Result<void> demand_p256(const EVP_PKEY& key) {
    std::array<char, 80> group{};
    std::size_t n = 0;
    if (EVP_PKEY_get_group_name(&key, group.data(), group.size(), &n) != 1 ||
        std::string_view(group.data(), n) != SN_X9_62_prime256v1) {
        ERR_clear_error();
        return Error{Errc::Invalid, "the TLS key is not an EC key on P-256"};
    }
    return {};
}

}  // namespace

Error openssl_error(Errc code, const std::string& what) {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    ERR_clear_error();
    return {code, what + ": " + text.data()};
}

Result<OsslKey> read_key(View pem) {
    if (pem.size() > pem_bytes_max) return Error{Errc::Invalid, "the TLS key is too long"};
    const OsslBio bio = memory_bio(pem);
    // No password is ever asked for: an encrypted PEM is refused.
    const auto refuse = [](char*, int, int, void*) { return 0; };
    OsslKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse, nullptr));
    if (!key) return openssl_error(Errc::Invalid, "read the TLS key (PKCS #8 in PEM expected)");
    return key;
}

Result<OsslCertificate> read_certificate(View pem) {
    if (pem.size() > pem_bytes_max) return Error{Errc::Invalid, "the certificate is too long"};
    const OsslBio bio = memory_bio(pem);
    OsslCertificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) return openssl_error(Errc::Invalid, "read the certificate (PEM expected)");
    return certificate;
}

Result<KeyHash> hash_key_of(const X509& certificate) {
    unsigned char* der = nullptr;
    const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
    if (n <= 0) return openssl_error(Errc::Io, "encode a certificate's key");
    KeyHash hash;
    SHA256(der, static_cast<std::size_t>(n), hash.digest.data());
    OPENSSL_free(der);
    return hash;
}

Result<void> set_up_context(SSL_CTX& context, const TlsIdentity* identity) {
    SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    // The chain is not looked at: whoever holds the right key is the right peer.
    SSL_CTX_set_cert_verify_callback(
        &context,
        [](X509_STORE_CTX* shown, void*) {
            X509_STORE_CTX_set_error(shown, X509_V_OK);
            return 1;
        },
        nullptr);
    if (SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(&context, 0) != 1) {
        return openssl_error(Errc::Io, "set up TLS 1.3");
    }
    if (identity == nullptr) return {};
    const OsslKey key = HF_TRY(read_key(identity->key_pem()));
    const OsslCertificate certificate = HF_TRY(read_certificate(identity->certificate_pem()));
    if (SSL_CTX_use_certificate(&context, certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
        return openssl_error(Errc::Invalid, "use the TLS key");
    }
    return {};
}

TlsIdentity& TlsIdentity::operator=(TlsIdentity&& other) noexcept {
    std::swap(key_pem_, other.key_pem_);
    std::swap(certificate_pem_, other.certificate_pem_);
    std::swap(key_hash_, other.key_hash_);
    return *this;
}

TlsIdentity::~TlsIdentity() {
    OPENSSL_cleanse(key_pem_.data(), key_pem_.size());
}

Result<TlsIdentity> TlsIdentity::make(std::string_view name) {
    if (name.empty() || name.size() > name_bytes_max) {
        return Error{Errc::Invalid, "a certificate's name has 1 to 64 bytes"};
    }
    const OsslKey key(EVP_EC_gen(SN_X9_62_prime256v1));
    const OsslCertificate certificate(X509_new());
    // Secure memory where it was set up; wiped by OpenSSL when freed in any case.
    const OsslBio key_out(BIO_new(BIO_s_secmem()));
    const OsslBio certificate_out(BIO_new(BIO_s_mem()));
    if (!key || !certificate || !key_out || !certificate_out) {
        return openssl_error(Errc::Io, "make a TLS key");
    }
    HF_TRY(fill(*certificate, *key, name));
    if (PEM_write_bio_PKCS8PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1 ||
        PEM_write_bio_X509(certificate_out.get(), certificate.get()) != 1) {
        return openssl_error(Errc::Io, "write a TLS key");
    }
    Buffer key_pem = contents(*key_out);
    // Read back, so that nothing leaves here that cannot be used.
    auto identity = from_pem(key_pem, contents(*certificate_out));
    OPENSSL_cleanse(key_pem.data(), key_pem.size());
    return identity;
}

Result<TlsIdentity> TlsIdentity::from_pem(View key_pem, View certificate_pem) {
    const OsslKey key = HF_TRY(read_key(key_pem));
    HF_TRY(demand_p256(*key));
    const OsslCertificate certificate = HF_TRY(read_certificate(certificate_pem));
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        ERR_clear_error();
        return Error{Errc::Invalid, "the TLS key and the certificate do not belong together"};
    }
    TlsIdentity identity;
    identity.key_pem_.assign(key_pem.begin(), key_pem.end());
    identity.certificate_pem_.assign(certificate_pem.begin(), certificate_pem.end());
    identity.key_hash_ = HF_TRY(hash_key_of(*certificate));
    return identity;
}

TlsIdentity TlsIdentity::copy() const {
    TlsIdentity other;
    other.key_pem_ = key_pem_;
    other.certificate_pem_ = certificate_pem_;
    other.key_hash_ = key_hash_;
    return other;
}

Result<KeyHash> key_hash_of_certificate(View pem) {
    const OsslCertificate certificate = HF_TRY(read_certificate(pem));
    return hash_key_of(*certificate);
}

namespace {

constexpr std::string_view pin_prefix = "sha256//";
constexpr std::size_t pin_digits = 44;  // Base64 of 32 bytes, one '=' at the end.

}  // namespace

std::string pin_text(const KeyHash& key) {
    std::array<unsigned char, pin_digits + 1> digits{};
    EVP_EncodeBlock(digits.data(), key.digest.data(), static_cast<int>(key.digest.size()));
    return std::string(pin_prefix) + reinterpret_cast<const char*>(digits.data());
}

Result<KeyHash> parse_pin(std::string_view text) {
    KeyHash key;
    std::array<unsigned char, 33> raw{};
    const bool shaped = text.size() == pin_prefix.size() + pin_digits &&
                        text.starts_with(pin_prefix) && text.ends_with('=');
    if (shaped) {
        const auto digits = text.substr(pin_prefix.size());
        const int n =
            EVP_DecodeBlock(raw.data(), reinterpret_cast<const unsigned char*>(digits.data()),
                            static_cast<int>(digits.size()));
        std::copy_n(raw.begin(), key.digest.size(), key.digest.begin());
        // The round trip also refuses stray bits and white space.
        if (n == static_cast<int>(raw.size()) && pin_text(key) == text) return key;
    }
    return Error{Errc::Invalid, "a key's fingerprint reads sha256// and 44 characters of base64"};
}

}  // namespace holdfast::replicator
