#include "agent/people/sign_in_request.h"

// A sign-in is understood whole or refused; the body is wiped either way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast;
    Buffer body(data, data + size);
    const auto request = agent::take_sign_in_request(body);
    HF_ASSERT(body.empty());
    if (request) {
        HF_ASSERT(!request->name.empty() && !request->passphrase.empty());
        HF_ASSERT(request->name.size() <= agent::sign_in_name_bytes_max);
        HF_ASSERT(request->passphrase.size() <= agent::sign_in_passphrase_bytes_max);
    }
    return 0;
}
