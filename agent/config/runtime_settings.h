// RuntimeSettings: runtimes/NAME.toml, how the node that executes starts a system. Commands exist
// here only, and here only root can write: no API, partner or console makes one.
//
//     name = "postgres"                     # equals the file's name
//     kind = "command"
//     user = "postgres"                     # who runs it; never root
//     source = "database"                   # the source it serves
//     start = ["/usr/lib/postgresql/15/bin/postgres", "-D", "{mount}/database", "-p", "{port}"]
//     ready = ["/usr/lib/postgresql/15/bin/pg_isready", "-h", "{address}", "-p", "{port}"]
//     stop_signal = "INT"                   # "TERM"
//     stop_seconds = 30                     # 30
//     [commands]                            # the check commands that plans may name; optional
//     prove = ["/usr/bin/holdfast-demo-epr", "prove"]
//
// Placeholders: arguments.h.
#pragma once

#include "agent/config/arguments.h"
#include "agent/config/home.h"

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {

constexpr std::size_t runtime_file_bytes_max = 65'536;
constexpr std::size_t runtimes_max = 1'000;
constexpr std::size_t commands_max = 50;
constexpr int stop_seconds_max = 3'600;

struct RuntimeSettings {
    std::string name;
    std::string user;
    std::string source;
    Arguments start;
    Arguments ready;
    int stop_signal = 15;
    int stop_seconds = 30;
    std::map<std::string, Arguments> commands;

    friend bool operator==(const RuntimeSettings&, const RuntimeSettings&) = default;
};

/// `file` is told in messages. Errors: Invalid (every mistake with its place).
Result<RuntimeSettings> parse_runtime(const std::string& text, const std::string& file);

/// Reads runtimes/NAME.toml. When this process is root's, the file and its folder must be root's
/// and writable by nobody else. Errors: NotFound, Invalid, Denied (who else could write; the
/// command that mends it), Io.
Result<RuntimeSettings> load_runtime(const Home& home, const std::string& name);

/// The names, sorted. Errors: as list_systems().
Result<std::vector<std::string>> list_runtimes(const Home& home);

/// The start command. Where it does not name {postgres_options}, they come last: pass none for a
/// source that is not PostgreSQL. Errors: as expand().
Result<Arguments> expand_start(const RuntimeSettings& runtime, const PlaceholderValues& values);

}  // namespace holdfast::agent
