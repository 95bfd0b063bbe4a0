// Writes the seeds of the binary formats: make_seeds seeds/. Run it after a format has changed.
#include "tests/fuzz/fixed_keys.h"
#include "vault/base/file.h"
#include "vault/crypto/aead.h"
#include "vault/keys/epoch.h"
#include "vault/keys/roster.h"
#include "vault/snapshot/index_chunk.h"

#include <cstdio>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

constexpr std::int64_t now_ms = 1'790'000'000'000;

fuzz::CountingRandom random_bytes;

Directory a_directory(std::uint64_t& pack_bytes) {
    const DomainId domain = random_bytes.id<DomainId>();
    Directory directory;
    for (const Kind kind : {Kind::Data, Kind::Meta}) {
        DirectorySegment segment{{domain, random_bytes.id<EpochId>(), {}, {}, kind}, {}};
        segment.name.cipher = Cipher::Aes256Gcm;
        for (std::uint32_t i = 1; i < 4; ++i) {
            segment.chunks.push_back({random_bytes.id<ChunkId>(), 1000 * i, 3000 * i});
        }
        directory.segments.push_back(std::move(segment));
    }
    directory.padding_bytes = 40'000;
    pack_bytes = pack_header_bytes + 12'000 + directory.padding_bytes + directory_bytes(0) +
                 pack_trailer_bytes;
    return directory;
}

Buffer directory_seed(bool filled) {
    std::uint64_t pack_bytes = 0;
    const Buffer plain = encode_directory(a_directory(pack_bytes));
    Buffer out;
    ByteWriter writer(out);
    writer.u32(static_cast<std::uint32_t>(pack_bytes));
    writer.bytes(plain);
    if (filled) out.resize(out.size() + 64);
    return out;
}

Buffer index_seed(int packs) {
    std::vector<IndexedPack> all;
    for (int i = 0; i < packs; ++i) {
        IndexedPack pack{random_bytes.id<PackId>(), 0, {}};
        pack.directory = a_directory(pack.length);
        all.push_back(std::move(pack));
    }
    return encode_index_chunk(all);
}

/// Two streams as the target takes them.
Buffer paired(View meta, View refs) {
    Buffer out;
    ByteWriter writer(out);
    writer.u16(static_cast<std::uint16_t>(meta.size()));
    writer.bytes(meta);
    writer.bytes(refs);
    return out;
}

Entry named(const char* path, FileType type, std::uint32_t mode) {
    Entry entry;
    entry.path = path;
    entry.type = type;
    entry.mode = mode;
    return entry;
}

std::vector<Entry> entries() {
    Entry file = named("etc/passwd", FileType::Regular, 0644);
    file.mtime_ns = now_ms;
    file.ctime_ns = now_ms + 1;
    file.inode = 77;
    file.size = 3 << 20;
    file.user = "root";
    file.xattrs.emplace_back("user.note", Buffer{1, 2, 3});
    Entry device = named("etc/tty", FileType::CharDevice, 0600);
    device.device = 1281;
    Entry link = named("etc/way", FileType::Symlink, 0777);
    link.link_target = "../else";
    return {named("", FileType::Directory, 0755), named("etc", FileType::Directory, 0755), file,
            device, link};
}

Buffer leaf_seed(bool parts) {
    Buffer meta;
    Buffer refs;
    ByteWriter meta_out(meta);
    ByteWriter refs_out(refs);
    std::string previous;
    meta_out.varint(entries().size());
    refs_out.varint(entries().size());
    for (const Entry& entry : entries()) {
        write_entry(meta_out, entry, previous);
        previous = entry.path;
        ContentParts content;
        if (entry.size != 0 && parts) content.parts = {{random_bytes.id<ChunkId>(), 4096}};
        if (entry.size != 0 && !parts) {
            const ChunkId chunk = random_bytes.id<ChunkId>();
            content.extents = {{1 << 20, random_bytes.id<ChunkId>(), 0, true},
                               {1 << 20, {}, 0, false},
                               {1 << 19, chunk, 100, false},
                               {1 << 19, chunk, 1 << 20, false}};
        }
        write_content(refs_out, content);
    }
    return paired(meta, refs);
}

Buffer table_seed() {
    const std::vector<LeafInfo> leaves{
        {random_bytes.id<ChunkId>(), random_bytes.id<ChunkId>(), 5, 3 << 20, ""},
        {random_bytes.id<ChunkId>(), random_bytes.id<ChunkId>(), 9, 0, "etc/way"}};
    return paired(encode_meta_table(leaves), encode_refs_table(leaves));
}

Buffer roster_seed() {
    const SigningKey key = fuzz::fixed_signing_key();
    Roster roster;
    roster.trust = trust_id(key.public_key);
    roster.name = "Northvale";
    roster.time = now_ms;
    roster.next_trust_key_hash = trust_key_hash(key.public_key);
    roster.recovery_key = random_bytes.id<PublicKey>();
    roster.nodes = {{"node-1", NodeState::Active, random_bytes.id<PublicKey>(),
                     random_bytes.id<PublicKey>(), random_bytes.id<PublicKey>(),
                     random_bytes.id<Digest>()}};
    roster.officers = {{"O. Ficer", random_bytes.id<PublicKey>()}};
    return *sign_roster(roster, key);
}

Buffer roster_body_seed() {
    const std::string body = parse_record(roster_seed())->body;
    const View bytes = as_view(body);
    return {bytes.begin(), bytes.end()};
}

Buffer epoch_seed() {
    const PublicKey box = fuzz::fixed_box_key().public_key;
    Buffer object =
        make_epoch(random_bytes.id<DomainId>(), box, {box}, now_ms, random_bytes).object;
    object.resize(object.size() - sizeof(Digest));  // The target puts the check.
    return object;
}

int write(const std::string& folder, const char* name, const Buffer& seed) {
    const std::string path = folder + "/" + name;
    const auto parent = path.substr(0, path.rfind('/'));
    Result<void> done = make_folders(parent, 0755);
    if (done) done = write_file_durably(path, seed, 0644);
    if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return done ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    const std::string to = argv[1];
    return write(to, "pack_directory/two_segments", directory_seed(false)) +
           write(to, "pack_directory/zero_fill", directory_seed(true)) +
           write(to, "index_chunk/empty", index_seed(0)) +
           write(to, "index_chunk/two_packs", index_seed(2)) +
           write(to, "leaf/extents", leaf_seed(false)) + write(to, "leaf/parts", leaf_seed(true)) +
           write(to, "leaf/tables", table_seed()) + write(to, "records/roster", roster_seed()) +
           write(to, "records/roster_body", roster_body_seed()) +
           write(to, "records/epoch", epoch_seed());
}
