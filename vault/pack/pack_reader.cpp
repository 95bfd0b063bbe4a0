#include "vault/pack/pack_reader.h"

#include "vault/pack/pack_writer.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

struct Trailer {
    SegmentName name;
    std::uint8_t size_class = 0;
};

Result<Trailer> parse_trailer(View raw) {
    ByteReader in(raw);
    Trailer trailer;
    trailer.name.kind = Kind::Directory;
    trailer.name.epoch = EpochId::read(in);
    const View salt = in.bytes(trailer.name.salt.size());
    std::copy(salt.begin(), salt.end(), trailer.name.salt.begin());
    trailer.name.cipher = HF_TRY(cipher_from(in.u8()));
    trailer.size_class = in.u8();
    const std::uint64_t reserved = std::uint64_t{in.u32()} << 16 | in.u16();
    const View magic = in.bytes(pack_trailer_magic.size());
    if (!in.done() || reserved != 0 || as_text(magic) != pack_trailer_magic ||
        trailer.size_class > directory_class_max) {
        return Error{Errc::Corrupt, "it does not end as a pack does"};
    }
    return trailer;
}

Result<Directory> read_directory(const Store& store, const std::string& name, std::uint64_t length,
                                 const KeySource& keys) {
    if (length < pack_bytes_min || length > pack_bytes_max) {
        return Error{Errc::Corrupt, "no pack has " + std::to_string(length) + " bytes"};
    }
    const std::uint64_t trailer_at = length - pack_trailer_bytes;
    Trailer trailer =
        HF_TRY(parse_trailer(HF_TRY(store.get(name, trailer_at, pack_trailer_bytes))));
    const std::uint64_t size = directory_bytes(trailer.size_class);
    if (size + pack_header_bytes > trailer_at) return Error{Errc::Corrupt, "directory too large"};
    trailer.name.domain = HF_TRY(keys.domain_of(trailer.name.epoch));
    Sealer sealer(trailer.name.cipher, HF_TRY(keys.key_of(trailer.name)));
    const Buffer sealed = HF_TRY(store.get(name, trailer_at - size, size));
    Buffer plain;
    HF_TRY(sealer.open(0, chunk_additional(trailer.name, 0, ChunkId{}.view()), sealed, plain));
    return parse_directory(plain, length);
}

}  // namespace

Result<Directory> open_directory(const Store& store, const PackId& id, const KeySource& keys) {
    const std::string name = pack_name(id);
    const std::uint64_t length = HF_TRY(store.size(name));
    return read_directory(store, name, length, keys).within("pack " + id.brief());
}

Result<void> check_pack(const Store& store, const PackId& id) {
    const Buffer file = HF_TRY(store.get_all(pack_name(id), pack_bytes_max));
    const Error damaged{Errc::Corrupt,
                        "pack " + id.hex() + ": its bytes are not those of its name"};
    if (file.size() < pack_bytes_min) return damaged;
    if (as_text(View(file).first(pack_header_magic.size())) != pack_header_magic) return damaged;
    if (pack_id_of(file) != id) return damaged;
    return {};
}

Result<Buffer> ChunkOpener::open(const SegmentName& segment, std::uint64_t number,
                                 const ChunkId& id, View sealed) {
    auto found = sealers_.find(segment);
    if (found == sealers_.end()) {
        if (sealers_.size() >= sealers_max) sealers_.clear();
        Secret key = HF_TRY(keys_->key_of(segment));
        found = sealers_.emplace(segment, Sealer(segment.cipher, std::move(key))).first;
    }
    Buffer coded;
    HF_TRY(found->second.open(number, chunk_additional(segment, number, id.view()), sealed, coded)
               .within("chunk " + std::to_string(number) + " of a segment"));
    return coded;
}

}  // namespace holdfast::vault
