#include "vault/snapshot/index_chunk.h"

#include "vault/snapshot/chunk_reader.h"

namespace holdfast::vault {
namespace {

constexpr std::uint8_t index_version = 1;
constexpr std::size_t directory_plain_max = 16_MiB;

/// Learns one index chunk; the pack that holds it is learnt first, by its own directory.
Result<void> learn_chunk(const Store& store, const KeySource& keys, const IndexRef& ref,
                         const std::set<PackId>& wanted, ChunkIndex& index) {
    if (!HF_TRY(index.has_pack(ref.pack))) {
        const std::uint64_t length = HF_TRY(store.size(pack_name(ref.pack)));
        HF_TRY(index.add_pack(ref.pack, length, HF_TRY(open_directory(store, ref.pack, keys))));
    }
    ChunkReader reader(store, index, keys);
    const auto content = HF_TRY(reader.read(ref.chunk));
    std::vector<PackId> covered;
    for (const IndexedPack& pack : HF_TRY(parse_index_chunk(*content))) {
        if (!wanted.contains(pack.pack)) continue;
        HF_TRY(index.add_pack(pack.pack, pack.length, pack.directory));
        covered.push_back(pack.pack);
    }
    return index.set_cover(covered, ref.chunk);
}

}  // namespace

Buffer encode_index_chunk(const std::vector<IndexedPack>& packs) {
    Buffer out;
    ByteWriter writer(out);
    writer.u8(index_version);
    writer.varint(packs.size());
    for (const IndexedPack& pack : packs) {
        writer.bytes(pack.pack.view());
        writer.varint(pack.length);
        writer.blob(encode_directory(pack.directory));
    }
    return out;
}

Result<std::vector<IndexedPack>> parse_index_chunk(View content) {
    ByteReader in(content);
    if (in.u8() != index_version) return Error{Errc::Corrupt, "index chunk of unknown version"};
    const std::uint64_t count = in.varint();
    std::vector<IndexedPack> packs;
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        IndexedPack pack;
        pack.pack = PackId::read(in);
        pack.length = in.varint();
        const View directory = in.blob(directory_plain_max);
        if (!in.ok()) break;
        pack.directory = HF_TRY(parse_directory(directory, pack.length));
        packs.push_back(std::move(pack));
    }
    if (!in.done()) return Error{Errc::Corrupt, "a damaged index chunk"};
    return packs;
}

Result<void> learn_packs(const Store& store, const KeySource& keys, const std::set<PackId>& packs,
                         const std::vector<IndexRef>& refs, ChunkIndex& index) {
    bool all = true;
    for (const PackId& pack : packs) all = all && HF_TRY(index.has_pack(pack));
    if (all) return {};
    for (const IndexRef& ref : refs) HF_TRY(learn_chunk(store, keys, ref, packs, index));
    for (const PackId& pack : packs) {
        if (HF_TRY(index.has_pack(pack))) continue;
        const std::uint64_t length =
            HF_TRY(store.size(pack_name(pack)).within("pack " + pack.hex()));
        HF_TRY(index.add_pack(pack, length, HF_TRY(open_directory(store, pack, keys))));
    }
    return {};
}

}  // namespace holdfast::vault
