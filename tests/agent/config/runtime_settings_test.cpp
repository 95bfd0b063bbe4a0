#include "agent/config/runtime_settings.h"

#include "agent/config/settings_files.h"
#include "tests/agent/config/folder.h"
#include "tests/agent/config/system_texts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

using namespace holdfast;
using namespace holdfast::agent;
using test::Folder;
using test::with;

namespace {

const std::string runtime_text = R"(name = "postgres"
kind = "command"
user = "postgres"
source = "database"
start = ["/usr/lib/postgresql/15/bin/postgres", "-D", "{mount}/database",
         "-p", "{port}"]
ready = ["/usr/bin/pg_isready", "-h", "{address}"]
stop_signal = "INT"
stop_seconds = 60
[commands]
prove = ["/usr/bin/prove", "{mount}"]
)";

constexpr uid_t nobody = 65'534;

}  // namespace

TEST_CASE("a runtime's settings are read whole", "[config]") {
    const auto runtime = parse_runtime(runtime_text, "f");
    REQUIRE(runtime);
    CHECK(*runtime == RuntimeSettings{"postgres",
                                      "postgres",
                                      "database",
                                      {"/usr/lib/postgresql/15/bin/postgres", "-D",
                                       "{mount}/database", "-p", "{port}"},
                                      {"/usr/bin/pg_isready", "-h", "{address}"},
                                      SIGINT,
                                      60,
                                      {{"prove", {"/usr/bin/prove", "{mount}"}}}});
    const auto plain = parse_runtime(
        with(with(runtime_text, "stop_signal = \"INT\"", ""), "stop_seconds = 60", ""), "f");
    REQUIRE(plain);
    CHECK(plain->stop_signal == SIGTERM);
    CHECK(plain->stop_seconds == 30);
}

TEST_CASE("a runtime's mistakes are told with their places", "[config]") {
    struct Spoiled {
        std::string was, is, message;
    };
    const std::vector<Spoiled> all{
        {"{mount}/database", "{mnt}/database",
         "5:55: item 3 of \"start\" is \"{mnt}/database\"; unknown placeholder {mnt}; did you mean "
         "{mount}?"},
        {"\"{port}\"]", "\"{prt}\"]",
         "6:16: item 5 of \"start\" is \"{prt}\"; unknown placeholder {prt}; did you mean {port}?"},
        {"\"{address}\"", "\"{postgres_options}\"",
         "7:39: item 3 of \"ready\" is \"{postgres_options}\"; {postgres_options} is for the start "
         "command only"},
        {"[\"/usr/bin/pg_isready\", \"-h\", \"{address}\"]", "\"pg_isready -h {address}\"",
         "7:9: \"ready\" is text; expected a list, each text: ready = [\"...\"]"},
        {"\"/usr/bin/pg_isready\"", "\"pg_isready -h\"",
         "7:9: \"ready\" starts with \"pg_isready -h\"; expected the whole path of a program, such "
         "as \"/usr/bin/psql\", and each argument by itself"},
        {"\"/usr/bin/prove\"", "\"{mount}/prove\"",
         "11:9: \"prove\" starts with \"{mount}/prove\"; expected the whole path of a program, "
         "such as \"/usr/bin/psql\", and each argument by itself"},
        {"[\"/usr/bin/prove\", \"{mount}\"]", "[]",
         "11:9: \"prove\" has 0 items; expected 1 to 100"},
        {"prove =", "\"Prove it\" =",
         "11:14: \"Prove it\" is no name; a command's is 1 to 40 of a-z, 0-9 and -"},
        {"user = \"postgres\"", "user = \"root\"",
         "3:8: \"user\" is \"root\"; expected the name of a user of this machine that is not root"},
        {"user = \"postgres\"", "user = \"0\"",
         "3:8: \"user\" is \"0\"; expected the name of a user of this machine that is not root"},
        {"\"INT\"", "\"SIGINT\"",
         "8:15: \"stop_signal\" is \"SIGINT\"; expected \"TERM\", \"INT\", \"QUIT\", \"HUP\", "
         "\"USR1\" or \"USR2\""},
        {"= 60", "= 0", "9:16: \"stop_seconds\" is 0; expected a whole number, 1 to 3600"},
        {"\"command\"", "\"contianer\"", "2:8: \"kind\" is \"contianer\"; expected \"command\""},
        {"stop_seconds", "stop_second",
         "9:1: unknown key \"stop_second\"; did you mean \"stop_seconds\"?"},
    };
    for (const auto& [was, is, message] : all) {
        const auto read = parse_runtime(with(runtime_text, was, is), "runtimes/postgres.toml");
        INFO(was << " -> " << is);
        REQUIRE_FALSE(read);
        CHECK(read.error().message == "runtimes/postgres.toml:" + message);
    }
}

