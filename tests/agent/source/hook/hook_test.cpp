#include "agent/source/hook/hook.h"

#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent::hook;
using test::ScratchFolder;

namespace {

constexpr std::string_view keys[] = {"path", "checkpoint"};

/// Two programs in a folder that note what they are told.
struct Programs {
    ScratchFolder scratch;

    std::vector<std::string> program(const std::string& name, const std::string& script) const {
        scratch.file(name, "#!/bin/sh\n" + script);
        std::filesystem::permissions(scratch / name, std::filesystem::perms(0755));
        return {scratch / name};
    }
    HookSettings settings(const std::string& begin, const std::string& end = "exit 0") const {
        const std::string note = "env | grep ^HOLDFAST_ | sort >> " + (scratch / "told") + "\n";
        return {program("begin", "echo begin >> " + (scratch / "told") + "\n" + note + begin),
                program("end", "echo end >> " + (scratch / "told") + "\n" + note + end), 20'000};
    }
    std::string told() const {
        const auto text = read_file(scratch / "told", 1 << 16);
        return text ? std::string(as_text(*text)) : std::string();
    }
};

const Subject subject{"pacs", "disk", "c1"};

}  // namespace

TEST_CASE("a hook is told what is read, and tells where", "[source][hook]") {
    Programs p;
    {
        auto hook =
            Hook::begin(p.settings("echo path /dev/x y\necho checkpoint c2"), subject, keys);
        REQUIRE(hook);
        CHECK(hook->answer("path") == "/dev/x y");
        CHECK(hook->answer("checkpoint") == "c2");
        CHECK(p.told() ==
              "begin\nHOLDFAST_PREVIOUS=c1\nHOLDFAST_SOURCE=disk\nHOLDFAST_SYSTEM=pacs\n");
        CHECK(hook->end(true));
    }
    CHECK_THAT(p.told(), Catch::EndsWith("end\nHOLDFAST_CHECKPOINT=c2\nHOLDFAST_OUTCOME=read\n"
                                         "HOLDFAST_PREVIOUS=c1\nHOLDFAST_SOURCE=disk\n"
                                         "HOLDFAST_SYSTEM=pacs\n"));
}

TEST_CASE("end runs once, whatever becomes of the reading", "[source][hook]") {
    Programs p;
    { REQUIRE(Hook::begin(p.settings("echo path /p"), subject, keys)); }
    const std::string told = p.told();
    CHECK_THAT(told, Catch::Contains("HOLDFAST_OUTCOME=failed"));
    CHECK(told.find("end\n") == told.rfind("end\n"));
}

TEST_CASE("a begin that fails or answers nonsense is told, and undone", "[source][hook]") {
    struct Row {
        std::string begin;
        Errc code;
        std::string said;
    };
    const Row rows[] = {
        {"echo no such volume >&2; exit 3", Errc::Io, "ended with 3: no such volume"},
        {"echo pth /x", Errc::Invalid, "answered \"pth\"; expected"},
        {"echo path", Errc::Invalid, "with no value"},
        {"echo path /a; echo path /b", Errc::Invalid, "twice"},
        {"kill -9 $$", Errc::Io, "ended with 137"},
    };
    for (const Row& row : rows) {
        INFO(row.begin);
        Programs p;
        const auto hook = Hook::begin(p.settings(row.begin), subject, keys);
        REQUIRE_FALSE(hook);
        CHECK(hook.error().code == row.code);
        CHECK_THAT(hook.error().message, Catch::Contains(row.said));
        CHECK_THAT(p.told(), Catch::Contains("HOLDFAST_OUTCOME=failed"));
    }
}

TEST_CASE("a hook that hangs is killed, and one that is missing is named", "[source][hook]") {
    Programs p;
    HookSettings hangs = p.settings("read x < " + (p.scratch / "pipe"));
    REQUIRE(test::run_program({"mkfifo", p.scratch / "pipe"}));
    hangs.timeout_ms = 300;
    CHECK(Hook::begin(hangs, subject, keys).error().code == Errc::Unreachable);
    HookSettings missing = p.settings("exit 0");
    missing.begin = {p.scratch / "nothing"};
    CHECK(Hook::begin(missing, subject, keys).error().code == Errc::NotFound);
}

TEST_CASE("an end that fails is told", "[source][hook]") {
    Programs p;
    auto hook = Hook::begin(p.settings("exit 0", "echo still busy >&2; exit 1"), subject, keys);
    REQUIRE(hook);
    const auto ended = hook->end(true);
    REQUIRE_FALSE(ended);
    CHECK_THAT(ended.error().message, Catch::Contains("still busy"));
}
