#include "agent/source/postgres/prepare.h"

#include <catch2/catch.hpp>

#include "tests/agent/source/postgres/cluster.h"
#include "vault/base/file.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

using namespace holdfast;
using namespace holdfast::agent::postgres;
using namespace holdfast::test;

namespace {

/// What every data folder has, as far as prepare looks.
std::string make_folder(const ServerFolder& parent, const std::string& version) {
    const std::string path = parent.path() + "/data";
    fs::create_directories(path + "/pg_tblspc");
    std::ofstream(path + "/PG_VERSION") << version << "\n";
    return path;
}

bool has(const std::vector<std::string>& arguments, const std::string& setting) {
    return std::find(arguments.begin(), arguments.end(), setting) != arguments.end();
}

StartSettings on_port(std::uint16_t port) {
    StartSettings settings;
    settings.port = port;
    return settings;
}

}  // namespace

TEST_CASE("preparing removes what belongs to the source, again and again alike", "[postgres]") {
    const ServerFolder parent;
    const std::string data = make_folder(parent, "15");
    fs::permissions(data, fs::perms(0755));
    for (const char* name : {"postmaster.pid", "standby.signal", "recovery.signal",
                             "tablespace_map", "postmaster.opts"}) {
        std::ofstream(data + "/" + name) << "stale";
    }
    const auto first = prepare_restored_cluster(data, on_port(6000));
    REQUIRE(first);
    for (const char* name : {"postmaster.pid", "standby.signal", "recovery.signal",
                             "tablespace_map", "postmaster.opts"}) {
        CHECK_FALSE(path_exists(data + "/" + name));
    }
    CHECK((fs::status(data).permissions() & fs::perms(0777)) == fs::perms(0700));
    for (const char* setting : {"archive_mode=off", "archive_library=", "primary_conninfo=",
                                "max_logical_replication_workers=0", "port=6000",
                                "listen_addresses=", "hot_standby=off"}) {
        INFO(setting);
        CHECK(has(*first, setting));
    }
    CHECK_FALSE(has(*first, "allow_in_place_tablespaces=on"));
    const auto second = prepare_restored_cluster(data, on_port(6000));
    REQUIRE(second);
    CHECK(*second == *first);
}

TEST_CASE("options that a version does not know are left out", "[postgres]") {
    const ServerFolder parent;
    const auto old = prepare_restored_cluster(make_folder(parent, "13"), on_port(6000));
    REQUIRE(old);
    CHECK_FALSE(has(*old, "archive_library="));
    const auto newer = prepare_restored_cluster(make_folder(parent, "17"), on_port(6000));
    REQUIRE(newer);
    CHECK(has(*newer, "sync_replication_slots=off"));
}

TEST_CASE("folders and settings that cannot work are refused", "[postgres]") {
    const ServerFolder parent;
    const auto code = [](const std::string& data, const StartSettings& settings) {
        const auto prepared = prepare_restored_cluster(data, settings);
        REQUIRE_FALSE(prepared);
        return prepared.error().code;
    };
    CHECK(code(parent.path() + "/none", on_port(6000)) == Errc::Invalid);
    CHECK(code("relative", on_port(6000)) == Errc::Invalid);
    CHECK(code(make_folder(parent, "9.6"), on_port(6000)) == Errc::Invalid);
    const std::string data = make_folder(parent, "15");
    CHECK(code(data, on_port(0)) == Errc::Invalid);
    StartSettings settings = on_port(6000);
    settings.socket_dir = "/" + std::string(100, 's');
    CHECK(code(data, settings) == Errc::Invalid);
    settings = on_port(6000);
    settings.source_settings = {{"archive_command", "rm -rf /"}};
    CHECK(code(data, settings) == Errc::Invalid);
}

TEST_CASE("what the copy's own settings say does not unseal it", "[postgres][cluster]") {
    const ServerFolder folder;
    auto source = make_source();
    REQUIRE(source);
    FolderSink sink(folder.path() + "/copy");
    REQUIRE(copy_cluster(copier_of(*source, folder), sink, {}));
    const std::string data = folder.path() + "/copy";
    std::ofstream(data + "/postgresql.auto.conf")
        << "archive_mode = on\narchive_command = 'touch " << folder.path() << "/leak'\n"
        << "primary_conninfo = 'host=127.0.0.1 port=" << source->port() << "'\n"
        << "synchronous_standby_names = '*'\nlisten_addresses = '*'\nssl = on\n"
        << "data_directory = '/nowhere'\nhba_file = '/nowhere/hba'\nshared_buffers = '900GB'\n"
        << "shared_preload_libraries = 'nothing_of_that_name'\n"
        << "external_pid_file = '" << folder.path() << "/leak'\nwork_mem = '5MB'\n";
    std::ofstream(data + "/standby.signal") << "";
    StartSettings settings;
    settings.own_settings = false;
    auto copy = start_copy(data, settings);
    if (!copy) FAIL(copy.error().message);
    const auto shown = [&](const std::string& name) {
        const auto rows = copy->sql("SHOW " + name);
        return rows ? rows->at(0).at(0) : rows.error().message;
    };
    CHECK(shown("archive_mode") == "off");
    CHECK(shown("primary_conninfo").empty());
    CHECK(shown("listen_addresses").empty());
    CHECK(shown("work_mem") == "5MB");
    CHECK(shown("config_file") == data + "/postgresql.conf");
    CHECK(copy->sql("CREATE TABLE written (id int)"));  // Waits for no standby.
    CHECK_FALSE(path_exists(folder.path() + "/leak"));
}
