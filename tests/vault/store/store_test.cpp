// One conformance suite for every store.
#include "vault/store/memory_store.h"
#include "vault/store/posix_store.h"

#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

struct Folder {
    Folder() {
        char name[] = "/tmp/holdfast-store-XXXXXX";
        path = mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

std::vector<std::string> names(const Store& store, const std::string& prefix) {
    std::vector<std::string> out;
    REQUIRE(store.list(prefix, [&](const std::string& name) -> Result<void> {
        out.push_back(name);
        return {};
    }));
    return out;
}

void conforms(Store& store) {
    const Buffer bytes{1, 2, 3, 4, 5};
    REQUIRE(store.put("pack/ab/abcd", bytes));
    CHECK(*store.size("pack/ab/abcd") == 5);
    CHECK(*store.get("pack/ab/abcd", 1, 3) == Buffer{2, 3, 4});
    CHECK(*store.get_all("pack/ab/abcd", 5) == bytes);

    // A name that is there stays as it is.
    REQUIRE(store.put("pack/ab/abcd", Buffer{9}));
    CHECK(*store.get_all("pack/ab/abcd", 5) == bytes);

    CHECK(store.get("pack/ab/abcd", 3, 3).error().code == Errc::Corrupt);
    CHECK(store.get("pack/ab/none", 0, 1).error().code == Errc::NotFound);
    CHECK(store.size("pack/ab/none").error().code == Errc::NotFound);
    CHECK(store.get_all("pack/ab/abcd", 4).error().code == Errc::Corrupt);

    REQUIRE(store.put("pack/ac/acdc", Buffer{}));
    REQUIRE(store.put("list/zz", Buffer{7}));
    CHECK(names(store, "pack/") == std::vector<std::string>{"pack/ab/abcd", "pack/ac/acdc"});
    CHECK(names(store, "epoch/").empty());

    REQUIRE(store.remove("pack/ab/abcd"));
    CHECK(store.remove("pack/ab/abcd").error().code == Errc::NotFound);
    CHECK(names(store, "pack/") == std::vector<std::string>{"pack/ac/acdc"});

    for (const char* bad : {"", "/etc/passwd", "pack/../../x", "a//b", "a/", "A", "a b", "a\n"}) {
        INFO(bad);
        CHECK(store.put(bad, bytes).error().code == Errc::Invalid);
        CHECK_FALSE(store.get(bad, 0, 1));
    }
}

}  // namespace

TEST_CASE("a memory store keeps a store's promises", "[vault][store]") {
    MemoryStore store;
    conforms(store);
}

TEST_CASE("a folder keeps a store's promises", "[vault][store]") {
    const Folder folder;
    auto store = PosixStore::make(folder.path + "/vault");
    REQUIRE(store);
    conforms(*store);
}

TEST_CASE("what a killed writer left is not listed", "[vault][store]") {
    const Folder folder;
    auto store = PosixStore::make(folder.path);
    REQUIRE(store);
    REQUIRE(store->put("pack/ab/abcd", Buffer{1}));
    std::ofstream(folder.path + "/pack/ab/abef.tmp-12-0") << "half";
    CHECK(names(*store, "pack/") == std::vector<std::string>{"pack/ab/abcd"});
}

TEST_CASE("a folder with something in it does not become a vault", "[vault][store]") {
    const Folder folder;
    std::ofstream(folder.path + "/letter.txt") << "dear";
    CHECK(PosixStore::make(folder.path).error().code == Errc::Conflict);
    CHECK(PosixStore::open(folder.path).error().code == Errc::NotFound);
    std::ofstream(folder.path + "/format") << "holdfast vault 2\n";
    CHECK(PosixStore::open(folder.path).error().code == Errc::Corrupt);
}
