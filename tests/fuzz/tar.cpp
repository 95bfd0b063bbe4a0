// A tar stream from a database server: whole, and in pieces of a few bytes. Checksums are put
// right first, for foreign bytes would hardly ever have them.
#include "agent/source/postgres/tar_reader.h"
#include "vault/base/assert.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

using namespace holdfast;
using namespace holdfast::agent::postgres;

namespace {

constexpr std::size_t checksum_offset = 148;
constexpr std::size_t magic_offset = 257;

void put_checksum(std::span<std::uint8_t> block) {
    const auto field = block.subspan(checksum_offset, 8);
    std::fill(field.begin(), field.end(), std::uint8_t{' '});
    const unsigned sum = std::accumulate(block.begin(), block.end(), 0U);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    std::copy_n(text, 7, field.begin());
}

/// Holds each visit to the header's promises, and keeps what was told.
class Listener final : public TarVisitor {
public:
    Result<void> begin(const TarMember& member) override {
        HF_ASSERT(!open_);
        HF_ASSERT(!member.path.empty() && !member.path.starts_with('/'));
        HF_ASSERT(("/" + member.path + "/").find("/../") == std::string::npos);
        HF_ASSERT(member.size <= tar_member_bytes_max && member.mode <= 07777);
        open_ = true;
        left_ = member.size;
        told += member.path + '\n' + member.link_target + '\n' + std::to_string(member.size);
        return {};
    }
    Result<void> data(View piece) override {
        HF_ASSERT(open_ && !piece.empty() && piece.size() <= left_);
        left_ -= piece.size();
        told += as_text(piece);
        return {};
    }
    Result<void> end() override {
        HF_ASSERT(open_ && left_ == 0);
        open_ = false;
        return {};
    }

    std::string told;

private:
    bool open_ = false;
    std::uint64_t left_ = 0;
};

struct Outcome {
    std::string error;
    std::string told;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(View stream, std::size_t piece_bytes) {
    Listener listener;
    TarReader reader(listener);
    Result<void> result;
    while (result && !stream.empty()) {
        const View piece = stream.first(std::min(piece_bytes, stream.size()));
        result = reader.feed(piece);
        stream = stream.subspan(piece.size());
    }
    if (result) result = reader.finish();
    if (!result) HF_ASSERT(result.error().code == Errc::Invalid);
    return {result ? "" : "refused", listener.told};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Buffer stream(data, data + size);
    for (std::size_t at = 0; at + tar_block_bytes <= size; at += tar_block_bytes) {
        const auto block = std::span(stream).subspan(at, tar_block_bytes);
        if (as_text(block.subspan(magic_offset, 5)) == "ustar") put_checksum(block);
    }
    HF_ASSERT(read(stream, stream.size()) == read(stream, 7));
    return 0;
}
