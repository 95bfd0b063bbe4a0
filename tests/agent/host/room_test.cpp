#include "agent/host/room.h"
#include "agent/host/door.h"
#include "agent/host/user.h"
#include "agent/process/supervised.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::ScratchFolder;

namespace {

bool able() {
    ::setenv("HOLDFAST_PROGRAMS", HF_PROGRAMS, 1);
    std::signal(SIGPIPE, SIG_IGN);
    if (::geteuid() != 0) std::puts("skipped: rooms need root");
    return ::geteuid() == 0;
}

class TestRoom {
public:
    explicit TestRoom(Arguments start) {
        ::chmod(scratch_.path().c_str(), 0755);
        order.name = "room-test";
        order.user = "nobody";
        order.start = std::move(start);
        order.stop_seconds = 3;
        const auto user = find_user("nobody");
        REQUIRE(user);
        REQUIRE(make_private_folder(shared(), *user));
        order.writable = {shared()};
        REQUIRE(make_folders(folder()));
    }
    ~TestRoom() { (void)close_room(folder(), 1); }

    std::string folder() const { return scratch_.path() + "/state"; }
    std::string shared() const { return scratch_.path() + "/shared"; }
    std::string path() const { return scratch_.path(); }
    void open() {
        const auto opened = open_room(folder(), order);
        INFO((opened ? "" : opened.error().message));
        REQUIRE(opened);
    }
    CommandResult run(const Arguments& command) {
        const auto result = run_in_room(folder(), "nobody", command, 20'000);
        INFO((result ? "" : result.error().message));
        REQUIRE(result);
        return *result;
    }
    std::string shell(const std::string& script) {
        return run({"/bin/sh", "-c", script + " 2>&1"}).output;
    }

    RoomOrder order;

private:
    ScratchFolder scratch_;
};

}  // namespace

TEST_CASE("a room has a loopback, its folders, and nothing else", "[host]") {
    if (!able()) return;
    TestRoom room({"/usr/bin/sleep", "infinity"});
    REQUIRE(write_file_durably(room.path() + "/secret", as_view("s"), 0644));
    room.open();
    CHECK(*is_room_open(room.folder()));
    CHECK(room.shell("cat /proc/net/dev | grep -c :") == "1\n");
    CHECK(room.shell("hostname") == "room-test\n");
    CHECK(room.shell("id -un") == "nobody\n");
    CHECK(room.shell("echo kept > " + room.shared() + "/file && cat " + room.shared() + "/file") ==
          "kept\n");
    CHECK(path_exists(room.shared() + "/file"));
    CHECK(room.run({"/usr/bin/test", "-e", room.path() + "/secret"}).status == 1);
    CHECK(room.run({"/usr/bin/touch", "/usr/in-the-way"}).status != 0);
    CHECK(room.run({"/usr/bin/touch", "/in-the-way"}).status != 0);
    CHECK(room.run({"/usr/bin/test", "-e", "/run/systemd"}).status == 1);
    // Its processes are its own: the first one is ours, and few there are.
    CHECK(room.shell("ls -d /proc/[0-9]* | wc -l") < "9");
    CHECK(room.shell("grep NoNewPrivs /proc/self/status").find("1") != std::string::npos);
    CHECK(room.shell("grep CapEff /proc/self/status").find("0000000000000000") !=
          std::string::npos);
    CHECK(room.shell("grep CapBnd /proc/self/status").find("0000000000000000") !=
          std::string::npos);
    REQUIRE(close_room(room.folder(), 3));
    CHECK_FALSE(*is_room_open(room.folder()));
}

TEST_CASE("a room ends with its runtime, and says how", "[host]") {
    if (!able()) return;
    TestRoom room({"/bin/sh", "-c", "echo last words >&2; exit 7"});
    (void)open_room(room.folder(), room.order);  // It may be over before it is ready.
    CHECK(*wait_for_end({room.folder(), "room"}, 20'000));
    CHECK_FALSE(*is_room_open(room.folder()));
    CHECK(room_log(room.folder()).find("last words") != std::string::npos);
    CHECK(room_log(room.folder()).find("status 7") != std::string::npos);
}

TEST_CASE("a program that is not there is an error", "[host]") {
    if (!able()) return;
    TestRoom room({"/usr/bin/no-such-program"});
    const auto opened = open_room(room.folder(), room.order);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find("no-such-program") != std::string::npos);
    CHECK_FALSE(*is_room_open(room.folder()));
}

TEST_CASE("a runtime that does not listen to its stop signal is killed", "[host]") {
    if (!able()) return;
    TestRoom room({"/bin/sh", "-c", "trap '' TERM; while true; do sleep 1; done"});
    room.order.stop_seconds = 1;
    room.open();
    REQUIRE(close_room(room.folder(), 1));
    CHECK_FALSE(*is_room_open(room.folder()));
}

TEST_CASE("there is one room in a folder", "[host]") {
    if (!able()) return;
    TestRoom room({"/usr/bin/sleep", "infinity"});
    room.open();
    const auto again = open_room(room.folder(), room.order);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::Conflict);
}

TEST_CASE("a door carries bytes both ways, and half-closed", "[host]") {
    if (!able()) return;
    // Answers with all that it was sent, once that has ended.
    TestRoom room({});
    const std::string ready = room.shared() + "/ready";
    room.order.start = {"/usr/bin/python3", "-c",
                        "import socket, sys\n"
                        "s = socket.create_server(('127.0.0.1', 8099))\n"
                        "open(sys.argv[1], 'w').close()\n"
                        "while True:\n"
                        "    c, _ = s.accept()\n"
                        "    all = b''\n"
                        "    while piece := c.recv(65536): all += piece\n"
                        "    c.sendall(all[::-1])\n"
                        "    c.close()\n",
                        ready};
    REQUIRE(::mkfifo(ready.c_str(), 0600) == 0);
    REQUIRE(::chmod(ready.c_str(), 0666) == 0);
    room.open();
    CHECK(room.run({"/bin/cat", ready}).ok());  // Until python listens.
    const auto port = open_door(room.folder(), "echo", {"127.0.0.1", 0, 8099});
    INFO((port ? "" : port.error().message));
    REQUIRE(port);
    CHECK(*open_door(room.folder(), "echo", {"127.0.0.1", 0, 8099}) == *port);

    const std::string sent = holdfast::test::random_bytes(3'000'000, 5);
    std::string got;
    const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(*port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(write_all(socket, as_view(sent), "the door"));
    ::shutdown(socket.get(), SHUT_WR);
    std::string piece(65536, 0);
    for (ssize_t n = 0; (n = ::read(socket.get(), piece.data(), piece.size())) > 0;) {
        got.append(piece.data(), static_cast<std::size_t>(n));
    }
    CHECK(got == std::string(sent.rbegin(), sent.rend()));
    REQUIRE(close_door(room.folder(), "echo"));
    CHECK_FALSE(*is_door_open(room.folder(), "echo"));
}
