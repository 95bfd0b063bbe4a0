#include "agent/config/node_settings.h"

#include "tests/agent/config/folder.h"
#include "tests/agent/config/system_texts.h"

using namespace holdfast;
using namespace holdfast::agent;
using test::Folder;
using test::with;

namespace {

NodeSettings camberwick() {
    NodeSettings settings;
    settings.trust.digest.fill(0xab);
    settings.name = "camberwick-1";
    settings.peer = PeerSettings{"0.0.0.0:8420", "[2001:db8::1]:8420"};
    settings.console = ConsoleSettings{"127.0.0.1:8443"};
    return settings;
}

}  // namespace

TEST_CASE("what is written of a node is read back", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder / "new");
    CHECK(load_node(home).error().code == Errc::NotFound);
    REQUIRE(write_node(home, camberwick()));
    CHECK(*load_node(home) == camberwick());
    CHECK(write_node(home, camberwick()).error().code == Errc::Conflict);
}

TEST_CASE("a node needs neither partners nor a console", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    NodeSettings settings = camberwick();
    settings.peer.reset();
    settings.console.reset();
    REQUIRE(write_node(home, settings));
    CHECK(*load_node(home) == settings);
}

TEST_CASE("bringing snapshots to partners at once can be switched off", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    NodeSettings settings = camberwick();
    CHECK(settings.peer->after_snapshot);
    settings.peer->after_snapshot = false;
    REQUIRE(write_node(home, settings));
    CHECK_FALSE(load_node(home)->peer->after_snapshot);
}

TEST_CASE("what would not load is not written", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    NodeSettings settings = camberwick();
    settings.peer->listen = "everywhere";
    CHECK(write_node(home, settings).error().code == Errc::Invalid);
    CHECK_FALSE(path_exists(home.node));
}

TEST_CASE("a node's mistakes are told with their places", "[config]") {
    const std::string text =
        "trust = \"" + std::string(64, 'a') +
        "\"\nname = \"n\"\n[peer]\nlisten = \"0.0.0.0:8420\"\n"
        "address = \"trust.example:8420\"\n[console]\nlisten = \"[::1]:443\"\n";
    REQUIRE(parse_node(text, "node.toml"));
    struct Spoiled {
        std::string was, is, message;
    };
    const std::vector<Spoiled> all{
        {"aaaa", "AAAA",
         "1:9: \"trust\" is \"AAAA" + std::string(56, 'a') +
             "...\"; expected the trust's id, 64 of 0-9 and a-f"},
        {std::string(64, 'a'), std::string(64, '0'),
         "1:9: \"trust\" is \"" + std::string(60, '0') +
             "...\"; expected the trust's id, 64 of 0-9 and a-f"},
        {"\"n\"", "\"N 1\"",
         "2:8: \"name\" is \"N 1\"; expected a name: 1 to 40 of a-z, 0-9 and -"},
        {"0.0.0.0:8420", "0.0.0.0",
         "4:10: \"listen\" is \"0.0.0.0\"; expected ADDRESS:PORT, such as \"127.0.0.1:8443\""},
        {"trust.example:8420", "trust.example:0",
         "5:11: \"address\" is \"trust.example:0\"; expected HOST:PORT, such as "
         "\"192.0.2.10:8420\""},
        {"[::1]:443", "::1:443",
         "7:10: \"listen\" is \"::1:443\"; expected ADDRESS:PORT, such as \"127.0.0.1:8443\""},
        {"listen = \"[", "lisen = \"[", "7:1: unknown key \"lisen\"; did you mean \"listen\"?"},
    };
    for (const auto& [was, is, message] : all) {
        const auto read = parse_node(with(text, was, is), "node.toml");
        INFO(was << " -> " << is);
        REQUIRE_FALSE(read);
        CHECK(read.error().message == "node.toml:" + message);
    }
}

TEST_CASE("a home names every place of a node", "[config]") {
    const Home home = Home::at("/x/y/../z/");
    CHECK(home.node == "/x/z/node.toml");
    CHECK(home.vault == "/x/z/vault");
    CHECK(home.run == "/x/z/run");
    CHECK(*home.system_file("epr") == "/x/z/systems/epr.toml");
    CHECK(*home.runtime_file("pg") == "/x/z/runtimes/pg.toml");
    CHECK(Home::at("here").node == std::filesystem::current_path().string() + "/here/node.toml");
    CHECK(Home::at("/").node == "/node.toml");
    CHECK(Home::standard().systems == "/etc/holdfast/systems");
    CHECK(Home::standard().tenants == "/var/lib/holdfast/tenants");
    CHECK(Home::standard().run == "/run/holdfast");
    for (const char* bad : {"", "..", "a/b", "A", "a b", "a.toml"}) {
        INFO(bad);
        CHECK(home.system_file(bad).error().code == Errc::Invalid);
    }
    CHECK(home.system_file(std::string(41, 'a')).error().code == Errc::Invalid);
    CHECK(home.system_file(std::string(40, 'a')));
}
