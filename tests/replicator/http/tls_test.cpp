#include "replicator/http/tls.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::replicator;

TEST_CASE("an identity survives the way through PEM", "[replicator][http]") {
    const auto made = TlsIdentity::make("St Example NHS Trust");
    REQUIRE(made);
    CHECK_FALSE(made->key_hash().zero());
    const auto read = TlsIdentity::from_pem(made->key_pem(), made->certificate_pem());
    REQUIRE(read);
    CHECK(read->key_hash() == made->key_hash());
    CHECK(*key_hash_of_certificate(made->certificate_pem()) == made->key_hash());
    CHECK(made->copy().key_hash() == made->key_hash());
}

TEST_CASE("each identity has a key of its own", "[replicator][http]") {
    CHECK(TlsIdentity::make("a")->key_hash() != TlsIdentity::make("a")->key_hash());
    // Random serial numbers: one that begins with a zero byte once made a malformed certificate.
    int good = 0;
    for (int i = 0; i < 1000; ++i) good += TlsIdentity::make("a").operator bool();
    CHECK(good == 1000);
}

TEST_CASE("a key and a foreign certificate are refused", "[replicator][http]") {
    const auto a = TlsIdentity::make("a");
    const auto b = TlsIdentity::make("b");
    const auto mixed = TlsIdentity::from_pem(a->key_pem(), b->certificate_pem());
    REQUIRE_FALSE(mixed);
    CHECK(mixed.error().code == Errc::Invalid);
}

TEST_CASE("what is no PEM is refused", "[replicator][http]") {
    const auto a = TlsIdentity::make("a");
    CHECK_FALSE(TlsIdentity::from_pem(as_view("rubbish"), a->certificate_pem()));
    CHECK_FALSE(TlsIdentity::from_pem(a->key_pem(), as_view("")));
    CHECK_FALSE(key_hash_of_certificate(a->key_pem()));
    CHECK_FALSE(TlsIdentity::make(""));
    CHECK_FALSE(TlsIdentity::make(std::string(65, 'x')));
}

TEST_CASE("a key that is not on P-256 is refused", "[replicator][http]") {
    const auto a = TlsIdentity::make("a");
    const auto ed25519 =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n";
    const auto read = TlsIdentity::from_pem(as_view(ed25519), a->certificate_pem());
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find("P-256") != std::string::npos);
}

TEST_CASE("a fingerprint reads back, and only as it was written", "[replicator][http]") {
    const auto key = TlsIdentity::make("a")->key_hash();
    const std::string pin = pin_text(key);
    CHECK(pin.starts_with("sha256//"));
    CHECK(*parse_pin(pin) == key);
    CHECK_FALSE(parse_pin(pin.substr(1)));
    CHECK_FALSE(parse_pin(pin + "A"));
    CHECK_FALSE(parse_pin("sha256//" + std::string(44, '=')));
    CHECK_FALSE(parse_pin("sha256//" + std::string(43, '*') + "="));
    CHECK_FALSE(parse_pin("sha256//" + std::string(42, 'A') + "B="));  // Stray bits.
}
