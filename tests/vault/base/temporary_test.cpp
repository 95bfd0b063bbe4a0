// Temporary files: only those go that are one, and old.
#include "vault/base/temporary.h"

#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <chrono>
#include <filesystem>
#include <vector>

using namespace holdfast;

namespace {

namespace fs = std::filesystem;

void make_old(const std::string& path, std::chrono::hours age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

}  // namespace

TEST_CASE("temporary files are known by their names", "[temporary]") {
    CHECK(is_temporary(temporary_beside("/srv/x/file")));
    CHECK(is_temporary("file.tmp-1-2"));
    CHECK_FALSE(is_temporary("/srv/a.tmp-1-2/file"));
    CHECK_FALSE(is_temporary("file.tmp"));
    CHECK(temporary_beside("file") != temporary_beside("file"));
}

TEST_CASE("a sweep takes old temporary files, and nothing else", "[temporary]") {
    const test::ScratchFolder scratch;
    scratch.folder("below");
    for (const char* name : {"whole", "below/new.tmp-1-1", "below/old.tmp-1-2", "below/old"}) {
        scratch.file(name, "x");
    }
    for (const char* name : {"whole", "below/old.tmp-1-2", "below/old"}) {
        make_old(scratch / name, std::chrono::hours(25));
    }
    make_old(scratch / "below/new.tmp-1-1", std::chrono::hours(23));
    REQUIRE(sweep_temporaries(scratch.path()));
    std::vector<std::string> left;
    REQUIRE(visit_files(scratch.path(), [&](const std::string& name) -> Result<void> {
        left.push_back(name);
        return {};
    }));
    CHECK(left == std::vector<std::string>{"below/new.tmp-1-1", "below/old", "whole"});
    CHECK(sweep_temporaries(scratch / "nowhere"));
}
