#include "tests/vault/snapshot/snapshot_fixture.h"

using namespace holdfast;
using namespace holdfast::vault;

namespace {

struct Written {
    ContentWriter::Handle handle;
    Buffer bytes;
};

Written write_stream(ContentWriter& writer, Cut cut, Buffer bytes, std::size_t step) {
    const auto handle = writer.begin(cut);
    REQUIRE(handle);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        REQUIRE(writer.write(View(bytes).subspan(at, std::min(step, bytes.size() - at))));
    }
    REQUIRE(writer.end());
    return {*handle, std::move(bytes)};
}

void finish(SnapshotFixture& vault, PackSink& sink, ContentWriter& writer) {
    REQUIRE(writer.flush());
    REQUIRE(store_together(sink, writer.take_segments()));
    vault.index->drop_claims();
}

}  // namespace

TEST_CASE("streams of every length come back whole, however they were written",
          "[vault][snapshot]") {
    SnapshotFixture vault;
    PackSink sink(vault.store, *vault.index, vault.epoch, system_random());
    ContentWriter writer(sink, vault.naming, 3);
    std::vector<Written> all;
    const std::size_t sizes[] = {0,      1,      5000,      group_below - 1, group_below,
                                 65'536, 65'537, 1'000'000, 5'000'000};
    for (const Cut cut : {Cut::ByContent, Cut::Fixed}) {
        for (const std::size_t size : sizes) {
            for (const std::size_t step : {std::size_t{4096}, std::size_t{3'000'000}}) {
                all.push_back(write_stream(writer, cut, random_bytes(size), step));
            }
        }
    }
    finish(vault, sink, writer);
    const auto chunks = vault.reader();
    for (const Written& written : all) {
        const auto extents = writer.take(written.handle);
        REQUIRE(extents);
        CHECK(check_covers(*extents, written.bytes.size()));
        CHECK(content_of(*chunks, *extents) == written.bytes);
    }
}

TEST_CASE("small files share a chunk, and what is there is not stored again", "[vault][snapshot]") {
    SnapshotFixture vault;
    const Buffer large = random_bytes(3'000'000);
    std::uint64_t first = 0;
    for (int round = 0; round < 2; ++round) {
        PackSink sink(vault.store, *vault.index, vault.epoch, system_random());
        ContentWriter writer(sink, vault.naming, 2);
        const auto a = write_stream(writer, Cut::ByContent, Buffer(100, 'a'), 100);
        const auto b = write_stream(writer, Cut::ByContent, Buffer(200, 'b'), 100);
        const auto c = write_stream(writer, Cut::ByContent, large, 1'000'000);
        finish(vault, sink, writer);
        const auto in_a = writer.take(a.handle);
        const auto in_b = writer.take(b.handle);
        REQUIRE((in_a && in_b && writer.take(c.handle)));
        CHECK((*in_a)[0].chunk == (*in_b)[0].chunk);
        CHECK((*in_b)[0].skip == 100);
        if (round == 0) first = writer.new_bytes();
        CHECK(writer.new_bytes() == (round == 0 ? first : 0));
    }
    CHECK(first == 3'000'300);
}

TEST_CASE("a dropped stream leaves the others whole", "[vault][snapshot]") {
    SnapshotFixture vault;
    PackSink sink(vault.store, *vault.index, vault.epoch, system_random());
    ContentWriter writer(sink, vault.naming, 2);
    const auto before = write_stream(writer, Cut::ByContent, random_bytes(1000), 1000);
    REQUIRE(writer.begin(Cut::ByContent));
    REQUIRE(writer.write(random_bytes(4'000'000)));
    writer.drop();
    const auto small = write_stream(writer, Cut::ByContent, random_bytes(2000), 500);
    writer.drop();
    const auto after = write_stream(writer, Cut::Fixed, random_bytes(700'000), 7000);
    finish(vault, sink, writer);
    const auto chunks = vault.reader();
    for (const Written* written : {&before, &after}) {
        const auto extents = writer.take(written->handle);
        REQUIRE(extents);
        CHECK(content_of(*chunks, *extents) == written->bytes);
    }
}

TEST_CASE("holes are kept as holes", "[vault][snapshot]") {
    SnapshotFixture vault;
    PackSink sink(vault.store, *vault.index, vault.epoch, system_random());
    ContentWriter writer(sink, vault.naming, 1);
    const auto handle = writer.begin(Cut::ByContent);
    REQUIRE(handle);
    REQUIRE(writer.hole(1 << 20));
    REQUIRE(writer.write(Buffer(10, 'x')));
    REQUIRE(writer.hole(5));
    REQUIRE(writer.end());
    finish(vault, sink, writer);
    const auto extents = writer.take(*handle);
    REQUIRE(extents);
    REQUIRE(extents->size() == 3);
    CHECK((*extents)[0].hole());
    CHECK((*extents)[1].length == 10);
    CHECK((*extents)[2].hole());
    CHECK(writer.new_bytes() == 10);
}
