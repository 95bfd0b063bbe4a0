// The disk of tests/sim itself: what was synced lasts, and what was not may be lost.
#include "tests/harness/scratch_folder.h"
#include "tests/sim/calls.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <set>

using namespace holdfast;
using namespace holdfast::sim;

namespace {

/// What is left of what `work` does below `folder`.
template <class Work>
std::map<std::string, Buffer> left_of(const std::string& folder, Left left, Work work) {
    Disk disk;
    {
        Calls calls(folder);
        work();
        for (const Change& change : calls.changes()) disk.apply(change);
    }
    std::mt19937_64 random(1);
    return disk.after_cut(left, random);
}

Buffer bytes(std::string_view text) {
    return {as_view(text).begin(), as_view(text).end()};
}

}  // namespace

TEST_CASE("a file that was not synced, or whose folder was not, is lost", "[disk]") {
    const test::ScratchFolder scratch;
    const auto write = [&](bool sync_it, bool sync_its_folder) {
        return [&scratch, sync_it, sync_its_folder] {
            const Fd fd = *open_file(scratch / "file", O_WRONLY | O_CREAT);
            REQUIRE(write_all(fd, as_view(std::string_view("content")), "file"));
            if (sync_it) REQUIRE(sync_file(fd, "file"));
            if (sync_its_folder) REQUIRE(sync_folder(scratch.path()));
        };
    };
    CHECK(left_of(scratch.path(), Left::Nothing, write(true, false)).empty());
    REQUIRE(::unlink((scratch / "file").c_str()) == 0);
    CHECK(left_of(scratch.path(), Left::Nothing, write(false, true)).at("file").empty());
    REQUIRE(::unlink((scratch / "file").c_str()) == 0);
    CHECK(left_of(scratch.path(), Left::Nothing, write(true, true)).at("file") == bytes("content"));
    REQUIRE(::unlink((scratch / "file").c_str()) == 0);
    CHECK(left_of(scratch.path(), Left::Everything, write(false, false)).at("file") ==
          bytes("content"));
}

TEST_CASE("what replaces a file durably leaves the old or the new", "[disk]") {
    const test::ScratchFolder scratch;
    scratch.file("file", "old");
    std::vector<Change> changes;
    {
        Calls calls(scratch.path());
        REQUIRE(write_file_durably(scratch / "file", as_view(std::string_view("new"))));
        changes = calls.changes();
    }
    std::set<Buffer> seen;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        std::mt19937_64 random(seed);
        Disk disk;
        for (std::size_t at = 0; at < changes.size(); ++at) {
            disk.apply(changes[at]);
            // The first four are what was there: the file, its name, its bytes, a sync.
            if (at >= 3) seen.insert(disk.after_cut(Left::Some, random).at("file"));
        }
    }
    CHECK(seen == std::set<Buffer>{bytes("old"), bytes("new")});
}

TEST_CASE("a call that is to fail fails, and no other", "[disk]") {
    const test::ScratchFolder scratch;
    const auto write = [&] {
        return write_file_durably(scratch / "file", as_view(std::string_view("content")));
    };
    std::uint64_t count = 0;
    {
        Calls calls(scratch.path());
        REQUIRE(write());
        count = calls.count();
    }
    REQUIRE(count >= 5);  // Open, write, sync, rename, open and sync of the folder.
    for (std::uint64_t at = 1; at <= count; ++at) {
        INFO("call " << at);
        Calls calls(scratch.path());
        calls.arm({at, FaultKind::Fail, EIO});
        const auto done = write();
        CHECK(calls.struck());
        REQUIRE_FALSE(done);
        CHECK(done.error().code == Errc::Io);
        calls.disarm();
        CHECK(write());
    }
    Calls calls(scratch.path());
    calls.arm({1, FaultKind::Short, 0});
    CHECK(write());
    CHECK(calls.struck());
    CHECK(as_text(*read_file(scratch / "file", 100)) == "content");
}
