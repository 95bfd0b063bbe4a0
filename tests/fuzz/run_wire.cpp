// What a partner says of runs: an order, an approval, a share, a release, the number of a run.
#include "replicator/peer/run_wire.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::replicator;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes{data, size};
    if (const auto question = parse_run_question(bytes)) {
        HF_ASSERT(question->kind == "drill" || question->kind == "failover");
        const std::string once = encode(*question);
        const auto again = parse_run_question(as_view(once));
        HF_ASSERT(again && encode(*again) == once);
    }
    if (const auto approval = parse_run_approval(bytes)) {
        const std::string once = encode(*approval);
        const auto again = parse_run_approval(as_view(once));
        HF_ASSERT(again && again->record == approval->record);
    }
    if (const auto share = parse_run_share(bytes)) {
        const std::string once = encode_run_share(*share);
        HF_ASSERT(*parse_run_share(as_view(once)) == *share);
    }
    if (const auto release = parse_run_release(bytes)) {
        const std::string once = encode(*release);
        HF_ASSERT(parse_run_release(as_view(once))->keys == release->keys);
    }
    static_cast<void>(run_number(std::string(as_text(bytes))));
    static_cast<void>(system_of_run(bytes));
    return 0;
}
