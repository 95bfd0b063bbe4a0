// holdfast-host: what happens in and around a room, each by a process of its own.
//
//     room   < order                                         open_room()
//     enter  INIT USER COMMAND...                            run_in_room()
//     sql    INIT USER SOCKET_DIR PORT DATABASE MS < query   ask_in_room()
//     door   INIT ADDRESS PORT ROOM_PORT PORT_FILE           open_door()
//
// For the agent, not for people: arguments are taken as they are.
#include "agent/host/program/door_process.h"
#include "agent/host/program/room_process.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>

namespace holdfast::agent {
namespace {

template <class Number>
Number number(const std::string& text) {
    Number out{};
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

Result<int> run(const std::vector<std::string>& words) {
    const std::size_t count = words.size();
    if (count == 1 && words[0] == "room") return run_room();
    const pid_t init = count > 1 ? number<pid_t>(words[1]) : 0;
    if (init > 1 && count > 3 && words[0] == "enter") {
        return enter_room(init, words[2], {words.begin() + 3, words.end()});
    }
    if (init > 1 && count == 7 && words[0] == "sql") {
        return ask_server(init, {words[2], words[3], number<std::uint16_t>(words[4]), words[5], "",
                                 number<int>(words[6])});
    }
    if (init > 1 && count == 6 && words[0] == "door") {
        return run_door(
            init, {words[2], number<std::uint16_t>(words[3]), number<std::uint16_t>(words[4])},
            words[5]);
    }
    return Error{Errc::Invalid, "holdfast-host is started by the agent; see holdfast(1)"};
}

}  // namespace
}  // namespace holdfast::agent

// Ends without exit handlers: whoever has joined a room is not in the /proc that it sees there, and
// what looks itself up at exit (a leak checker) waits for ever.
int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const auto status = holdfast::agent::run({argv + 1, argv + argc});
    if (!status) {
        const std::string& why = status.error().message;
        std::fprintf(stderr, "%s\n", why.c_str());
        std::printf("failed: %s\n", why.substr(0, why.find('\n')).c_str());
    }
    std::fflush(stdout);
    std::fflush(stderr);
    ::_exit(status ? *status : 1);
}
