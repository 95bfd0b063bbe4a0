// The comparison that the other tests rest on must see what it claims to see.
#include "tests/harness/scratch_folder.h"
#include "tests/harness/tree_compare.h"
#include "vault/base/result.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>

using holdfast::test::compare_trees;
using holdfast::test::ScratchFolder;

TEST_CASE("the comparison sees each kind of difference", "[harness]") {
    const std::vector<std::function<bool(const std::string&)>> changes{
        [](const std::string& at) { return chmod((at + "/file").c_str(), 0600) == 0; },
        [](const std::string& at) {
            return setxattr((at + "/file").c_str(), "user.x", "", 0, 0) == 0;
        },
        [](const std::string& at) { return truncate((at + "/file").c_str(), 1) == 0; },
        [](const std::string& at) { return unlink((at + "/other").c_str()) == 0; },
        [](const std::string& at) { return mkdir((at + "/new").c_str(), 0755) == 0; },
        [](const std::string& at) {
            return link((at + "/file").c_str(), (at + "/x").c_str()) == 0;
        },
        [](const std::string& at) {
            const struct timespec times[2] = {{0, UTIME_OMIT}, {1, 2}};
            return utimensat(AT_FDCWD, (at + "/folder").c_str(), times, 0) == 0;
        },
        [](const std::string& at) { return geteuid() != 0 || chown(at.c_str(), 1, 1) == 0; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        INFO(i);
        const ScratchFolder base;
        REQUIRE(holdfast::test::run_program(
            {"sh", "-c",
             "cd \"$0\" && mkdir a a/folder && echo text > a/file && echo > a/other && "
             "cp -a a b",
             base.path()}));
        REQUIRE(compare_trees(base / "a", base / "b").empty());
        REQUIRE(changes[i](base / "b"));
        if (geteuid() == 0 || i + 1 < changes.size())
            CHECK_FALSE(compare_trees(base / "a", base / "b").empty());
    }
}
