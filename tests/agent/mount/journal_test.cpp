#include "agent/mount/journal.h"
#include "tests/agent/mount/mounted.h"

#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <thread>

using namespace holdfast;
using namespace holdfast::agent;

namespace {

Result<std::unique_ptr<Journal>> open_journal(const std::string& folder,
                                              std::vector<std::string>& records) {
    records.clear();
    return Journal::open(
        folder, as_view("header"), 1 << 20, [](View) -> Result<void> { return {}; },
        [&](View record) -> Result<void> {
            records.emplace_back(as_text(record));
            return {};
        });
}

void write_three(const std::string& folder) {
    std::vector<std::string> records;
    auto journal = open_journal(folder, records);
    REQUIRE(journal);
    for (const char* text : {"one", "two", "three"}) {
        REQUIRE((*journal)->sync((*journal)->append(as_view(text))) == 0);
    }
}

std::uint64_t find_in(const std::string& path, std::string_view wanted) {
    const auto all = read_file(path, 64 << 20);
    REQUIRE(all);
    const std::size_t at = as_text(*all).find(wanted);
    REQUIRE(at != std::string_view::npos);
    return at;
}

}  // namespace

TEST_CASE("a journal gives back what was synced, in order", "[mount]") {
    const ScratchFolder scratch;
    write_three(scratch.path());
    std::vector<std::string> records;
    auto journal = open_journal(scratch.path(), records);
    REQUIRE(journal);
    CHECK(records == std::vector<std::string>{"one", "two", "three"});
    (*journal)->append(as_view("never synced"));
    journal = open_journal(scratch.path(), records);
    REQUIRE(journal);
    CHECK(records.size() == 3);
}

TEST_CASE("a journal's torn tail is cut, and writing goes on there", "[mount]") {
    const ScratchFolder scratch;
    write_three(scratch.path());
    const std::string path = scratch.path() + "/journal";
    overwrite(path, find_in(path, "three"), "thr");
    overwrite(path, find_in(path, "three") + 3, std::string_view("\0\0", 2));
    std::vector<std::string> records;
    {
        auto journal = open_journal(scratch.path(), records);
        REQUIRE(journal);
        CHECK(records == std::vector<std::string>{"one", "two"});
        REQUIRE((*journal)->sync((*journal)->append(as_view("four"))) == 0);
    }
    REQUIRE(open_journal(scratch.path(), records));
    CHECK(records == std::vector<std::string>{"one", "two", "four"});
}

TEST_CASE("a journal that is damaged in the middle is refused", "[mount]") {
    const ScratchFolder scratch;
    write_three(scratch.path());
    const std::string path = scratch.path() + "/journal";
    overwrite(path, find_in(path, "two"), "tWo");
    std::vector<std::string> records;
    const auto journal = open_journal(scratch.path(), records);
    REQUIRE_FALSE(journal);
    CHECK(journal.error().code == Errc::Corrupt);
}

TEST_CASE("a compacted journal holds the given state and what came after", "[mount]") {
    const ScratchFolder scratch;
    write_three(scratch.path());
    std::vector<std::string> records;
    {
        auto journal = open_journal(scratch.path(), records);
        REQUIRE(journal);
        std::mutex lock;
        (*journal)->append(as_view("in the state"));
        const Buffer state(as_view("state").begin(), as_view("state").end());
        REQUIRE((*journal)->compact(lock, [&] { return std::vector<Buffer>{state}; }) == 0);
        REQUIRE((*journal)->sync((*journal)->append(as_view("after"))) == 0);
    }
    REQUIRE(open_journal(scratch.path(), records));
    CHECK(records == std::vector<std::string>{"state", "after"});

    const std::string path = scratch.path() + "/journal";
    overwrite(path, find_in(path, "state"), "sTate");
    CHECK_FALSE(open_journal(scratch.path(), records));
}

TEST_CASE("concurrent syncs of a journal are all durable when answered", "[mount]") {
    const ScratchFolder scratch;
    std::vector<std::string> records;
    {
        auto journal = open_journal(scratch.path(), records);
        REQUIRE(journal);
        std::vector<std::thread> threads;
        std::atomic<int> failures{0};
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    const std::string text = std::to_string(t * 100 + i);
                    const std::uint64_t at = (*journal)->append(as_view(text));
                    if ((*journal)->sync(at) != 0 || (*journal)->durable() < at) ++failures;
                }
            });
        }
        for (auto& thread : threads) thread.join();
        CHECK(failures == 0);
    }
    REQUIRE(open_journal(scratch.path(), records));
    CHECK(records.size() == 160);
}
