// What people and nodes sign, from a vault: records, rosters, epochs. Once as it is, once with the
// signature or check that foreign bytes could not have by chance.
#include "tests/fuzz/fixed_keys.h"
#include "vault/base/assert.h"
#include "vault/crypto/hash.h"
#include "vault/keys/epoch.h"
#include "vault/keys/roster.h"

using namespace holdfast;
using namespace holdfast::vault;

namespace {

void check_record(View bytes) {
    const auto record = parse_record(bytes);
    if (!record) {
        HF_ASSERT(record.error().code == Errc::Corrupt);
        return;
    }
    const auto again = parse_record(encode(*record));
    HF_ASSERT(again && *again == *record);
}

void check_roster(View object, const SigningKey& key) {
    const auto roster = parse_roster(object);
    if (!roster) {
        HF_ASSERT(roster.error().code == Errc::Corrupt || roster.error().code == Errc::Denied);
        return;
    }
    if (roster->trust_key != key.public_key) return;
    const auto again = sign_roster(*roster, key);
    HF_ASSERT(again);
    Roster read = *parse_roster(*again);
    read.digest = roster->digest;
    HF_ASSERT(read == *roster);
}

void check_signed_body(View body) {
    static const SigningKey key = fuzz::fixed_signing_key();
    if (body.size() > record_body_max) return;
    Record record{"roster", {}, 1, std::string(as_text(body)), {}};
    sign(record, key);
    check_roster(encode(record), key);
}

/// `bytes` is all of an epoch object but its check.
void check_epoch(View bytes) {
    Buffer object(bytes.begin(), bytes.end());
    const Digest check = hash("epoch object", object);
    ByteWriter(object).bytes(check.view());
    ByteReader in(bytes);
    in.bytes(8);
    const View domain = in.bytes(32);
    in.u64();
    const Digest name = hash("epoch", {domain, in.bytes(64)});
    const auto epoch = parse_epoch(object, EpochId{name.digest});
    if (!epoch) return;
    HF_ASSERT(epoch->recipients.size() <= epoch_recipients_max);
    static const BoxKey box = fuzz::fixed_box_key();
    const auto opened = open_epoch(*epoch, &box, &box);
    HF_ASSERT(opened || opened.error().code == Errc::Corrupt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes{data, size};
    check_record(bytes);
    check_roster(bytes, fuzz::fixed_signing_key());
    check_signed_body(bytes);
    check_epoch(bytes);
    return 0;
}
