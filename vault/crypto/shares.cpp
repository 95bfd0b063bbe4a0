#include "vault/crypto/shares.h"

#include "vault/base/closer.h"

#include <sodium.h>

#include <bitset>

extern "C" {  // The library's header does not say it.
#include <libgfshare.h>
}

namespace holdfast::vault {
namespace {

using Context = std::unique_ptr<gfshare_ctx, Closer<gfshare_ctx_free>>;

void fill_random(unsigned char* out, unsigned int size) {
    randombytes_buf(out, size);
}

// The library asks one global function for random bytes, also to overwrite what it frees; without
// it, it would call a null pointer.
void gfshare_ready() {
    crypto_ready();
    static const bool ready = [] {
        gfshare_fill_rand = fill_random;
        return true;
    }();
    HF_ASSERT(ready);
}

}  // namespace

Result<std::vector<Share>> split_secret(const Secret& secret, std::size_t count,
                                        std::size_t threshold) {
    HF_ASSERT(secret.size() == share_bytes);
    if (threshold < share_threshold_min || threshold > count || count > shares_max) {
        return Error{Errc::Invalid,
                     "a secret is split into at most 32 shares, of which 2 or more are needed"};
    }
    gfshare_ready();
    Buffer numbers;
    for (std::size_t i = 1; i <= count; ++i) numbers.push_back(static_cast<std::uint8_t>(i));
    const Context context(gfshare_ctx_init_enc(numbers.data(), static_cast<unsigned>(count),
                                               static_cast<std::uint8_t>(threshold), share_bytes));
    HF_ASSERT(context != nullptr);
    Secret copy = secret.clone();  // The library takes it without const.
    gfshare_ctx_enc_setsecret(context.get(), copy.data());
    std::vector<Share> shares;
    for (std::size_t i = 0; i < count; ++i) {
        shares.push_back({numbers[i], Secret(share_bytes)});
        gfshare_ctx_enc_getshare(context.get(), static_cast<std::uint8_t>(i),
                                 shares.back().bytes.data());
    }
    return shares;
}

Result<Secret> combine_shares(const std::vector<Share>& shares) {
    std::bitset<256> seen;
    Buffer numbers;
    for (const Share& one : shares) {
        if (one.number == 0 || seen[one.number] || one.bytes.size() != share_bytes) {
            return Error{Errc::Invalid,
                         "share " + std::to_string(one.number) + " is given twice, or is no share"};
        }
        seen[one.number] = true;
        numbers.push_back(one.number);
    }
    if (shares.empty()) return Error{Errc::Invalid, "no shares"};
    gfshare_ready();
    const Context context(
        gfshare_ctx_init_dec(numbers.data(), static_cast<unsigned>(numbers.size()), share_bytes));
    HF_ASSERT(context != nullptr);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        Secret copy = shares[i].bytes.clone();
        gfshare_ctx_dec_giveshare(context.get(), static_cast<std::uint8_t>(i), copy.data());
    }
    Secret secret(share_bytes);
    gfshare_ctx_dec_extract(context.get(), secret.data());
    return secret;
}

}  // namespace holdfast::vault
