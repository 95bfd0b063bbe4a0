#include "vault/keys/record.h"

#include "vault/crypto/hash.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

Record sample(const SigningKey& key) {
    Record record{"person", hash("somewhere", as_view("a")), 7, R"({"name":"A"})", {}};
    sign(record, key);
    return record;
}

}  // namespace

TEST_CASE("a record comes back as it was written", "[vault][keys]") {
    const SigningKey a = SigningKey::make(system_random());
    const SigningKey b = SigningKey::make(system_random());
    Record record = sample(a);
    sign(record, b);
    const Result<Record> read = parse_record(encode(record));
    REQUIRE(read);
    CHECK(*read == record);
    CHECK(signed_by(*read, a.public_key));
    CHECK(signed_by(*read, b.public_key));
}

TEST_CASE("a record with any one byte changed is refused or proves nothing", "[vault][keys]") {
    const SigningKey key = SigningKey::make(system_random());
    const Buffer good = encode(sample(key));
    for (std::size_t i = 0; i < good.size(); ++i) {
        Buffer bad = good;
        bad[i] ^= 0x01;
        const Result<Record> read = parse_record(bad);
        INFO("byte " << i);
        CHECK((!read || !signed_by(*read, key.public_key)));
    }
}

TEST_CASE("a record cut anywhere, or with a byte more, is refused", "[vault][keys]") {
    const Buffer good = encode(sample(SigningKey::make(system_random())));
    for (std::size_t n = 0; n < good.size(); ++n) CHECK_FALSE(parse_record(View(good).first(n)));
    Buffer longer = good;
    longer.push_back(0);
    CHECK_FALSE(parse_record(longer));
}

TEST_CASE("a signature is not taken for another type, reader or number", "[vault][keys]") {
    const SigningKey key = SigningKey::make(system_random());
    const Record record = sample(key);
    Record other = record;
    other.type = "release";
    CHECK_FALSE(signed_by(other, key.public_key));
    other = record;
    other.addressee = Digest{};
    CHECK_FALSE(signed_by(other, key.public_key));
    other = record;
    other.number = 8;
    CHECK_FALSE(signed_by(other, key.public_key));
    CHECK_FALSE(expect(record, "release", record.addressee));
    CHECK_FALSE(expect(record, "person", Digest{}));
    CHECK(expect(record, "person", record.addressee));
}

TEST_CASE("signers are counted once each, and only those who may sign", "[vault][keys]") {
    const SigningKey a = SigningKey::make(system_random());
    const SigningKey b = SigningKey::make(system_random());
    const SigningKey stranger = SigningKey::make(system_random());
    Record record = sample(a);
    sign(record, a);
    sign(record, stranger);
    const std::vector<PublicKey> allowed{a.public_key, a.public_key, b.public_key};
    CHECK(record.signatures.size() == 2);
    CHECK(valid_signers(record, allowed) == std::vector<PublicKey>{a.public_key});
    // A signature that claims to be another's counts for nobody.
    record.signatures[1].signer = b.public_key;
    CHECK(valid_signers(record, allowed).size() == 1);
}

TEST_CASE("a record that one key signed twice is refused", "[vault][keys]") {
    Record record = sample(SigningKey::make(system_random()));
    record.signatures.push_back(record.signatures[0]);
    CHECK_FALSE(parse_record(encode(record)));
}

TEST_CASE("a record holds a body of the limit, and no byte more", "[vault][keys]") {
    const SigningKey key = SigningKey::make(system_random());
    Record record = sample(key);
    record.body.assign(record_body_max, ' ');
    sign(record, key);
    Buffer bytes = encode(record);
    CHECK(bytes.size() <= record_bytes_max);
    CHECK(parse_record(bytes));
    const std::size_t length_at = 8 + 1 + record.type.size() + 32 + 8;
    bytes[length_at] = 1;  // One more than the limit.
    bytes.push_back(0);
    CHECK_FALSE(parse_record(bytes));
}
