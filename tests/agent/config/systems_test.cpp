#include "agent/config/systems.h"

#include "tests/agent/config/folder.h"
#include "tests/agent/config/system_texts.h"

using namespace holdfast;
using namespace holdfast::agent;
using test::epr_text;
using test::Folder;
using test::with;

TEST_CASE("a system is installed, listed, loaded and removed", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder / "home");
    CHECK(list_systems(home)->empty());
    folder.write("any name.toml", epr_text);
    REQUIRE(install_system(home, folder / "any name.toml"));
    CHECK(*list_systems(home) == std::vector<std::string>{"epr"});
    const auto epr = load_system(home, "epr");
    REQUIRE(epr);
    CHECK(epr->text == epr_text);
    REQUIRE(remove_system(home, "epr"));
    CHECK(list_systems(home)->empty());
    CHECK(load_system(home, "epr").error().code == Errc::NotFound);
    CHECK(remove_system(home, "epr").error().code == Errc::NotFound);
}

TEST_CASE("a system that is there is replaced only when asked", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    folder.write("a", epr_text);
    folder.write("b", with(epr_text, "Pippin", "Merry"));
    REQUIRE(install_system(home, folder / "a"));
    CHECK(install_system(home, folder / "b").error().code == Errc::Conflict);
    CHECK(load_system(home, "epr")->supplier == "Pippin Hosting");
    REQUIRE(install_system(home, folder / "b", Replace::Yes));
    CHECK(load_system(home, "epr")->supplier == "Merry Hosting");
}

TEST_CASE("a file with a mistake is told by its own path and not installed", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    folder.write("a", with(epr_text, "passfile", "pasfile"));
    const auto installed = install_system(home, folder / "a");
    REQUIRE_FALSE(installed);
    CHECK(installed.error().message ==
          folder / "a" + ":16:1: unknown key \"pasfile\"; did you mean \"passfile\"?");
    CHECK(list_systems(home)->empty());
    CHECK(install_system(home, folder / "absent").error().code == Errc::NotFound);
}

TEST_CASE("a system's file is named as the system", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    folder.write("systems/pacs.toml", epr_text);
    CHECK(load_system(home, "pacs").error().message ==
          folder / "systems/pacs.toml" +
              ": it states name = \"epr\"; expected its file's name, \"pacs\"");
    CHECK(load_system(home, "../systems/pacs").error().code == Errc::Invalid);
    CHECK(remove_system(home, "../node").error().code == Errc::Invalid);
}

TEST_CASE("a file that can be no system's is told, an editor's is passed over", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    folder.write("systems/epr.toml", epr_text);
    folder.write("systems/epr.toml~", "");
    folder.write("systems/notes.txt", "");
    CHECK(*list_systems(home) == std::vector<std::string>{"epr"});
    folder.write("systems/My EPR.toml", epr_text);
    CHECK(list_systems(home).error().message.find("\"My EPR\" is no name; rename the file") !=
          std::string::npos);
}

TEST_CASE("snapshot --path makes a system of one folder, once", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder / "home");
    folder.write("a \"b\"\\/x", "");
    folder.write("other/x", "");
    const std::string path = folder / "a \"b\"\\";

    const auto made = write_system_for_path(home, "docs", path + "/");
    REQUIRE(made);
    CHECK(made->name == "docs");
    REQUIRE(made->sources.size() == 1);
    CHECK(made->sources[0] == SourceSettings{"files", FilesSourceSettings{path, {}, false}});
    CHECK(*load_system(home, "docs") == *made);

    CHECK(*write_system_for_path(home, "docs", folder / "other/../a \"b\"\\") == *made);
    CHECK(write_system_for_path(home, "docs", folder / "other").error().code == Errc::Conflict);
    CHECK(*load_system(home, "docs") == *made);

    CHECK(write_system_for_path(home, "new", "relative").error().code == Errc::Invalid);
    CHECK(write_system_for_path(home, "new", folder / "absent").error().code == Errc::Invalid);
    CHECK(write_system_for_path(home, "../new", path).error().code == Errc::Invalid);
    CHECK(*list_systems(home) == std::vector<std::string>{"docs"});
}

TEST_CASE("snapshot --path never touches settings that it cannot read", "[config]") {
    const Folder folder;
    const Home home = Home::at(folder.path());
    folder.write("systems/docs.toml", "name = docs");
    CHECK(write_system_for_path(home, "docs", folder.path()).error().code == Errc::Invalid);
    CHECK(as_text(*read_file(folder / "systems/docs.toml", 100)) == "name = docs");
}
