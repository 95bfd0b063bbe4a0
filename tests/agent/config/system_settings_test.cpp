#include "agent/config/system_settings.h"

#include "agent/config/mistakes.h"
#include "tests/agent/config/system_texts.h"

#include "vault/base/clock.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::agent;
using test::epr_text;
using test::with;

namespace {

struct Spoiled {
    std::string was, is, message;
};

void check_each(const std::vector<Spoiled>& all) {
    for (const auto& [was, is, message] : all) {
        const auto read = parse_system(with(epr_text, was, is), "systems/epr.toml");
        INFO(was << " -> " << is);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == Errc::Invalid);
        CHECK(read.error().message == "systems/epr.toml:" + message);
    }
}

std::string message_of(const std::string& text) {
    const auto read = parse_system(text, "f");
    REQUIRE_FALSE(read);
    return read.error().message;
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

TEST_CASE("a system's settings are read whole", "[config]") {
    const auto epr = parse_system(epr_text, "systems/epr.toml");
    REQUIRE(epr);
    CHECK(epr->name == "epr");
    CHECK(epr->title == "Electronic patient record");
    CHECK(epr->supplier == "Pippin Hosting");
    CHECK(epr->contacts == std::vector<std::string>{"Switchboard 01234 567890"});
    CHECK(epr->opening_keys == OpeningKeys::Node);
    CHECK(epr->term == 0);
    CHECK(epr->objectives == ObjectiveSettings{900'000, 1'800'000});
    REQUIRE(epr->sources.size() == 2);
    CHECK(epr->sources[0] ==
          SourceSettings{"database",
                         PostgresSourceSettings{"127.0.0.1", 5433, "copier",
                                                "/etc/holdfast/epr.pgpass", "prefer", ""}});
    CHECK(epr->sources[1] ==
          SourceSettings{"documents",
                         FilesSourceSettings{"/srv/epr/documents", {"*.tmp", "cache/**"}, true}});
    CHECK(epr->plan == PlanSettings{"postgres", {"Trumpton"}});
    REQUIRE(epr->checks.size() == 2);
    CHECK(epr->checks[0] ==
          CheckSettings{"allergies are there",
                        SqlCheckSettings{"database", "select count(*) > 0 from allergies", "t"}});
    CHECK(epr->checks[1] == CheckSettings{"content equals", CommandCheckSettings{"prove"}});
    CHECK(epr->endpoints == std::vector<EndpointSettings>{
                                {"database", "database", 5432, "127.0.0.1:15432", ProbeKind::Tcp}});
    CHECK(epr->fence == FenceSettings{FenceKind::Attested,
                                      "Is Pippin's server powered off, or its link unplugged?"});
}

TEST_CASE("a system keeps its text byte for byte, and reads the same from it", "[config]") {
    const std::string text = "# why\r\n" + epr_text + "  # the end";
    const auto first = parse_system(text, "a");
    REQUIRE(first);
    CHECK(first->text == text);
    const auto again = parse_system(first->text, "b");
    REQUIRE(again);
    CHECK(*again == *first);
}

TEST_CASE("a system that is only kept needs a name, a title and a source", "[config]") {
    const auto small = parse_system(
        "name='a'\ntitle='A'\n[[source]]\nkind='files'\npath='/srv'\n"
        "[[source]]\nkind='postgres'\nhost='/run/postgresql'\n",
        "f");
    REQUIRE(small);
    REQUIRE(small->source("files") != nullptr);
    CHECK(small->source("files")->kind() == "files");
    REQUIRE(small->source("postgres") != nullptr);
    CHECK(std::get<PostgresSourceSettings>(small->source("postgres")->of) ==
          PostgresSourceSettings{"/run/postgresql", 5432, "holdfast", "", "verify-full", ""});
    CHECK(small->source("database") == nullptr);
    CHECK_FALSE(small->objectives);
    CHECK_FALSE(small->plan);
    CHECK_FALSE(small->fence);
}

TEST_CASE("a key that is unknown is told with the one that was meant", "[config]") {
    check_each({
        {"passfile =", "pasfile =", "16:1: unknown key \"pasfile\"; did you mean \"passfile\"?"},
        {"supplier =", "suplier =", "3:1: unknown key \"suplier\"; did you mean \"supplier\"?"},
        {"sslmode =", "SSLMode =", "17:1: unknown key \"SSLMode\"; did you mean \"sslmode\"?"},
        {"hosts =", "hsots =", "28:1: unknown key \"hsots\"; did you mean \"hosts\"?"},
        {"probe =", "interval =",
         "47:1: unknown key \"interval\" in [[endpoint]] \"database\"; expected name, source, "
         "port, "
         "relay or probe"},
        {"user = \"copier\"", "path = \"/srv\"",
         "15:1: \"path\" is for kind \"files\" only in [[source]] \"database\""},
        {"command =", "expect = \"t\"\ncommand =",
         "40:1: \"expect\" is for kind \"sql\" only in [[check]] \"content equals\""},
        {"[plan]", "[panl]", "26:2: unknown key \"panl\"; did you mean \"plan\"?"},
    });
}

TEST_CASE("a word that is none of a setting's is told with those that are", "[config]") {
    check_each({
        {"kind = \"postgres\"", "kind = \"postgress\"",
         "12:8: \"kind\" is \"postgress\"; expected \"files\", \"postgres\", \"sqlite\", "
         "\"command\", \"image\" or \"landing\"; did you mean "
         "\"postgres\"?"},
        {"kind = \"sql\"", "kind = \"ldap\"",
         "32:8: \"kind\" is \"ldap\"; expected \"sql\" or \"command\""},
        {"\"node\"", "\"lokced\"",
         "5:16: \"opening_keys\" is \"lokced\"; expected \"node\" or \"locked\"; did you mean "
         "\"locked\"?"},
        {"sslmode = \"prefer\"", "sslmode = \"verify_full\"",
         "17:11: \"sslmode\" is \"verify_full\"; expected \"disable\", \"allow\", \"prefer\", "
         "\"require\", \"verify-ca\" or \"verify-full\"; did you mean \"verify-full\"?"},
        {"probe = \"tcp\"", "probe = \"http\"",
         "47:9: \"probe\" is \"http\"; expected \"tcp\" or \"none\""},
        {"kind = \"attested\"", "kind = 1",
         "50:8: \"kind\" is a whole number; expected \"attested\" or \"enforced\""},
    });
}

TEST_CASE("a value of the wrong type is told with what was expected", "[config]") {
    check_each({
        {"port = 5433", "port = \"5433\"",
         "14:8: \"port\" is text; expected a whole number, 1 to 65535, without quotes"},
        {"port = 5433", "port = 5433.0",
         "14:8: \"port\" is a number with a fraction; expected a whole number, 1 to 65535, without "
         "quotes"},
        {"one_file_system = true", "one_file_system = \"yes\"",
         "24:19: \"one_file_system\" is text; expected true or false, without quotes"},
        {"title = \"Electronic patient record\"", "title = 1979-05-27",
         "2:9: \"title\" is a date or time; expected a line of text, in quotes"},
        {"\"15m\"", "15",
         "7:12: \"data_age\" is a whole number; expected 1s to 366d, such as \"15m\" (s, m, h or "
         "d)"},
        {"[\"Trumpton\"]", "\"Trumpton\"",
         "28:9: \"hosts\" is text; expected a list, each a line of text: hosts = [\"...\"]"},
        {"\"*.tmp\"", "7",
         "23:12: item 1 of \"exclude\" is a whole number; expected a pattern "
         "such as \"*.tmp\", in quotes"},
        {"[fence]", "[[fence]]", "49:1: \"fence\" is a list; expected a table, [fence]"},
        {"[[endpoint]]", "[endpoint]",
         "42:1: \"endpoint\" is a table; expected [[endpoint]], in two brackets"},
    });
}

TEST_CASE("a value out of its range is told with the range", "[config]") {
    check_each({
        {"port = 5433", "port = 0", "14:8: \"port\" is 0; expected a whole number, 1 to 65535"},
        {"port = 5432", "port = 65536",
         "45:8: \"port\" is 65536; expected a whole number, 1 to 65535"},
        {"\"15m\"", "\"0m\"",
         "7:12: \"data_age\" is \"0m\"; expected 1s to 366d, such as \"15m\" (s, m, h or d)"},
        {"\"30m\"", "\"367d\"",
         "8:15: \"time_to_run\" is \"367d\"; expected 1s to 366d, such as \"15m\" (s, m, h or d)"},
        {"\"30m\"", "\"30 min\"",
         "8:15: \"time_to_run\" is \"30 min\"; expected 1s to 366d, such as \"15m\" (s, m, h or "
         "d)"},
        {"\"/srv/epr/documents\"", "\"srv/epr\"",
         "22:8: \"path\" is \"srv/epr\"; expected an absolute path, without . or .. in it or a / "
         "at its end"},
        {"\"127.0.0.1\"", "\"10.0.0.1 port=1\"",
         "13:8: \"host\" is \"10.0.0.1 port=1\"; expected a host's name, an address, or the folder "
         "of a socket"},
        {"\"127.0.0.1:15432\"", "\"localhost:15432\"",
         "46:9: \"relay\" is \"localhost:15432\"; expected ADDRESS:PORT, such as "
         "\"127.0.0.1:8443\""},
        {"name = \"database\"", "name = \"../x\"",
         "11:8: \"name\" is \"../x\"; expected a name: 1 to 40 of a-z, 0-9 and -"},
        {"\"Pippin Hosting\"", "\"\"", "3:12: \"supplier\" is \"\"; expected a line of text"},
        {"\"Pippin Hosting\"", "\"a\\u0000b\"",
         "3:12: \"supplier\" is \"a\\u0000b\"; expected a line of text"},
    });
}

TEST_CASE("rules of what is kept are read, and rules that keep nothing refused", "[config]") {
    CHECK_FALSE(parse_system(epr_text, "f")->keep);
    const auto with_keep = [](const std::string& rules) {
        return with(epr_text, "[objectives]", "[keep]\n" + rules + "\n[objectives]");
    };
    const auto all = parse_system(
        with_keep("last = 1\nhourly = 2\ndaily = 3\nweekly = 4\nmonthly = 5\nyearly = 6\n"
                  "within = \"7h\""),
        "f");
    REQUIRE(all);
    CHECK(all->keep == KeepSettings{1, 2, 3, 4, 5, 6, 7 * 3'600'000});
    CHECK(message_of(with_keep("")).find("f:6:1: ") == 0);
    CHECK(message_of(with_keep("")).find("keeps nothing") != std::string::npos);
    CHECK(
        message_of(with_keep("daily = 0")).find("\"daily\" is 0; expected a whole number, 1 to") !=
        std::string::npos);
    CHECK(message_of(with_keep("dayly = 3")).find("did you mean \"daily\"") != std::string::npos);
    CHECK(message_of(with_keep("within = 3")).find("\"within\"") != std::string::npos);
}

TEST_CASE("a SQLite file and a command are sources", "[config]") {
    const std::string head = "name = \"x\"\ntitle = \"X\"\n[[source]]\n";
    const auto sqlite = parse_system(head + "kind = \"sqlite\"\npath = \"/srv/a.db\"", "f");
    REQUIRE(sqlite);
    CHECK(sqlite->sources[0] == SourceSettings{"sqlite", SqliteSourceSettings{"/srv/a.db"}});
    const std::string command = head + "kind = \"command\"\n";
    const auto output =
        parse_system(command +
                         "command = [\"/usr/bin/dump\", \"--all\", \"{x}\"]\nfile = \"a.sql\"\n"
                         "timeout = \"2h\"",
                     "f");
    REQUIRE(output);
    CHECK(output->sources[0] ==
          SourceSettings{
              "command",
              CommandSourceSettings{{"/usr/bin/dump", "--all", "{x}"}, "a.sql", 2 * 3'600'000}});
    const auto plain = parse_system(command + "command = [\"/usr/bin/dump\"]", "f");
    REQUIRE(plain);
    CHECK(std::get<CommandSourceSettings>(plain->sources[0].of).file == "output");
    CHECK(message_of(command + "command = [\"dump\"]").find("the whole path of a program") !=
          std::string::npos);
    CHECK(message_of(command).find("\"command\" is missing") != std::string::npos);
    for (const char* name : {"a/b", "..", ".", ""}) {
        INFO(name);
        CHECK(message_of(command + "command = [\"/d\"]\nfile = \"" + name + "\"")
                  .find("a file's name") != std::string::npos);
    }
    CHECK(message_of(command + "command = [\"/d\"]\npath = \"/x\"").find("kind \"files\"") !=
          std::string::npos);
    CHECK(message_of(head + "kind = \"sqlite\"\npath = \"/a\"\nexclude = []")
              .find("kind \"files\"") != std::string::npos);
}

TEST_CASE("a disk is a source, with or without a hook that holds it", "[config]") {
    const std::string head = "name = \"x\"\ntitle = \"X\"\n[[source]]\nkind = \"image\"\n";
    for (const char* path : {"/dev/vg0/pacs", "nbd://10.1.0.5:10809/vda", "nbds://h/",
                             "nbd+unix:///x?socket=/run/x"}) {
        INFO(path);
        const auto plain = parse_system(head + "path = \"" + path + "\"", "f");
        REQUIRE(plain);
        CHECK(plain->sources[0] ==
              SourceSettings{"image", ImageSourceSettings{path, "disk.img", {}}});
    }
    const auto held = parse_system(head +
                                       "file = \"vda.img\"\nbegin = [\"/b\", \"1\"]\n"
                                       "end = [\"/e\"]\nhook_timeout = \"30s\"",
                                   "f");
    REQUIRE(held);
    CHECK(std::get<ImageSourceSettings>(held->sources[0].of) ==
          ImageSourceSettings{"", "vda.img", {{"/b", "1"}, {"/e"}, 30'000}});
    CHECK(message_of(head).find("\"path\" is missing") != std::string::npos);
    CHECK(message_of(head + "path = \"nbd:\"").find("an NBD URI") != std::string::npos);
    CHECK(message_of(head + "path = \"/x\"\nend = [\"/e\"]").find("without begin") !=
          std::string::npos);
    CHECK(message_of(head + "path = \"/x\"\ntimeout = \"1h\"").find("kind \"command\"") !=
          std::string::npos);
}

TEST_CASE("a folder of one moment", "[config]") {
    const std::string head =
        "name = \"x\"\ntitle = \"X\"\n[[source]]\nkind = \"files\"\npath = \"/srv/x\"\n";
    const std::pair<const char*, Atomic> words[] = {
        {"btrfs", Atomic::Btrfs}, {"lvm", Atomic::Lvm}, {"xfs-reflink", Atomic::Reflink}};
    for (const auto& [word, atomic] : words) {
        INFO(word);
        const auto read = parse_system(head + "atomic = \"" + word + "\"", "f");
        REQUIRE(read);
        CHECK(std::get<FilesSourceSettings>(read->sources[0].of) ==
              FilesSourceSettings{"/srv/x", {}, false, atomic, {}});
    }
    const auto held = parse_system(head + "atomic = \"hook\"\nbegin = [\"/b\"]", "f");
    REQUIRE(held);
    CHECK(std::get<FilesSourceSettings>(held->sources[0].of) ==
          FilesSourceSettings{"/srv/x", {}, false, Atomic::Hook, {{"/b"}, {}, 600'000}});
    CHECK(message_of(head + "atomic = \"hook\"").find("\"begin\" is missing") != std::string::npos);
    CHECK(message_of(head + "begin = [\"/b\"]").find("without atomic") != std::string::npos);
}

TEST_CASE("a landing share is a source, with what is expected of it", "[config]") {
    const std::string head =
        "name = \"x\"\ntitle = \"X\"\n[[source]]\nkind = \"landing\"\npath = \"/srv/l\"\n";
    const auto plain = parse_system(head, "f");
    REQUIRE(plain);
    LandingSourceSettings expected;
    expected.path = "/srv/l";
    CHECK(plain->sources[0] == SourceSettings{"landing", expected});
    const auto all = parse_system(
        head +
            "exclude = [\"*.tmp\"]\nquiet = \"5m\"\nmarker = \".done\"\nimmutable = false\n"
            "keep_for = \"14d\"\nrestore_hook = [\"/v\"]\n[[source.expect]]\n"
            "pattern = \"*.bak\"\nevery = \"26h\"\nmegabytes_min = 2",
        "f");
    REQUIRE(all);
    CHECK(std::get<LandingSourceSettings>(all->sources[0].of) ==
          LandingSourceSettings{"/srv/l",
                                {"*.tmp"},
                                300'000,
                                ".done",
                                false,
                                14 * day_ms,
                                {"/v"},
                                {{"*.bak", 26 * hour_ms, 2'000'000}}});
    CHECK(message_of(head + "[[source.expect]]\nevery = \"1h\"").find("\"pattern\" is missing") !=
          std::string::npos);
    CHECK(message_of(head + "marker = \"a/b\"").find("without /") != std::string::npos);
}

TEST_CASE("a bad pattern is told as the pattern's own mistake", "[config]") {
    const std::string told = message_of(with(epr_text, "cache/**", "cache/[a"));
    CHECK(told.find("f:23:21: item 2 of \"exclude\" is \"cache/[a\"; ") == 0);
}

TEST_CASE("a key that is missing is told at its table", "[config]") {
    check_each({
        {"title = \"Electronic patient record\"", "",
         "1:1: \"title\" is missing; expected a line of text"},
        {"data_age = \"15m\"", "",
         "6:1: \"data_age\" is missing in [objectives]; expected 1s to 366d, such as \"15m\" (s, "
         "m, h or d)"},
        {"path = \"/srv/epr/documents\"", "",
         "19:1: \"path\" is missing in [[source]] \"documents\"; expected an absolute path, "
         "without "
         ". or .. in it or a / at its end"},
        {"kind = \"files\"", "",
         "19:1: \"kind\" is missing in [[source]] \"documents\"; expected \"files\", \"postgres\", "
         "\"sqlite\", \"command\", \"image\" or \"landing\""},
        {"say = \"Is Pippin's server powered off, or its link unplugged?\"", "",
         "49:1: \"say\" is missing in [fence]; expected a sentence on one line"},
        {"[fence]\nkind = \"attested\"\nsay", "[plan.note]\nkind = \"x\"\nsay",
         "1:1: \"fence\" is missing; expected a table, [fence]\n"
         "systems/epr.toml:49:7: unknown key \"note\" in [plan]; expected runtime or hosts"},
    });
    CHECK(message_of("name='a'\ntitle='A'\n") ==
          "f:1:1: \"source\" is missing; expected at least one [[source]]");
}

TEST_CASE("a name that is used twice is told with the line of the first", "[config]") {
    check_each({
        {"\"documents\"", "\"database\"",
         "20:8: \"name\" is \"database\", which the one on line 10 has; each needs its own"},
        {"\"content equals\"", "\"allergies are there\"",
         "38:8: \"name\" is \"allergies are there\", which the one on line 30 has; each needs its "
         "own"},
        {"[\"Trumpton\"]", "[\"Trumpton\", \"Trumpton\"]",
         "28:22: \"Trumpton\" is twice in \"hosts\""},
        {"[fence]",
         "[[endpoint]]\nname = \"other\"\nsource = \"documents\"\nport = 1\n"
         "relay = \"127.0.0.1:15432\"\n[fence]",
         "53:9: \"relay\" is \"127.0.0.1:15432\", which the one on line 42 has; each needs its "
         "own"},
    });
    CHECK(message_of("name='a'\ntitle='A'\n[[source]]\nkind='files'\npath='/a'\n[[source]]\n"
                     "kind='files'\npath='/b'\n") ==
          "f:7:6: \"kind\" is \"files\", which the one on line 3 has; each needs its own");
}

TEST_CASE("a source that a check or an endpoint names must be there, and fit", "[config]") {
    check_each({
        {"source = \"database\"\nquery", "source = \"databse\"\nquery",
         "33:10: \"source\" is \"databse\"; there is no [[source]] of that name; did you mean "
         "\"database\"?"},
        {"source = \"database\"\nport", "source = \"pictures\"\nport",
         "44:10: \"source\" is \"pictures\"; there is no [[source]] of that name"},
        {"source = \"database\"\nquery", "source = \"documents\"\nquery",
         "33:10: \"source\" is \"documents\", of kind \"files\"; sql needs a source of kind "
         "\"postgres\""},
    });
}

TEST_CASE("text that is not TOML is told where it stops being so", "[config]") {
    check_each({
        {"title =", "name =",
         "2:8: this is not TOML: Error while parsing key-value pair: cannot redefine existing "
         "string 'name'"},
        {"one_file_system = true", "one_file_system =",
         "24:18: this is not TOML: Error while parsing key-value pair: expected value, saw '\\n'"},
    });
}

TEST_CASE("a table header that begins with no key is a mistake, not an end", "[config]") {
    CHECK(message_of("[=") ==
          "f:1:2: this is not TOML: Error while parsing key: expected bare key starting character "
          "or string delimiter, saw '='");
}

TEST_CASE("text without its quotes is told as that", "[config]") {
    check_each({
        {"kind = \"files\"", "kind = files", "21:9: text stands in quotes: kind = \"files\""},
        {"\"/srv/epr/documents\"", "/srv/epr", "22:8: text stands in quotes: path = \"/srv/epr\""},
        {"\"Pippin Hosting\"", "Pippin Hosting",
         "3:12: text stands in quotes: supplier = \"Pippin Hosting\""},
    });
}

TEST_CASE("what is not ASCII stands in quotes or comments", "[config]") {
    check_each({
        {"\"Pippin Hosting\"", "\u201cPippin Hosting\u201d",
         "3:12: this quote is curly; text stands in straight ones, \" or '"},
    });
    for (const char* bad :
         {"h\u00f4te = 1", "\u00e9 = 1", "a = 1\u00e9", "a = 1\"\u00e9", "\u00a0a = 1"}) {
        INFO(bad);
        CHECK(message_of(bad).find("f:1:") == 0);
    }
    for (const char* good :
         {"\"\u00e9\" # \u00e9", "'\u00e9'", "\"\"\"\\\n \u00e9\"\"\"", "'''\u00e9''\u00e9'''"}) {
        INFO(good);
        CHECK(
            parse_system("name = 'a'\ntitle = 'A'\nsource = [{kind = 'postgres', host = 'h'}]\n"
                         "[[check]]\nname = 'c'\nkind = 'sql'\nsource = 'postgres'\nquery = 'q'\n"
                         "expect = " +
                             std::string(good),
                         "f"));
    }
    CHECK(parse_system("\xef\xbb\xbf" + epr_text, "f"));
    CHECK(message_of("a = '\xff'") ==
          "f:1:5: this is not TOML: Encountered invalid utf-8 sequence");
}

TEST_CASE("several mistakes are told at once, in the file's order", "[config]") {
    std::string text = with(epr_text, "say =", "sya =");
    text = with(text, "port = 5433", "port = 70000");
    text = with(text, "title =", "titel =");
    CHECK(message_of(text) ==
          "f:2:1: unknown key \"titel\"; did you mean \"title\"?\n"
          "f:14:8: \"port\" is 70000; expected a whole number, 1 to 65535\n"
          "f:51:1: unknown key \"sya\"; did you mean \"say\"?");
}

TEST_CASE("ten mistakes are told and the others counted", "[config]") {
    std::string text = epr_text;
    for (int i = 0; i < 15; ++i) text += "unknown-" + std::to_string(i) + " = 1\n";
    const std::string told = message_of(text);
    CHECK(std::count(told.begin(), told.end(), '\n') == config::mistakes_max);
    CHECK(told.find("unknown-9\"") != std::string::npos);
    CHECK(told.find("unknown-10") == std::string::npos);
    CHECK(told.substr(told.rfind('\n')) == "\nand 5 more mistakes");
}

TEST_CASE("what is over a limit is refused", "[config]") {
    const std::string source = "[[source]]\nkind='files'\npath='/srv'\n";
    CHECK(message_of("name='a'\ntitle='A'\n" + repeated(source, 33)) ==
          "f:3:1: \"source\" is there 33 times; at most 32 are allowed");
    CHECK(message_of(with(epr_text, "\"Switchboard 01234 567890\"", repeated("'x',", 21))) ==
          "f:4:12: \"contacts\" has 21 items; expected 0 to 20");
    CHECK(message_of(with(epr_text, "Pippin Hosting", std::string(201, 'x'))) ==
          "f:3:12: \"supplier\" is \"" + std::string(60, 'x') +
              "...\"; that is 201 bytes long; at most 200 are allowed");
    CHECK(message_of(std::string(system_file_bytes_max + 1, '#')) ==
          "f:1:1: 131073 bytes; settings like these are 131072 at most");
    CHECK(parse_system(
        epr_text + "#" + std::string(system_file_bytes_max - epr_text.size() - 1, 'x'), "f"));
}

TEST_CASE("settings that nest without end are refused", "[config]") {
    CHECK(message_of("a" + repeated(".a", 4'001) + " = 1") ==
          "f:1:1: more than 4000 dots; no settings have that");
    CHECK(message_of("a" + repeated(".a", 4'000) + " = 1").find("nested too deep") !=
          std::string::npos);
    CHECK(message_of("a = " + repeated("[", 100'000)).find("f:1:") == 0);
}