TEST_CASE("the safety options come last where a start command has no place for them", "[config]") {
    const PlaceholderValues values{"/m", "/r", "::1", "1", {"-c", "x=y"}};
    auto runtime = parse_runtime(runtime_text, "f");
    REQUIRE(runtime);
    runtime->start = {"/bin/pg", "{port}"};
    CHECK(*expand_start(*runtime, values) == Arguments{"/bin/pg", "1", "-c", "x=y"});
    runtime->start = {"/bin/pg", "{postgres_options}", "{port}"};
    CHECK(*expand_start(*runtime, values) == Arguments{"/bin/pg", "-c", "x=y", "1"});
}

TEST_CASE("runtimes are listed and loaded by name", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    CHECK(list_runtimes(home)->empty());
    folder.write("runtimes/postgres.toml", runtime_text);
    folder.write("runtimes/other.toml", runtime_text);
    CHECK(*list_runtimes(home) == std::vector<std::string>{"other", "postgres"});
    CHECK(load_runtime(home, "postgres"));
    CHECK(load_runtime(home, "absent").error().code == Errc::NotFound);
    CHECK(load_runtime(home, "../postgres").error().code == Errc::Invalid);
    CHECK(load_runtime(home, "other").error().message ==
          folder / "runtimes/other.toml" +
              ": it states name = \"postgres\"; expected its file's name, \"other\"");
}

TEST_CASE("to root, commands come from files that only root can write", "[config]") {
    if (geteuid() != 0) return;  // Only root can make files of others.
    const Folder folder;
    const std::string runtimes = folder / "runtimes";
    const std::string file = folder / "runtimes/postgres.toml";
    folder.write("runtimes/postgres.toml", runtime_text);
    const auto read = [&](uid_t reader) {
        return config::read_trusted_text(file, runtime_file_bytes_max, reader);
    };
    REQUIRE(read(0));
    CHECK(*read(0) == runtime_text);

    SECTION("a file that its group can write is refused") {
        REQUIRE(::chmod(file.c_str(), 0664) == 0);
        REQUIRE_FALSE(read(0));
        CHECK(read(0).error().code == Errc::Denied);
        CHECK(read(0).error().message ==
              file +
                  " can be written by others than root, and commands come from root's files "
                  "only; check what it says, then run: chmod go-w '" +
                  file + "'");
        CHECK(load_runtime(Home::at(folder.path()), "postgres").error().code == Errc::Denied);
    }
    SECTION("a file of somebody else is refused") {
        REQUIRE(::chown(file.c_str(), nobody, nobody) == 0);
        CHECK(read(0).error().message ==
              file +
                  " belongs to user 65534, and commands come from root's files only; check what "
                  "it says, then run: chown root:root '" +
                  file + "'");
    }
    SECTION("a folder that all can write is refused") {
        REQUIRE(::chmod(runtimes.c_str(), 0777) == 0);
        CHECK(read(0).error().message.find(runtimes + " can be written by others") == 0);
    }
    SECTION("a folder of somebody else is refused") {
        REQUIRE(::chown(runtimes.c_str(), nobody, nobody) == 0);
        CHECK(read(0).error().message.find(runtimes + " belongs to user 65534") == 0);
    }
    SECTION("a symbolic link is refused") {
        REQUIRE(::rename(file.c_str(), (folder / "elsewhere").c_str()) == 0);
        REQUIRE(::symlink("../elsewhere", file.c_str()) == 0);
        REQUIRE_FALSE(read(0));
        CHECK(read(0).error().message.find("not a symbolic link") != std::string::npos);
    }
    SECTION("to others, who only command themselves, the same files are good") {
        REQUIRE(::chmod(file.c_str(), 0666) == 0);
        CHECK(read(nobody));
    }
}

TEST_CASE("a pipe is no settings file, and nobody waits for it", "[config]") {
    const Folder folder;
    const std::string pipe = folder / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(config::read_text(pipe, 100).error().message == pipe + " is no plain file");
}
