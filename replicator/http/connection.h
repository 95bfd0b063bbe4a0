// Connection: one client's socket, between libwebsockets' callbacks and our exchanges.
//
// libwebsockets has three habits that shape this class (4.1.6):
// - while reading is flow-controlled, an HTTP connection gets no writeable callback either, and a
//   requested one makes the loop spin; so reading is switched on before each write;
// - while a request is being answered, incoming bytes (or the end of the stream) are neither read
//   nor ignored, and again the loop spins; so reading is switched off whenever we only wait;
// - its own timers and "kill" requests are not noticed when made from outside its callbacks.
// A connection that only waits is therefore watched by a poll handle of ours, on a duplicate of the
// descriptor: for the client's leaving, and, when the socket is full, for room.
#pragma once

#include "replicator/http/exchange_core.h"
#include "replicator/http/tunnel_core.h"
#include "replicator/loop/uv_handle.h"
#include "vault/base/file.h"

#include <libwebsockets.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::replicator {

class Listener;

struct PeerAddress {
    std::string remote;
    std::optional<std::uint32_t> uid;
};

class Connection final : public Wire {
public:
    Connection(Listener& listener, PeerAddress peer);
    ~Connection() override;

    /// libwebsockets' callback. Nonzero: close.
    int on_event(lws& wsi, lws_callback_reasons reason, void* in, std::size_t length);
    /// The server goes: nothing may reach a handler any more.
    void orphan();

    void poke() override;
    void cut() override;

private:
    enum class Mode { Reading, Writing, Blocked, Waiting };

    int on_request(lws& wsi);
    int on_body(View piece);
    int on_body_end();
    int on_writable();
    int on_upgrade(lws& wsi, std::string_view protocol);
    int refuse_upgrade(lws& wsi, const HttpResponse& response);
    void on_closed();

    bool count_in(const HttpRequest& request);
    void fill_peer(lws& wsi, HttpRequest& request);
    int write_some();
    int complete();
    void settle();
    void enter(Mode mode);
    void watch(int events);
    bool over_skipping(std::size_t bytes);

    Listener* listener_;
    PeerAddress peer_;
    std::optional<KeyHash> peer_key_;
    std::string counted_as_;
    lws* wsi_ = nullptr;
    Fd watched_;
    UvHandle<uv_poll_t> watch_;
    std::shared_ptr<Exchange> exchange_;  // See exchange_core.h.
    std::shared_ptr<TunnelCore> tunnel_;  // See tunnel_core.h.
    Mode mode_ = Mode::Reading;
    bool inside_ = false;   // A callback runs: settle() comes at its end.
    bool blocked_ = false;  // The socket was full at the last write.
    bool cut_ = false;
    std::uint64_t skipped_ = 0;
};

}  // namespace holdfast::replicator
