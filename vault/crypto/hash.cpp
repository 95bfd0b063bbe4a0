#include "vault/crypto/hash.h"

#include <sodium.h>

namespace holdfast::vault {
namespace {

constexpr std::string_view tag_prefix = "holdfast/1/";

void absorb(crypto_generichash_state& state, std::string_view tag,
            std::initializer_list<View> parts) {
    const std::uint8_t end = 0;
    crypto_generichash_update(&state, as_view(tag_prefix).data(), tag_prefix.size());
    crypto_generichash_update(&state, as_view(tag).data(), tag.size());
    crypto_generichash_update(&state, &end, 1);
    for (const View part : parts) crypto_generichash_update(&state, part.data(), part.size());
}

}  // namespace

Digest hash(std::string_view tag, std::initializer_list<View> parts) {
    crypto_ready();  // Before it libsodium has only its portable BLAKE2b, at a third of the speed.
    Digest out;
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, out.digest.size());
    absorb(state, tag, parts);
    crypto_generichash_final(&state, out.digest.data(), out.digest.size());
    return out;
}

Secret derive(const Secret& key, std::string_view tag, std::initializer_list<View> parts) {
    Secret out(32);
    derive_into(out, key, tag, parts);
    return out;
}

void derive_into(Secret& out, const Secret& key, std::string_view tag,
                 std::initializer_list<View> parts) {
    HF_ASSERT(key.size() == 32 && out.size() == 32);
    crypto_generichash_state state;
    crypto_generichash_init(&state, key.view().data(), key.size(), out.size());
    absorb(state, tag, parts);
    crypto_generichash_final(&state, out.data(), out.size());
    sodium_memzero(&state, sizeof state);
}

ChunkId keyed_hash(const Secret& key, View message) {
    crypto_ready();
    ChunkId id;
    crypto_generichash(id.digest.data(), id.digest.size(), message.data(), message.size(),
                       key.view().data(), key.size());
    return id;
}

Buffer tagged(std::string_view tag, std::initializer_list<View> parts) {
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(as_view(tag_prefix));
    writer.bytes(as_view(tag));
    writer.u8(0);
    for (const View part : parts) writer.bytes(part);
    return out;
}

bool equal_in_constant_time(View a, View b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace holdfast::vault
