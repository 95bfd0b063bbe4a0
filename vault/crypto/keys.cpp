#include "vault/crypto/keys.h"

#include "vault/crypto/hash.h"

#include <sodium.h>

namespace holdfast::vault {

SigningKey SigningKey::from_seed(Secret seed) {
    crypto_ready();
    HF_ASSERT(seed.size() == crypto_sign_SEEDBYTES);
    SigningKey key;
    Secret expanded(crypto_sign_SECRETKEYBYTES);
    crypto_sign_seed_keypair(key.public_key.digest.data(), expanded.data(), seed.view().data());
    key.seed = std::move(seed);
    return key;
}

SigningKey SigningKey::make(Random& random) {
    Secret seed(crypto_sign_SEEDBYTES);
    random.fill({seed.data(), seed.size()});
    return from_seed(std::move(seed));
}

Signature SigningKey::sign(View message) const {
    Secret expanded(crypto_sign_SECRETKEYBYTES);
    PublicKey same;
    crypto_sign_seed_keypair(same.digest.data(), expanded.data(), seed.view().data());
    Signature signature;
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                         expanded.view().data());
    return signature;
}

bool signature_holds(const PublicKey& signer, View message, const Signature& signature) {
    crypto_ready();
    return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                       signer.digest.data()) == 0;
}

BoxKey BoxKey::from_secret(Secret secret) {
    crypto_ready();
    HF_ASSERT(secret.size() == crypto_box_SECRETKEYBYTES);
    BoxKey key;
    crypto_scalarmult_base(key.public_key.digest.data(), secret.view().data());
    key.secret = std::move(secret);
    return key;
}

BoxKey BoxKey::make(Random& random) {
    Secret secret(crypto_box_SECRETKEYBYTES);
    random.fill({secret.data(), secret.size()});
    return from_secret(std::move(secret));
}

Buffer wrap(std::string_view tag, View context, View secret, const PublicKey& recipient) {
    crypto_ready();
    const Digest purpose = hash(tag, context);
    Secret plain(purpose.digest.size() + secret.size());
    std::copy(purpose.digest.begin(), purpose.digest.end(), plain.data());
    std::copy(secret.begin(), secret.end(), plain.data() + purpose.digest.size());
    Buffer out(plain.size() + crypto_box_SEALBYTES);
    const int done =
        crypto_box_seal(out.data(), plain.view().data(), plain.size(), recipient.digest.data());
    HF_ASSERT(done == 0);
    return out;
}

Result<Secret> unwrap(std::string_view tag, View context, View wrapped, const BoxKey& recipient) {
    const Error wrong{Errc::Corrupt,
                      "a wrapped secret does not open: it is for another key, "
                      "damaged, or was wrapped as something else"};
    const Digest purpose = hash(tag, context);
    const std::size_t overhead = crypto_box_SEALBYTES + purpose.digest.size();
    if (wrapped.size() < overhead) return wrong;
    Secret plain(wrapped.size() - crypto_box_SEALBYTES);
    if (crypto_box_seal_open(plain.data(), wrapped.data(), wrapped.size(),
                             recipient.public_key.digest.data(),
                             recipient.secret.view().data()) != 0) {
        return wrong;
    }
    if (!equal_in_constant_time(plain.view().first(purpose.digest.size()), purpose.view())) {
        return wrong;
    }
    return Secret::copy_of(plain.view().subspan(purpose.digest.size()));
}

Result<Secret> password_key(const Secret& passphrase, const PasswordCost& cost) {
    crypto_ready();
    if (cost.operations < crypto_pwhash_OPSLIMIT_MIN || cost.operations > password_operations_max ||
        cost.memory_bytes < crypto_pwhash_MEMLIMIT_MIN || cost.memory_bytes > password_memory_max) {
        return Error{Errc::Invalid, "the cost of the passphrase's hash is out of bounds"};
    }
    Secret key(32);
    if (crypto_pwhash(key.data(), key.size(),
                      reinterpret_cast<const char*>(passphrase.view().data()), passphrase.size(),
                      cost.salt.data(), cost.operations, cost.memory_bytes,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return Error{Errc::Full, "hashing the passphrase needs " +
                                     std::to_string(cost.memory_bytes >> 20) + " MiB of memory"};
    }
    return key;
}

Buffer lock(const Secret& key, View nonce, View additional, View plain) {
    HF_ASSERT(nonce.size() == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES && key.size() == 32);
    Buffer out(plain.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(),
                                               additional.data(), additional.size(), nullptr,
                                               nonce.data(), key.view().data());
    return out;
}

Result<Secret> unlock(const Secret& key, View nonce, View additional, View locked) {
    const Error wrong{Errc::Denied, "wrong passphrase, or the file was altered"};
    constexpr std::size_t tag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
    if (nonce.size() != crypto_aead_xchacha20poly1305_ietf_NPUBBYTES || locked.size() < tag) {
        return wrong;
    }
    Secret plain(locked.size() - tag);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain.data(), nullptr, nullptr, locked.data(), locked.size(), additional.data(),
            additional.size(), nonce.data(), key.view().data()) != 0) {
        return wrong;
    }
    return plain;
}

}  // namespace holdfast::vault
