// Keys and entries for the tests of vault/ledger.
#pragma once

#include "vault/crypto/hash.h"
#include "vault/ledger/chain.h"

#include <string>

namespace holdfast::vault::material {

inline SigningKey signing_key(std::uint8_t number) {
    const Buffer seed(32, number);
    return SigningKey::from_seed(Secret::copy_of(seed));
}

template <class SomeId>
SomeId some_id(std::string_view name) {
    return {hash("test", as_view(name)).digest};
}

inline Buffer body(std::string_view json) {
    const std::string text = '\0' + std::string(json);
    return {text.begin(), text.end()};
}

inline Chain empty_chain() {
    return {some_id<TrustId>("trust"), some_id<ChainId>("chain")};
}

/// The entry that goes next on `chain`, signed by key 1.
inline LedgerEntry next_entry(const Chain& chain, std::string_view json = "{}") {
    Envelope facts = chain.next();
    facts.time_ms = 1'790'000'000'000 + static_cast<std::int64_t>(facts.number);
    facts.list = some_id<ListId>("list");
    return sign_entry(facts, body(json), signing_key(1));
}

inline bool key_1_may(const Envelope& envelope) {
    return envelope.signer == signing_key(1).public_key;
}

}  // namespace holdfast::vault::material
