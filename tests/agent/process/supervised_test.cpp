#include "agent/process/supervised.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <string>
#include <thread>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::ScratchFolder;

namespace {

constexpr int deadline_ms = 20'000;

ProcessOrder shell(const std::string& script) {
    return {{"/bin/sh", "-c", script}, {}};
}

const char* const stays = "echo ready; exec sleep 1000 >&-";

}  // namespace

TEST_CASE("a process is found by its place until it has ended", "[process]") {
    const ScratchFolder scratch;
    const ProcessPlace place{scratch.path(), "one"};
    CHECK_FALSE(find_process(place)->has_value());
    const auto pid = start_process(place, shell(stays));
    REQUIRE(pid);
    CHECK(*find_process(place) == *pid);
    const auto twin = start_process(place, shell(stays));
    REQUIRE_FALSE(twin);
    CHECK(twin.error().code == Errc::Conflict);
    REQUIRE(end_process(place, SIGTERM, deadline_ms));
    CHECK_FALSE(find_process(place)->has_value());
    CHECK(end_process(place, SIGTERM, deadline_ms));
}

TEST_CASE("a process that does not answer ready is told, and gone", "[process]") {
    const ScratchFolder scratch;
    const ProcessPlace place{scratch.path(), "one"};
    const auto failed = start_process(place, shell("echo failed: no disk; exec sleep 1000 >&-"));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("no disk") != std::string::npos);
    CHECK_FALSE(find_process(place)->has_value());

    const auto ended = start_process(place, shell("echo out of memory >&2"));
    REQUIRE_FALSE(ended);
    CHECK(ended.error().message.find("out of memory") != std::string::npos);

    ProcessOrder silent = shell("exec sleep 1000");
    silent.answer_ms_max = 50;
    const auto late = start_process(place, silent);
    REQUIRE_FALSE(late);
    CHECK(late.error().code == Errc::Unreachable);
    CHECK_FALSE(find_process(place)->has_value());

    const auto missing = start_process(place, {{"/nowhere/program"}, {}});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Errc::NotFound);
}

TEST_CASE("one that ignores SIGTERM is killed", "[process]") {
    const ScratchFolder scratch;
    const ProcessPlace place{scratch.path(), "one"};
    REQUIRE(start_process(place, shell("trap '' TERM; echo ready; exec sleep 1000 >&-")));
    REQUIRE(end_process(place, SIGTERM, 50));
    CHECK_FALSE(find_process(place)->has_value());
}

TEST_CASE("a process has not ended before what it left behind has", "[process]") {
    const ScratchFolder scratch;
    const ProcessPlace place{scratch.path(), "one"};
    const std::string pipe = scratch.path() + "/pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    REQUIRE(start_process(place, shell("(read -r line <" + pipe + ") & echo ready")));
    CHECK_FALSE(*wait_for_end(place, 50));
    const auto writer = open_file(pipe, O_WRONLY);
    REQUIRE(writer);
    REQUIRE(write_all(*writer, as_view("go\n"), pipe));
    CHECK(*wait_for_end(place, deadline_ms));
}

TEST_CASE("ending a process never waits for, nor ends, a successor that somebody starts meanwhile",
          "[process]") {
    const ScratchFolder scratch;
    const ProcessPlace place{scratch.path(), "one"};
    for (int round = 0; round < 20; ++round) {
        const auto first = start_process(place, shell(stays));
        REQUIRE(first);
        Result<pid_t> second = Error{Errc::Conflict, "not yet"};
        std::thread starter([&] {
            while (!second && second.error().code == Errc::Conflict) {
                second = start_process(place, shell(stays));
            }
        });
        const auto ended = end_process(place, SIGTERM, 200);
        starter.join();
        INFO((ended ? "" : ended.error().message));
        REQUIRE(ended);
        REQUIRE(second);
        CHECK(*find_process(place) == *second);
        REQUIRE(end_process(place, SIGKILL, deadline_ms));
    }
}
