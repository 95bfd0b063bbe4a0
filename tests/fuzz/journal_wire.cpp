// What comes over the journal's socket, on either side.
#include "agent/source/journal/wire.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::agent::journal;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto ask = parse_ask({data, size});
    if (ask) HF_ASSERT(parse_ask(encode_ask(*ask))->token == ask->token);
    const auto answer = parse_answer({data, size});
    if (!answer) return 0;
    const auto again = parse_answer(encode_answer(*answer));
    HF_ASSERT(again && again->changes.changes == answer->changes.changes);
    return 0;
}
