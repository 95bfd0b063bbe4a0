#include "vault/crypto/aead.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <array>

namespace holdfast::vault {
namespace {

using Nonce = std::array<std::uint8_t, 12>;

Nonce nonce_of(std::uint64_t number) {
    Nonce nonce{};
    for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
    return nonce;
}

}  // namespace

Cipher fastest_cipher() {
    crypto_ready();
    return crypto_aead_aes256gcm_is_available() != 0 ? Cipher::Aes256Gcm : Cipher::ChaCha20Poly1305;
}

Result<Cipher> cipher_from(std::uint8_t number) {
    if (number == 1) return Cipher::Aes256Gcm;
    if (number == 2) return Cipher::ChaCha20Poly1305;
    return Error{Errc::Corrupt, "unknown cipher " + std::to_string(number)};
}

void Sealer::FreeContext::operator()(evp_cipher_ctx_st* context) const noexcept {
    EVP_CIPHER_CTX_free(context);
}

Sealer::Sealer(Cipher cipher, Secret key) : cipher_(cipher), key_(std::move(key)) {
    HF_ASSERT(key_.size() == 32);
}
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;
Sealer::~Sealer() = default;

void Sealer::seal(std::uint64_t number, View additional, View plain, Buffer& out) {
    const Nonce nonce = nonce_of(number);
    const std::size_t at = out.size();
    out.resize(at + plain.size() + seal_tag_bytes);
    if (cipher_ == Cipher::Aes256Gcm) {
        seal_aes(nonce, additional, plain, out.data() + at);
        return;
    }
    crypto_aead_chacha20poly1305_ietf_encrypt(out.data() + at, nullptr, plain.data(), plain.size(),
                                              additional.data(), additional.size(), nullptr,
                                              nonce.data(), key_.view().data());
}

void Sealer::seal_aes(View nonce, View additional, View plain, std::uint8_t* out) {
    if (!sealing_) {
        sealing_.reset(EVP_CIPHER_CTX_new());
        HF_ASSERT(EVP_EncryptInit_ex(sealing_.get(), EVP_aes_256_gcm(), nullptr, key_.view().data(),
                                     nullptr) == 1);
    }
    EVP_CIPHER_CTX* context = sealing_.get();
    int n = 0;
    bool fine = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1;
    fine = fine && EVP_EncryptUpdate(context, nullptr, &n, additional.data(),
                                     static_cast<int>(additional.size())) == 1;
    fine = fine &&
           EVP_EncryptUpdate(context, out, &n, plain.data(), static_cast<int>(plain.size())) == 1;
    fine = fine && EVP_EncryptFinal_ex(context, out + plain.size(), &n) == 1;
    fine = fine && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, seal_tag_bytes,
                                       out + plain.size()) == 1;
    HF_ASSERT(fine);
}

Result<void> Sealer::open(std::uint64_t number, View additional, View sealed, Buffer& out) {
    const Error wrong{Errc::Corrupt, "it does not open: damaged, or sealed with another key"};
    if (sealed.size() < seal_tag_bytes) return wrong;
    const Nonce nonce = nonce_of(number);
    const std::size_t at = out.size();
    out.resize(at + sealed.size() - seal_tag_bytes);
    bool fine = false;
    if (cipher_ == Cipher::Aes256Gcm) {
        fine = open_aes(nonce, additional, sealed, out.data() + at);
    } else {
        fine = crypto_aead_chacha20poly1305_ietf_decrypt(
                   out.data() + at, nullptr, nullptr, sealed.data(), sealed.size(),
                   additional.data(), additional.size(), nonce.data(), key_.view().data()) == 0;
    }
    if (fine) return {};
    out.resize(at);
    return wrong;
}

bool Sealer::open_aes(View nonce, View additional, View sealed, std::uint8_t* out) {
    if (!opening_) {
        opening_.reset(EVP_CIPHER_CTX_new());
        HF_ASSERT(EVP_DecryptInit_ex(opening_.get(), EVP_aes_256_gcm(), nullptr, key_.view().data(),
                                     nullptr) == 1);
    }
    EVP_CIPHER_CTX* context = opening_.get();
    const View body = sealed.first(sealed.size() - seal_tag_bytes);
    std::array<std::uint8_t, seal_tag_bytes> tag{};
    std::copy(sealed.end() - seal_tag_bytes, sealed.end(), tag.begin());
    int n = 0;
    std::array<std::uint8_t, 16> rest{};
    return EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
           EVP_DecryptUpdate(context, nullptr, &n, additional.data(),
                             static_cast<int>(additional.size())) == 1 &&
           EVP_DecryptUpdate(context, out, &n, body.data(), static_cast<int>(body.size())) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, seal_tag_bytes, tag.data()) == 1 &&
           EVP_DecryptFinal_ex(context, rest.data(), &n) == 1;
}

}  // namespace holdfast::vault
