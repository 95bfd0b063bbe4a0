// What another trust sends beside runs and records: an invitation, the call that pairs, rosters,
// names, its status.
#include "replicator/pairing/invitation.h"
#include "replicator/peer/wire.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::replicator;

namespace {

/// What was read is written, and read again as the same.
template <class Parse>
void check(View bytes, Parse parse) {
    const auto read = parse(bytes);
    if (!read) {
        HF_ASSERT(read.error().code == Errc::Invalid);
        return;
    }
    const std::string once = encode(*read);
    const auto again = parse(as_view(once));
    HF_ASSERT(again && encode(*again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes{data, size};
    check(bytes, parse_pair_call);
    check(bytes, parse_roster_chain);
    check(bytes, parse_names_page);
    check(bytes, parse_peer_status);
    if (const auto list = parse_list_question(bytes)) {
        HF_ASSERT(*parse_list_question(as_view(encode_list_question(*list))) == *list);
    }
    if (const auto records = parse_records(bytes)) {
        HF_ASSERT(records->size() <= wire_records_max);
        HF_ASSERT(*parse_records(as_view(encode_records(*records))) == *records);
    }
    if (const auto names = parse_names(bytes, "names", wire_names_max)) {
        HF_ASSERT(names->size() <= wire_names_max);
    }
    if (const auto invitation = parse_invitation(as_text(bytes))) {
        HF_ASSERT(*parse_invitation(invitation_text(*invitation)) == *invitation);
    }
    return 0;
}
