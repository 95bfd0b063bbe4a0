#include "agent/source/postgres/copy.h"

#include <catch2/catch.hpp>

#include "tests/agent/source/postgres/cluster.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent::postgres;
using namespace holdfast::test;

namespace {

/// The Result's value; the test fails with its error's message if there is none.
template <class T>
T must(Result<T> result) {
    if (!result) FAIL(result.error().message);
    return *std::move(result);
}
void must(Result<void> result) {
    if (!result) FAIL(result.error().message);
}

std::string one(const PostgresServer& server, const std::string& query) {
    const Rows rows = must(server.sql(query));
    return rows.empty() ? "" : rows[0][0];
}

/// Reads every table and index of `server`, structure and content.
void check_content(const PostgresServer& server) {
    CHECK(one(server,
              "SELECT count(*) FROM (SELECT bt_index_check(i.indexrelid, false) FROM "
              "pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = "
              "c.relam WHERE a.amname = 'btree' AND c.relpersistence <> 't') x") != "0");
    CHECK(one(server, "SELECT count(*) FROM verify_heapam('acks')") == "0");
    CHECK(one(server, "SELECT count(*) FROM verify_heapam('ballast')") == "0");
    CHECK(one(server, "SELECT (SELECT count(*) FROM acks) = (SELECT max(id) FROM acks)") == "t");
    CHECK(one(server, "SELECT (SELECT sum(id) FROM acks) = (SELECT sum FROM total)") == "t");
}

}  // namespace

