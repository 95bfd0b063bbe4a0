#include "agent/backup/tree_sink.h"

#include "tests/vault/test_vault.h"
#include "vault/snapshot/tree_reader.h"

using namespace holdfast;
using namespace holdfast::vault;
using agent::Shape;
using agent::TreeSink;
using test::random_bytes;
using test::TestVault;

namespace {

constexpr const char* disk = "pages-disk";  // "pages": TestVault cuts it into fixed pieces.
constexpr std::uint64_t piece = fixed_piece_bytes;

/// The tree of a snapshot, to read along.
struct Before {
    Before(Vault& vault, const SnapshotRecord& record) : chunks(vault.reader().chunk_reader()) {
        const auto manifest = vault.reader().manifest(record);
        REQUIRE(manifest);
        auto opened = TreeReader::open(manifest->sources[0].tree, *chunks);
        REQUIRE(opened);
        tree.emplace(std::move(*opened));
    }
    Extents extents() const {
        TreeCursor cursor(*tree);
        const auto item = cursor.find(disk);
        REQUIRE(item);
        REQUIRE(*item != nullptr);
        auto found = tree->extents(**item);
        REQUIRE(found);
        return std::move(*found);
    }
    std::unique_ptr<ChunkReader> chunks;
    std::optional<TreeReader> tree;
};

using Fill = std::function<void(TreeSink&)>;

/// A snapshot of the disk alone, whose content `fill` gives.
SnapshotRecord snapshot(const TestVault& made, Vault& vault, const TreeReader* before,
                        std::uint64_t size, const Fill& fill) {
    const auto writing = vault.begin_writing("share", OpeningKeys::Node);
    REQUIRE(writing);
    const SnapshotContext context = vault.context(*writing, 1);
    SnapshotWriter writer(context);
    writer.begin_source("files", "image", "/dev/x");
    std::vector<SnapshotWarning> warnings;
    TreeSink sink(writer, "files", before, warnings);
    Entry root;
    root.type = FileType::Directory;
    REQUIRE(sink.add(root, 0));
    const auto content = sink.begin_content(Shape::Pages);
    REQUIRE(content);
    fill(sink);
    REQUIRE(sink.end_content());
    Entry entry;
    entry.path = disk;
    entry.size = size;
    REQUIRE(sink.add(entry, *content));
    REQUIRE(sink.finish());
    REQUIRE(writer.end_source("{}"));
    Manifest manifest;
    manifest.system = "share";
    manifest.time = made.clock.wall;
    const auto written = writer.finish(std::move(manifest));
    REQUIRE(written);
    const auto record = vault.commit(*writing, *written, "share", made.clock.wall, 0);
    REQUIRE(record);
    return *record;
}

}  // namespace

TEST_CASE("a range that is the same is taken from the snapshot before, piece by piece",
          "[backup]") {
    const TestVault made;
    const auto vault = made.open();
    const std::string old = random_bytes(5 * piece, 1);
    const Before before(*vault, made.snapshot(*vault, {{disk, old}}));
    const std::string fresh = random_bytes(piece, 2);
    const SnapshotRecord record =
        snapshot(made, *vault, &*before.tree, old.size(), [&](TreeSink& sink) {
            CHECK(*sink.same_range(disk, 0, 2 * piece) == 2 * piece);
            REQUIRE(sink.write(as_view(fresh)));
            CHECK(*sink.same_range(disk, 3 * piece, 2 * piece) == 2 * piece);
        });
    const Extents was = before.extents();
    const Extents is = Before(*vault, record).extents();
    REQUIRE(is.size() == 5);
    for (const std::size_t i : {0U, 1U, 3U, 4U}) CHECK(is[i] == was[i]);
    CHECK(is[2].chunk != was[2].chunk);
    CHECK(made.verify(*vault).damage.empty());
}

TEST_CASE("a disk that grew keeps its pieces where they lie", "[backup]") {
    const TestVault made;
    const auto vault = made.open();
    const std::string old = random_bytes(3 * piece + 3'392, 3);
    const Before before(*vault, made.snapshot(*vault, {{disk, old}}));
    const std::string fresh = random_bytes(2 * piece, 4);
    const SnapshotRecord record =
        snapshot(made, *vault, &*before.tree, 5 * piece, [&](TreeSink& sink) {
            CHECK(*sink.same_range(disk, 0, 5 * piece) == 3 * piece);
            REQUIRE(sink.write(as_view(fresh)));
        });
    const Extents is = Before(*vault, record).extents();
    REQUIRE(is.size() == 5);
    for (const Extent& extent : is) CHECK(extent.length == piece);
    CHECK(made.verify(*vault).damage.empty());
}

TEST_CASE("a range that the snapshot before lacks is to be read", "[backup]") {
    const TestVault made;
    const auto vault = made.open();
    const Before before(*vault, made.snapshot(*vault, {{disk, random_bytes(2 * piece, 5)}}));
    const std::string whole = random_bytes(piece, 6);
    const auto none = [&](TreeSink& sink) {
        CHECK(*sink.same_range("other", 0, piece) == 0);
        REQUIRE(sink.write(as_view(whole)));
    };
    snapshot(made, *vault, &*before.tree, piece, none);
    snapshot(made, *vault, nullptr, piece, none);
    snapshot(made, *vault, &*before.tree, piece, [&](TreeSink& sink) {
        CHECK(*sink.same_range(disk, 7 * piece, piece) == 0);  // Behind its end.
        REQUIRE(sink.write(as_view(whole)));
    });
    snapshot(made, *vault, &*before.tree, piece / 2, [&](TreeSink& sink) {
        CHECK(*sink.same_range(disk, 0, piece / 2) == 0);  // Part of a piece is none.
        REQUIRE(sink.write(as_view(whole).first(piece / 2)));
    });
    CHECK(made.verify(*vault).damage.empty());
}
