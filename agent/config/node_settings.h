// NodeSettings: node.toml, written by init, edited by admins.
//
//     trust = "<64 hexadecimal digits>"     # the trust's id
//     name = "camberwick-1"
//     [peer]                                # optional: without it no partner can call
//     listen = "0.0.0.0:8420"
//     address = "192.0.2.10:8420"           # what partners dial, given in invitations; optional
//     after_snapshot = false                # optional: bring snapshots only every five minutes
//     [console]                             # optional: without it there is no console
//     listen = "127.0.0.1:8443"
#pragma once

#include "agent/config/home.h"
#include "vault/base/units.h"

#include <optional>
#include <string>

namespace holdfast::agent {

constexpr std::size_t node_file_bytes_max = 16'384;

struct PeerSettings {
    std::string listen;          // "ADDRESS:PORT".
    std::string address;         // "HOST:PORT", or empty.
    bool after_snapshot = true;  // A new snapshot is brought to partners at once.
    friend bool operator==(const PeerSettings&, const PeerSettings&) = default;
};

struct ConsoleSettings {
    std::string listen;
    friend bool operator==(const ConsoleSettings&, const ConsoleSettings&) = default;
};

struct NodeSettings {
    TrustId trust;
    std::string name;
    std::optional<PeerSettings> peer;
    std::optional<ConsoleSettings> console;

    friend bool operator==(const NodeSettings&, const NodeSettings&) = default;
};

/// `file` is told in messages. Errors: Invalid (every mistake with its place).
Result<NodeSettings> parse_node(const std::string& text, const std::string& file);

/// Errors: NotFound (the node is not set up), Invalid, Io.
Result<NodeSettings> load_node(const Home& home);

/// Writes node.toml; it is read back first, so what is written loads.
/// Errors: Invalid (a value that is no setting), Conflict (it is there already), Full, Io.
Result<void> write_node(const Home& home, const NodeSettings& settings);

}  // namespace holdfast::agent
