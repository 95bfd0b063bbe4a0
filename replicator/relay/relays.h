// Relays: the owner's side. Listens where the relay list says, and carries every connection through
// the pinned link to the partner that runs the system.
//
// The list is looked at every second; what is gone from it, or leads elsewhere, is closed with all
// its connections. An address that cannot be had is tried again as often. A partner that cannot be
// reached costs the client its connection, and the reason is told. Thread rule: the loop thread.
#pragma once

#include "replicator/loop/timer.h"
#include "replicator/peer/peer_api.h"
#include "replicator/relay/relay_list.h"
#include "replicator/relay/splice.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t relay_connections_max = 500;  // Of all relays together.
constexpr std::uint64_t relay_look_every_ms = 1000;

/// What a relay does now.
struct RelayInfo {
    Relay relay;
    std::string partner_name;
    bool listening = false;
    std::string problem;     // Why it does not listen; empty if it does.
    std::uint64_t open = 0;  // Connections.
    std::uint64_t carried = 0;
    std::string last_error;  // Of a connection; empty: none yet.
    std::int64_t last_error_ms = 0;
};

class Relays {
public:
    /// `dialer` outlives it. Errors: Io.
    static Result<std::unique_ptr<Relays>> make(const Core& core, TunnelDialer& dialer,
                                                std::string file);
    /// Cuts all connections.
    ~Relays();
    Relays(const Relays&) = delete;
    Relays& operator=(const Relays&) = delete;

    std::vector<RelayInfo> all() const;
    /// Why the list cannot be read; the relays before go on. Empty: it can.
    const std::string& problem() const { return problem_; }

private:
    struct Leading {
        std::optional<TcpListener> listener;
        RelayInfo info;
    };
    struct Connection {
        Connection(Relay relay, TcpStream client)
            : of(std::move(relay)), splice(std::move(client)) {}
        Relay of;
        Splice splice;
    };

    Relays(const Core& core, TunnelDialer& dialer, std::string file);

    void look();
    Result<void> read();
    void take(const std::vector<Relay>& wanted);
    void listen(Leading& leading);
    void accept(const Relay& relay, TcpStream client);
    Result<HttpPeer> peer_for(const Relay& relay) const;
    void opened(std::uint64_t id, Result<Tunnel> tunnel);
    void over(std::uint64_t id, const Result<void>& why);
    void note(const Relay& relay, const Error& error);

    Core core_;
    TunnelDialer* dialer_;
    std::string file_;
    std::string seen_;  // The list as it was read last.
    std::string problem_;
    std::map<Relay, Leading> leading_;
    std::map<std::uint64_t, Connection> connections_;
    std::uint64_t next_id_ = 1;
    std::optional<Timer> timer_;
    std::shared_ptr<Relays*> self_;  // Shared with dials, which may end when we are gone.
};

}  // namespace holdfast::replicator
