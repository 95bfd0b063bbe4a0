// prepare: makes a restored or mounted copy of a cluster start sealed and safe.
//
// A copy believes that it is its source. Started as it is, it would archive its log into the
// source's archive, follow the source's primary, take over the source's logical subscriptions (and
// so lose the source's data), wait for synchronous standbys that are not there, and listen where
// the source listens. What is answered here are arguments, which beat every settings file in the
// copy, ALTER SYSTEM's included; files are touched only where PostgreSQL looks at nothing else.
//
// What is left to the caller: shared_preload_libraries are not loaded unless named in
// `preload_libraries`, since they run code of the source's choosing; the network namespace.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::agent::postgres {

constexpr std::size_t socket_path_bytes_max = 107;

enum class StartAs {
    Writable,  // Recovers, then opens a new timeline's life of its own.
    ReadOnly,  // A hot standby without a primary: readable, never written by clients.
};

struct StartSettings {
    StartAs as = StartAs::Writable;
    std::uint16_t port = 0;
    std::string listen_addresses;  // As PostgreSQL's setting; empty: the socket only.
    std::string socket_dir;        // Empty: "run" is made inside the data folder.
    /// true: own postgresql.conf and pg_hba.conf, which let in only this machine's user that runs
    /// the server, by the socket. false: those of the copy, where they are in it (else own ones).
    bool own_settings = true;
    std::string preload_libraries;
    /// Where a streamed log lies that is to be brought in first (recovery.h); empty: none.
    std::string log_folder;
    std::string shared_buffers = "128MB";  // The source's value may be more than the host has.
    /// PostgresFacts::settings: a standby refuses to start with less than its source had.
    std::vector<std::pair<std::string, std::string>> source_settings;
};

/// Removes what belongs to the source's running server, sets modes to 0700, writes own settings
/// files where needed, and answers the arguments to start `postgres` with, from "-D" on.
/// Again for the same folder gives the same. `data_dir` must be absolute and owned by whoever will
/// run the server; call as root or as them.
/// Errors: Invalid (no data folder of PostgreSQL 13 to 17, a port of 0, a socket path over the
/// limit), Denied, Full, Io.
Result<std::vector<std::string>> prepare_restored_cluster(const std::string& data_dir,
                                                          const StartSettings& settings);

}  // namespace holdfast::agent::postgres
