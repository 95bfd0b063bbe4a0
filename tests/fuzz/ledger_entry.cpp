// A ledger entry from a vault; once as it is, once with a body that its envelope agrees with.
#include "vault/base/assert.h"
#include "vault/crypto/hash.h"
#include "vault/ledger/chain.h"
#include "vault/ledger/standing.h"

using namespace holdfast;
using namespace holdfast::vault;

namespace {

void check(View bytes) {
    const auto entry = parse_entry(bytes);
    if (!entry) return;
    const Buffer same = encode_entry(*entry);
    HF_ASSERT(std::equal(same.begin(), same.end(), bytes.begin(), bytes.end()));
    Chain chain(entry->envelope.trust, entry->envelope.chain);
    const bool taken = bool(chain.append(entry->envelope, [](const Envelope&) { return true; }));
    HF_ASSERT(chain.length() == (taken ? 1 : 0));
    const auto standing = parse_standing_body(as_text(View(entry->body)));
    if (!standing || !*standing) return;
    const auto again = parse_standing_body(encode_standing_body(**standing));
    HF_ASSERT(again && *again && **again == **standing);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes{data, size};
    check(bytes);
    if (size < envelope_bytes) return 0;
    auto envelope = parse_envelope(bytes.first(envelope_bytes));
    if (!envelope) return 0;

    const View body = bytes.subspan(envelope_bytes);
    envelope->body_length = static_cast<std::uint32_t>(body.size());
    envelope->body_hash = hash("ledger body", body);
    const Buffer agreeing = encode_entry({*envelope, Buffer(body.begin(), body.end())});
    HF_ASSERT(bool(parse_entry(agreeing)) == (body.size() <= ledger_body_bytes_max));
    check(agreeing);
    return 0;
}
