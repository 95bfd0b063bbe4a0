// Pairing words: one line that both admins read to each other by phone.
//
// It is made of H("pairing words", both trust ids, both TLS keys), each pair sorted; so both sides
// show the same eight words exactly if each sees the other as it is. 64 bits: who sits between them
// would have to make keys for both sides that collide while they are pairing.
#pragma once

#include "replicator/http/message.h"
#include "vault/base/units.h"

#include <array>
#include <string>
#include <string_view>

namespace holdfast::replicator {

constexpr std::size_t pairing_words_count = 8;

extern const std::array<std::string_view, 256> pairing_word_list;

/// Who stands at one end.
struct PairingEnd {
    TrustId trust;
    KeyHash tls_key;
};

/// Eight words with spaces between. The order of the ends does not matter.
std::string pairing_words(const PairingEnd& a, const PairingEnd& b);

}  // namespace holdfast::replicator
