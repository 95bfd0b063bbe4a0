#include "replicator/pairing/words.h"

#include "vault/crypto/hash.h"

#include <algorithm>

namespace holdfast::replicator {

std::string pairing_words(const PairingEnd& a, const PairingEnd& b) {
    const auto [trust_1, trust_2] = std::minmax(a.trust, b.trust);
    const auto [key_1, key_2] = std::minmax(a.tls_key, b.tls_key);
    const Digest digest =
        vault::hash("pairing words", {trust_1.view(), trust_2.view(), key_1.view(), key_2.view()});
    std::string line;
    for (std::size_t i = 0; i < pairing_words_count; ++i) {
        if (i > 0) line += ' ';
        line += pairing_word_list[digest.digest[i]];
    }
    return line;
}

}  // namespace holdfast::replicator
