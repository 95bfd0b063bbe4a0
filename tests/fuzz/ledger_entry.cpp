// A ledger entry from a vault; once as it is, once with a body that its envelope agrees with.
#include "vault/base/assert.h"
#include "vault/crypto/hash.h"
#include "vault/ledger/carry.h"
#include "vault/ledger/standing.h"

#include <span>
#include <vector>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

/// As the only part of a carry: what is read of it can be written again, and is read the same.
void check_carry(const LedgerEntry& entry) {
    const auto place = carry_place(entry);
    if (!place) return;
    (void)chain_before(entry);
    const auto all_may = [](const Envelope&) { return true; };
    const auto carry = read_carry(std::span(&entry, 1), all_may);
    if (!carry) return;
    std::vector<const LedgerEntry*> kept;
    for (const LedgerEntry& one : carry->entries) kept.push_back(&one);
    const auto bodies = carry_bodies(carry->chain.log(), kept);
    HF_ASSERT(bodies && bodies->size() == 1);
    LedgerEntry same = entry;
    same.body = bodies->front();
    const auto again = read_carry(std::span(&same, 1), all_may);
    HF_ASSERT(again && again->entries.size() == carry->entries.size());
}

void check(View bytes) {
    const auto entry = parse_entry(bytes);
    if (!entry) return;
    const Buffer same = encode_entry(*entry);
    HF_ASSERT(std::equal(same.begin(), same.end(), bytes.begin(), bytes.end()));
    Chain chain(entry->envelope.trust, entry->envelope.chain);
    const bool taken = bool(chain.append(entry->envelope, [](const Envelope&) { return true; }));
    HF_ASSERT(chain.length() == (taken ? 1 : 0));
    check_carry(*entry);
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
