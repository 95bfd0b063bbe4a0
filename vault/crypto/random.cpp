#include "vault/crypto/random.h"

#include "vault/crypto/secret.h"

#include <sodium.h>

namespace holdfast::vault {
namespace {

class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        crypto_ready();
        if (!out.empty()) randombytes_buf(out.data(), out.size());
    }
};

}  // namespace

Random& system_random() {
    static SystemRandom random;
    return random;
}

}  // namespace holdfast::vault
