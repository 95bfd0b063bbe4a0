// Room: where a started system lives, sealed: network, mounts, processes, IPC and host name of its
// own, and where the kernel allows it its users too.
//
// What is in it: the system folders of this machine, read-only; /tmp, /run and /dev of its own; the
// folders that its order names, at their usual paths, writable; the programs that its order names;
// a loopback. What is not: everything else. Nothing in it runs as root or can become root, and no
// socket of it, whether network or path, leads out. A door (door.h) leads in, when one is opened.
//
//     FOLDER/room.*      the process (agent/process/supervised.h); it is parent of all in the room
//     FOLDER/room.init   the pid of the room's first process, as this machine counts
//     FOLDER/root/       an empty folder, on which the room's root is built out of sight
//
// The room outlives the agent. It ends with the runtime, and the runtime ends with it.
#pragma once

#include "agent/config/arguments.h"
#include "agent/process/command.h"

#include <string>
#include <vector>

namespace holdfast::agent {

struct RoomOrder {
    std::string name;                   // The host name in it.
    std::string user;                   // Who runs all in it; not root.
    std::vector<std::string> writable;  // Folders, by their whole paths.
    std::vector<std::string> programs;  // Files that lie in no system folder.
    Arguments start;
    int stop_signal = 15;
    int stop_seconds = 30;
};

/// Opens the room and starts its runtime. Errors: Conflict (there is one), Invalid (the user),
/// Denied (no right to make namespaces), NotFound (a program or folder), Io.
Result<void> open_room(const std::string& folder, const RoomOrder& order);

/// Errors: Io.
Result<bool> is_room_open(const std::string& folder);

/// Sends the runtime its stop signal, after stop_seconds SIGKILL; returns when nothing of the room
/// is left. Errors: Io.
Result<void> close_room(const std::string& folder, int stop_seconds);

/// The end of what the runtime said.
std::string room_log(const std::string& folder);

/// Runs a command in the room as its user. Errors: NotFound (no room; no such program), and those
/// of run_command().
Result<CommandResult> run_in_room(const std::string& folder, const std::string& user,
                                  const Arguments& command, int ms_max);

/// A query to the PostgreSQL in the room.
struct RoomQuery {
    std::string user;        // Of the room, and the role.
    std::string socket_dir;  // As in the room.
    std::uint16_t port = 0;
    std::string database;
    std::string query;
    int ms_max = 60'000;
};

/// The answer as text: cells parted by '|', rows by newlines. The transaction is read-only.
/// Errors: NotFound (no room), Invalid (the server's own words about the query), Unreachable.
Result<std::string> ask_in_room(const std::string& folder, const RoomQuery& query);

/// The folders that every room has, read-only.
bool in_system_folder(const std::string& path);

Buffer encode_room(const RoomOrder& order, const std::string& folder);
struct ParsedRoom {
    RoomOrder order;
    std::string folder;
};
/// Errors: Corrupt.
Result<ParsedRoom> parse_room(View bytes);

}  // namespace holdfast::agent
