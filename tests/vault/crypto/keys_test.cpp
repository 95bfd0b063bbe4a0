#include "vault/crypto/keys.h"

#include "vault/crypto/base64.h"
#include "vault/crypto/hash.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

Secret from_digits(std::string_view digits) {
    return Secret::copy_of(*from_hex(digits));
}

}  // namespace

TEST_CASE("Ed25519 signs as RFC 8032 says", "[vault][crypto]") {
    const SigningKey key = SigningKey::from_seed(
        from_digits("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
    CHECK(key.public_key.hex() ==
          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    const Buffer message{0xaf, 0x82};
    const Signature signature = key.sign(message);
    CHECK(to_hex(signature) ==
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
          "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    CHECK(signature_holds(key.public_key, message, signature));
}

TEST_CASE("an X25519 public key is what OpenSSL makes of the same secret", "[vault][crypto]") {
    const BoxKey key = BoxKey::from_secret(
        from_digits("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    CHECK(key.public_key.hex() ==
          "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f");
}

TEST_CASE("a signature with any bit changed does not hold", "[vault][crypto]") {
    const SigningKey key = SigningKey::make(system_random());
    const Buffer message(20, 7);
    const Signature good = key.sign(message);
    for (std::size_t i = 0; i < good.size() * 8; ++i) {
        Signature bad = good;
        bad[i / 8] ^= static_cast<std::uint8_t>(1 << i % 8);
        CHECK_FALSE(signature_holds(key.public_key, message, bad));
    }
    CHECK_FALSE(signature_holds(PublicKey{}, message, good));
}

TEST_CASE("a wrapped secret opens for its key, tag and context alone", "[vault][crypto]") {
    const BoxKey key = BoxKey::make(system_random());
    const BoxKey other = BoxKey::make(system_random());
    const Secret secret = Secret::random(32);
    const Buffer context(3, 1);
    const Buffer wrapped = wrap("a", context, secret.view(), key.public_key);
    CHECK(equal_in_constant_time(unwrap("a", context, wrapped, key)->view(), secret.view()));
    CHECK_FALSE(unwrap("b", context, wrapped, key));
    CHECK_FALSE(unwrap("a", Buffer(3, 2), wrapped, key));
    CHECK_FALSE(unwrap("a", context, wrapped, other));
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
        Buffer bad = wrapped;
        bad[i] ^= 0x40;
        CHECK_FALSE(unwrap("a", context, bad, key));
        CHECK_FALSE(unwrap("a", context, View(wrapped).first(i), key));
    }
}

TEST_CASE("what is locked opens with its key, nonce and additional data alone", "[vault][crypto]") {
    const Secret key = Secret::random(32);
    Buffer nonce(24, 5);
    const Buffer more(4, 1);
    const Buffer plain(50, 9);
    const Buffer locked = vault::lock(key, nonce, more, plain);
    CHECK(equal_in_constant_time(vault::unlock(key, nonce, more, locked)->view(), plain));
    CHECK_FALSE(vault::unlock(Secret::random(32), nonce, more, locked));
    CHECK_FALSE(vault::unlock(key, nonce, plain, locked));
    nonce[0] = 6;
    CHECK_FALSE(vault::unlock(key, nonce, more, locked));
    CHECK_FALSE(vault::unlock(key, View(nonce).first(23), more, locked));
    CHECK_FALSE(vault::unlock(key, nonce, more, View(locked).first(15)));
}

TEST_CASE("a passphrase's key depends on passphrase, salt and cost", "[vault][crypto]") {
    const Secret word = Secret::copy_of(as_view("word"));
    PasswordCost cost{1, 8192, {}};
    const Secret key = *password_key(word, cost);
    CHECK(equal_in_constant_time(password_key(word, cost)->view(), key.view()));
    CHECK_FALSE(equal_in_constant_time(password_key(Secret::copy_of(as_view("Word")), cost)->view(),
                                       key.view()));
    cost.salt[0] = 1;
    CHECK_FALSE(equal_in_constant_time(password_key(word, cost)->view(), key.view()));
    cost = {2, 8192, {}};
    CHECK_FALSE(equal_in_constant_time(password_key(word, cost)->view(), key.view()));
    CHECK(password_key(word, {0, 8192, {}}).error().code == Errc::Invalid);
    CHECK(password_key(word, {1, 1, {}}).error().code == Errc::Invalid);
}

TEST_CASE("base64 is as RFC 4648 says, and nothing looser is read", "[vault][crypto]") {
    CHECK(to_base64(as_view("")).empty());
    CHECK(to_base64(as_view("fo")) == "Zm8=");
    CHECK(to_base64(as_view("foobar")) == "Zm9vYmFy");
    for (const char* bad : {"Zm8", "Zm8=\n", " Zm8=", "Zm9=", "Zm8==", "Zm-_", "Z"}) {
        INFO(bad);
        CHECK_FALSE(from_base64(bad));
        CHECK_FALSE(secret_from_base64(as_view(bad)));
    }
    for (std::size_t n = 0; n < 70; ++n) {
        const Secret bytes = Secret::random(n);
        const Secret text = secret_to_base64(bytes.view());
        CHECK(as_text(text.view()) == to_base64(bytes.view()));
        CHECK(equal_in_constant_time(secret_from_base64(text.view())->view(), bytes.view()));
        CHECK(equal_in_constant_time(*from_base64(as_text(text.view())), bytes.view()));
    }
}