TEST_CASE("a copy taken under load recovers whole, sealed and checked", "[postgres][cluster]") {
    const ServerFolder folder;
    const std::string archive = folder.path() + "/archive";
    std::filesystem::create_directory(archive);
    give_to_server_user(archive);
    PostgresServer source =
        must(make_source({"archive_mode = on", "archive_command = 'cp %p " + archive + "/%f'",
                          "checkpoint_timeout = '30s'"}));
    must(make_tables(source, 30'000));
    FolderSink sink(folder.path() + "/copy");
    PostgresFacts facts;
    std::int64_t before = 0;
    {
        const Writer writer(source);
        REQUIRE(eventually([&] { return writer.acknowledged() > 100; }));
        before = writer.acknowledged();
        bool waited = false;
        const auto progress = [&](std::uint64_t done, std::uint64_t expected) {
            if (waited || done < 16 << 20) return true;
            waited = true;
            CHECK(expected > done);
            // In the middle of the copy: twice the log that the server would keep without the slot.
            const std::string from = one(source, "SELECT pg_current_wal_lsn()");
            const std::string query = "SELECT pg_current_wal_lsn() - '" + from + "' > 100000000";
            CHECK(eventually([&] { return one(source, query) == "t"; }, 120'000));
            return true;
        };
        facts = must(copy_cluster(copier_of(source, folder), sink, progress));
        CHECK(waited);
        CHECK(writer.acknowledged() > before);
    }
    INFO("log " << facts.first_wal << " to " << facts.last_wal << ", " << facts.bytes << " bytes");
    CHECK(slots_of(source) == "");
    CHECK(sink.warnings.empty());
    CHECK(sink.entries.contains("backup_label"));
    CHECK(sink.shapes.at("global/pg_control") == agent::Shape::Stream);
    CHECK(sink.shapes.at("base/1/1259") == agent::Shape::Pages);
    CHECK(sink.entries.at("").mode == 0700);

    CHECK(facts.version_number / 10000 >= 13);
    CHECK(facts.data_checksums);
    CHECK_FALSE(facts.checksums_failed);
    CHECK(facts.settings_in_folder);
    CHECK(facts.wal_segment_bytes == 16 << 20);
    CHECK(facts.block_bytes == 8192);
    CHECK(facts.system_id == one(source, "SELECT system_identifier FROM pg_control_system()"));
    CHECK(facts.timeline == 1);
    CHECK(facts.stop_lsn - facts.start_lsn > 100'000'000);
    CHECK(facts.databases.empty());
    CHECK_FALSE(facts.databases_missing.empty());

    PostgresServer copy = must(start_copy(folder.path() + "/copy"));
    CHECK(std::stoll(one(copy, "SELECT max(id) FROM acks")) >= before);
    check_content(copy);
    CHECK(one(copy, "SHOW archive_mode") == "off");
    CHECK(one(copy, "SHOW listen_addresses") == "");
    CHECK(one(copy, "SELECT pg_is_in_recovery()") == "f");
    const auto archived = [&] {
        return std::distance(std::filesystem::directory_iterator(archive), {});
    };
    must(source.stop());
    const auto archived_before = archived();
    must(copy.sql("CHECKPOINT; SELECT pg_switch_wal()"));
    must(copy.stop());
    CHECK(archived() == archived_before);
    must(run_as_server_user({postgres_bin_dir() + "/pg_checksums", "-c", "-D", copy.data_dir()}));
}

TEST_CASE("a role that may log in tells the locales of the databases", "[postgres][cluster]") {
    const ServerFolder folder;
    PostgresServer source =
        must(make_source({}, {"host postgres copier 127.0.0.1/32 scram-sha-256"}));
    FolderSink sink(folder.path() + "/copy");
    const PostgresFacts facts = must(copy_cluster(copier_of(source, folder), sink, {}));
    REQUIRE(facts.databases.size() == 3);
    CHECK(facts.databases[0].encoding == "UTF8");
    CHECK(facts.databases[0].collate == "C.UTF-8");
    CHECK(facts.databases_missing.empty());
}

TEST_CASE("over TLS only the server with the known certificate is copied", "[postgres][cluster]") {
    const ServerFolder folder;
    const auto make_certificate = [&](const std::string& name) {
        const std::string path = folder.path() + "/" + name;
        must(run_as_server_user({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                                 "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path + ".key",
                                 "-out", path + ".crt"}));
        return path;
    };
    const std::string known = make_certificate("known");
    const std::string other = make_certificate("other");
    PostgresServer source = must(make_source(
        {"ssl = on", "ssl_cert_file = '" + known + ".crt'", "ssl_key_file = '" + known + ".key'"}));
    must(make_tables(source, 5'000));
    PostgresSettings settings = copier_of(source, folder);
    settings.sslmode = "verify-full";
    settings.sslrootcert = other + ".crt";
    FolderSink nothing(folder.path() + "/nothing");
    CHECK_FALSE(copy_cluster(settings, nothing, {}));
    CHECK(nothing.entries.empty());
    settings.sslrootcert = known + ".crt";
    FolderSink sink(folder.path() + "/copy");
    const PostgresFacts facts = must(copy_cluster(settings, sink, {}));
    CHECK(facts.bytes > 20 << 20);
    PostgresServer copy = must(start_copy(folder.path() + "/copy"));
    CHECK(one(copy, "SELECT count(*) FROM ballast") == "5000");
}

TEST_CASE("tablespaces come back inside the data folder", "[postgres][cluster]") {
    const ServerFolder folder;
    PostgresServer source = must(make_source());
    const std::string place = folder.path() + "/elsewhere";
    std::filesystem::create_directory(place);
    give_to_server_user(place);
    must(source.sql("CREATE TABLESPACE fast LOCATION '" + place + "'"));
    must(
        source.sql("CREATE TABLE imaging (id int PRIMARY KEY USING INDEX TABLESPACE fast, "
                   "note text) TABLESPACE fast; INSERT INTO imaging SELECT n, md5(n::text) FROM "
                   "generate_series(1, 5000) n"));
    FolderSink sink(folder.path() + "/copy");
    const PostgresFacts facts = must(copy_cluster(copier_of(source, folder), sink, {}));
    REQUIRE(facts.tablespaces.size() == 1);
    CHECK(facts.tablespaces[0].location == place);
    const std::string inside = "pg_tblspc/" + std::to_string(facts.tablespaces[0].oid);
    CHECK(sink.entries.at(inside).type == vault::FileType::Directory);
    CHECK_FALSE(sink.entries.contains("tablespace_map"));

    must(source.stop());
    std::filesystem::remove_all(place);  // The copy must not need it.
    PostgresServer copy = must(start_copy(folder.path() + "/copy"));
    CHECK(one(copy, "SELECT count(*) FROM imaging") == "5000");
    CHECK(one(copy, "SELECT note = md5('17') FROM imaging WHERE id = 17") == "t");
    must(copy.sql("INSERT INTO imaging VALUES (5001, 'new')"));
    must(copy.stop());
    must(copy.start());
    CHECK(one(copy, "SELECT count(*) FROM imaging") == "5001");
}

TEST_CASE("a copy can be read as a standby and cannot be written", "[postgres][cluster]") {
    const ServerFolder folder;
    PostgresServer source = must(make_source({"max_connections = 150"}));
    must(make_tables(source, 100));
    FolderSink sink(folder.path() + "/copy");
    const PostgresFacts facts = must(copy_cluster(copier_of(source, folder), sink, {}));
    StartSettings settings;
    settings.as = StartAs::ReadOnly;
    settings.source_settings = facts.settings;
    PostgresServer copy = must(start_copy(folder.path() + "/copy", settings));
    CHECK(one(copy, "SELECT count(*) FROM ballast") == "100");
    CHECK_FALSE(copy.sql("INSERT INTO total VALUES (1)"));
}

TEST_CASE("bad pages on the source are warned of, and copied as they are", "[postgres][cluster]") {
    const ServerFolder folder;
    PostgresServer source = must(make_source());
    must(make_tables(source, 1000));
    const std::string path = one(source, "SELECT pg_relation_filepath('ballast')");
    must(source.stop());
    {
        const Fd file = must(open_file(source.data_dir() + "/" + path, O_RDWR));
        REQUIRE(::pwrite(file.get(), "rot", 3, 8192 + 4000) == 3);
    }
    must(source.start());
    FolderSink sink(folder.path() + "/copy");
    const PostgresFacts facts = must(copy_cluster(copier_of(source, folder), sink, {}));
    CHECK(facts.checksums_failed);
    REQUIRE(sink.warnings.size() >= 2);
    CHECK(sink.warnings[0].what.find(path) != std::string::npos);
    CHECK(sink.entries.contains(path));
    CHECK(eventually([&] { return slots_of(source).empty(); }));
}
