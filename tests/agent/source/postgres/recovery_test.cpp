// What a restored data folder is told about the log that came after it.
#include "agent/source/postgres/recovery.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent::postgres;

namespace {

struct DataFolder : holdfast::test::ScratchFolder {
    DataFolder() { file("PG_VERSION", "15\n"); }
    std::string read(const std::string& name) {
        const auto bytes = read_file(*this / name, 1 << 20);
        REQUIRE(bytes);
        return std::string(as_text(*bytes));
    }
};

}  // namespace

TEST_CASE("recovery settings stand behind what is there, once", "[postgres]") {
    DataFolder folder;
    folder.file("postgresql.auto.conf", "timezone = 'UTC'");
    REQUIRE(set_up_recovery(folder.path(), "holdfast_wal", std::nullopt));
    const std::string all = folder.read("postgresql.auto.conf");
    CHECK(all ==
          "timezone = 'UTC'\n"
          "# holdfast: the log that was streamed after the copy\n"
          "restore_command = 'cp \"holdfast_wal/%f\" \"%p\"'\n"
          "recovery_target_timeline = 'current'\n");
    CHECK(folder.read("recovery.signal").empty());
    REQUIRE(set_up_recovery(folder.path(), "holdfast_wal", 1'795'834'200'123));
    const std::string until = folder.read("postgresql.auto.conf");
    CHECK(until == all +
                       "recovery_target_time = '2026-11-28 02:50:00.123+00'\n"
                       "recovery_target_action = 'promote'\n");
}

TEST_CASE("a folder that a shell would read otherwise is refused, a percent sign is not",
          "[postgres]") {
    for (const char* folder : {"/srv/a\"b", "/srv/$HOME", "/srv/`id`", "/srv/a\\b", "/srv/it's"}) {
        CHECK(restore_command(folder).error().code == Errc::Invalid);
    }
    CHECK(*restore_command("/srv/100 %") == "cp \"/srv/100 %%/%f\" \"%p\"");
    holdfast::test::ScratchFolder empty;
    CHECK(set_up_recovery(empty.path(), "holdfast_wal", std::nullopt).error().code ==
          Errc::Invalid);
}
