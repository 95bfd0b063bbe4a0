// What witnesses and hosts sign and send: holder records, witnesses' words, replies and sets.
#include "replicator/witness/witness_wire.h"
#include "tests/fuzz/fixed_keys.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

void check_holder(View body) {
    if (body.size() > vault::record_body_max) return;
    const vault::Record record{"holder", {}, 1, std::string(as_text(body)), {}};
    const auto holder = parse_holder(record);
    if (!holder) {
        HF_ASSERT(holder.error().code == Errc::Corrupt);
        return;
    }
    HF_ASSERT(parse_holder(holder_record(*holder)));
}

void check_word(View object) {
    Holder holder;
    holder.system = "epr";
    holder.term = 1;
    HF_ASSERT(!parse_witness_word(object, holder_record(holder), vault::Roster{}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes{data, size};
    check_holder(bytes);
    check_word(bytes);
    const auto reply = parse_witness_reply(bytes);
    if (reply) {
        const auto again = parse_witness_reply(as_view(encode(*reply)));
        HF_ASSERT(again && again->kind == reply->kind && again->record == reply->record);
    }
    (void)parse_peer_reply(409, bytes);
    const auto sets = parse_witness_sets(bytes);
    if (sets) HF_ASSERT(parse_witness_sets(as_view(encode(*sets))));
    return 0;
}
