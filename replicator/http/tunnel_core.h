// TunnelCore: one end of a tunnel between its WebSocket and its user. Both sides of the network use
// it: the server's Connection and the dialer's.
#pragma once

#include "replicator/http/tunnel.h"

#include <libwebsockets.h>

#include <deque>

namespace holdfast::replicator {

constexpr const char* tunnel_protocol = "holdfast-relay";
constexpr unsigned tunnel_service_bytes = 64 * 1024;  // What libwebsockets moves at once.

class TunnelCore {
public:
    // For the user's handle.
    bool write(Buffer bytes);
    void end();
    void set_paused(bool paused);
    void let_go();

    Callback<void(View)> on_data;
    Callback<void()> on_end;
    Callback<void()> on_room;
    Callback<void(Result<void>)> on_closed;
    void wake();

    // For the connection. An int other than 0 means: close.
    void attach(lws& wsi);
    int receive(lws& wsi, View piece);
    int writable(lws& wsi);
    /// The connection is gone; calls on_closed.
    void detach(std::string_view why);
    /// The same without a word: the user never got it.
    void forget();

private:
    void deliver();
    int send_some(lws& wsi);
    void ask_for_room();
    bool over() const;

    lws* wsi_ = nullptr;
    std::deque<Buffer> queue_;
    std::size_t queue_bytes_ = 0;
    std::size_t front_used_ = 0;
    Buffer stash_;         // Received while paused: at most one piece of libwebsockets' buffer.
    std::string message_;  // A text message in progress.
    bool paused_ = false;
    bool refused_ = false;
    bool ending_ = false;  // end() was called.
    bool end_sent_ = false;
    bool peer_ended_ = false;
    bool end_told_ = false;
    bool seen_sent_ = false;      // We told the peer that its end has reached our user,
    bool seen_received_ = false;  // and the peer told us.
    bool let_go_ = false;
    bool closed_ = false;
};

}  // namespace holdfast::replicator
