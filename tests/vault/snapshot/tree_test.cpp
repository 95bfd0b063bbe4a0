#include "tests/vault/snapshot/snapshot_fixture.h"
#include "vault/snapshot/index_chunk.h"

#include <fmt/format.h>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

struct Made {
    SourceTree tree;
    WrittenSnapshot written;
};

/// A file's content: 1,000 bytes, so that 131 of them share a chunk.
std::string text_of(int number, bool changed) {
    return fmt::format("{:.<1000}", fmt::format("file {} {}", number, changed ? "new" : "old"));
}

/// A snapshot of `files` small files in folders of 100, numbered; `changed` has other content.
WrittenSnapshot make_snapshot(SnapshotFixture& vault, int files, int changed) {
    SnapshotWriter writer(vault.context());
    writer.begin_source("files", "files", "/srv");
    std::vector<std::pair<Entry, ContentWriter::Handle>> all;
    all.push_back({folder(""), 0});
    for (int i = 0; i < files; ++i) {
        if (i % 100 == 0) all.push_back({folder(fmt::format("d{:05}", i / 100)), 0});
        const std::string text = text_of(i, i == changed);
        const auto handle = writer.content().begin(Cut::ByContent);
        REQUIRE(handle);
        REQUIRE(writer.content().write(as_view(text)));
        REQUIRE(writer.content().end());
        all.push_back({regular(fmt::format("d{:05}/f{:05}", i / 100, i), text.size()), *handle});
    }
    REQUIRE(writer.content().flush());
    for (const auto& [entry, handle] : all) {
        Extents extents;
        if (handle != 0) extents = writer.content().take(handle).value();
        REQUIRE(writer.add(entry, std::move(extents)));
    }
    REQUIRE(writer.end_source(R"({"a":1})"));
    Manifest manifest;
    manifest.system = "share";
    manifest.time = 1000;
    manifest.plan = "name = \"share\"\n";
    auto written = writer.finish(std::move(manifest));
    REQUIRE(written);
    return *written;
}

Manifest read_manifest(SnapshotFixture& vault, const WrittenSnapshot& written) {
    const auto chunks = vault.reader();
    const auto map = chunks->read(written.manifest_map);
    REQUIRE(map);
    auto manifest = parse_map_part(as_text(**map));
    REQUIRE(manifest);
    const auto content = chunks->read(manifest->content);
    REQUIRE(content);
    REQUIRE(parse_content_part(as_text(**content), *manifest));
    return *manifest;
}

}  // namespace

TEST_CASE("a snapshot's tree is walked, searched and read as it was written", "[vault][snapshot]") {
    SnapshotFixture vault;
    const WrittenSnapshot written = make_snapshot(vault, 3000, -1);
    CHECK(written.entries == 3031);
    CHECK(written.packs.size() == 1);  // A small snapshot is one pack.
    const Manifest manifest = read_manifest(vault, written);
    CHECK(manifest.system == "share");
    CHECK(manifest.plan == "name = \"share\"\n");
    REQUIRE(manifest.sources.size() == 1);
    CHECK(manifest.sources[0].facts == R"({"a":1})");

    const auto chunks = vault.reader();
    const auto tree = TreeReader::open(manifest.sources[0].tree, *chunks);
    REQUIRE(tree);
    CHECK(tree->leaves() > 1);
    std::uint64_t count = 0;
    std::string last;
    REQUIRE(tree->walk([&](std::uint64_t ordinal, const Item& item) -> Result<void> {
        CHECK(ordinal == count);
        if (count != 0) CHECK(compare_paths(last, item.entry.path) < 0);
        last = item.entry.path;
        ++count;
        return {};
    }));
    CHECK(count == written.entries);

    TreeCursor cursor(*tree);
    for (const char* path : {"", "d00003/f00301", "d00003/f00301x", "d00029/f02999", "e"}) {
        const auto found = tree->find(path);
        const auto by_cursor = cursor.find(path);
        REQUIRE(by_cursor);
        CHECK(static_cast<bool>(found) == (*by_cursor != nullptr));
        if (found && found->entry.type == FileType::Regular) {
            CHECK((*by_cursor)->entry == found->entry);
            const auto extents = tree->extents(*found);
            REQUIRE(extents);
            const Buffer bytes = content_of(*chunks, *extents);
            CHECK(as_text(bytes) == text_of(std::stoi(std::string(path).substr(8)), false));
        }
    }
}

TEST_CASE("one changed file rewrites one leaf", "[vault][snapshot]") {
    SnapshotFixture vault;
    const Manifest a = read_manifest(vault, make_snapshot(vault, 3000, -1));
    const Manifest b = read_manifest(vault, make_snapshot(vault, 3000, 1500));
    const auto chunks = vault.reader();
    const auto tree_a = TreeReader::open(a.sources[0].tree, *chunks);
    const auto tree_b = TreeReader::open(b.sources[0].tree, *chunks);
    REQUIRE((tree_a && tree_b && tree_a->leaves() == tree_b->leaves()));
    int meta = 0;
    int refs = 0;
    for (std::size_t i = 0; i < tree_a->leaves(); ++i) {
        meta += tree_a->info(i).meta != tree_b->info(i).meta ? 1 : 0;
        refs += tree_a->info(i).refs != tree_b->info(i).refs ? 1 : 0;
    }
    CHECK(meta == 0);  // Size and times are equal in this test.
    CHECK(refs >= 1);
    // Its neighbours share its chunk of small files, which is about one leaf's worth.
    CHECK(refs <= 3);
}

TEST_CASE("a lost index is learnt again from the packs on the list", "[vault][snapshot]") {
    SnapshotFixture vault;
    WrittenSnapshot last;
    for (int i = 0; i < 70; ++i) last = make_snapshot(vault, 2, i % 2);
    auto fresh = ChunkIndex::open(":memory:");
    REQUIRE(fresh);
    vault.index = std::move(*fresh);
    CHECK(vault.reader()->read(last.manifest_map).error().code == Errc::NotFound);
    REQUIRE(learn_packs(vault.store, vault.keys, last.packs, {}, *vault.index));
    CHECK(read_manifest(vault, last).system == "share");
}

TEST_CASE("many packs are covered by an index chunk", "[vault][snapshot]") {
    SnapshotFixture vault;
    std::set<PackId> packs;
    // Each round adds a file, so the last snapshot needs the packs of all rounds.
    WrittenSnapshot last;
    for (int i = 0; i < 80; ++i) {
        SnapshotWriter writer(vault.context(1));
        writer.begin_source("files", "files", "/srv");
        REQUIRE(writer.add(folder(""), {}));
        for (int k = 0; k <= i; ++k) {
            const auto handle = writer.content().begin(Cut::ByContent);
            REQUIRE(handle);
            REQUIRE(writer.content().write(Buffer(40'000, static_cast<std::uint8_t>(k))));
            REQUIRE(writer.content().end());
            REQUIRE(writer.content().flush());
            REQUIRE(writer.add(regular(fmt::format("f{:03}", k), 40'000),
                               writer.content().take(*handle).value()));
        }
        REQUIRE(writer.end_source("{}"));
        auto written = writer.finish({});
        REQUIRE(written);
        last = *written;
    }
    CHECK(last.packs.size() > 70);
    const Manifest manifest = read_manifest(vault, last);
    CHECK_FALSE(manifest.index.empty());
    auto fresh = ChunkIndex::open(":memory:");
    REQUIRE(fresh);
    REQUIRE(learn_packs(vault.store, vault.keys, last.packs, manifest.index, **fresh));
    CHECK(*(*fresh)->packs() == last.packs.size());
}
