// A row of a PostgreSQL's stream of its log.
#include "agent/source/postgres/log_row.h"
#include "vault/base/assert.h"

using namespace holdfast;
using namespace holdfast::agent::postgres;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto row = parse_log_row({data, size});
    if (!row) return 0;
    HF_ASSERT(row->log.size() < size);
    HF_ASSERT(row->log.empty() || row->log.data() + row->log.size() == data + size);
    HF_ASSERT(row->log.empty() || !row->answer);
    return 0;
}
