#include "vault/ledger/entry.h"
#include "tests/vault/ledger/material.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

bool stands(const Buffer& bytes) {
    const auto entry = parse_entry(bytes);
    if (!entry) CHECK(entry.error().code == Errc::Corrupt);
    return entry && signature_holds(entry->envelope);
}

}  // namespace

TEST_CASE("an entry comes back as it was signed", "[vault][ledger]") {
    const LedgerEntry entry = material::next_entry(material::empty_chain(), R"({"type":"open"})");
    const Buffer bytes = encode_entry(entry);
    CHECK(bytes.size() == envelope_bytes + entry.body.size());
    const auto parsed = parse_entry(bytes);
    REQUIRE(parsed);
    CHECK(parsed->envelope == entry.envelope);
    CHECK(parsed->body == entry.body);
    CHECK(signature_holds(parsed->envelope));
}

TEST_CASE("an entry with any bit flipped, in any field, does not stand", "[vault][ledger]") {
    const Buffer good = encode_entry(material::next_entry(material::empty_chain(), "{\"n\":1}"));
    REQUIRE(stands(good));
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Buffer bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        REQUIRE_FALSE(stands(bad));
    }
}

TEST_CASE("an entry cut short or with more behind it is refused", "[vault][ledger]") {
    const Buffer good = encode_entry(material::next_entry(material::empty_chain()));
    for (std::size_t n = 0; n < good.size(); ++n) {
        REQUIRE_FALSE(stands(Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n))));
    }
    Buffer longer = good;
    longer.push_back(0);
    CHECK_FALSE(stands(longer));
}

TEST_CASE("the longest body passes, and an envelope that promises more is refused",
          "[vault][ledger]") {
    Envelope facts = material::empty_chain().next();
    LedgerEntry entry = sign_entry(facts, Buffer(ledger_body_bytes_max), material::signing_key(1));
    CHECK(stands(encode_entry(entry)));
    entry.envelope.body_length += 1;
    CHECK_FALSE(parse_envelope(encode_envelope(entry.envelope)));
}

TEST_CASE("another key's signature does not hold", "[vault][ledger]") {
    LedgerEntry entry = material::next_entry(material::empty_chain());
    entry.envelope.signer = material::signing_key(2).public_key;
    CHECK_FALSE(signature_holds(entry.envelope));
}

TEST_CASE("a snapshot's id is the hash of its envelope as a leaf", "[vault][ledger]") {
    const LedgerEntry entry = material::next_entry(material::empty_chain());
    CHECK(entry_hash(entry.envelope) == merkle_leaf_hash(encode_envelope(entry.envelope)));
}
