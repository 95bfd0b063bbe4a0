#include "replicator/relay/relays.h"

#include "replicator/peer/peer_end.h"
#include "vault/base/file.h"

#include <algorithm>
#include <cstdio>

namespace holdfast::replicator {
namespace {

void log(const Relay& relay, const std::string& what) {
    std::fprintf(stderr, "holdfast-replicator: relay %s, %s of %s: %s\n", relay.listen.c_str(),
                 relay.endpoint.c_str(), relay.system.c_str(), what.c_str());
}

/// A refused upgrade, in words that help.
Error named(const Relay& relay, const Error& error) {
    if (error.code == Errc::NotFound) {
        return {error.code, relay.system + " does not run there, or its endpoint " +
                                relay.endpoint + " is not open"};
    }
    if (error.code == Errc::Denied) {
        return {error.code, "the partner does not let us in: " + error.message};
    }
    return error;
}

}  // namespace

Relays::Relays(const Core& core, TunnelDialer& dialer, std::string file)
    : core_(core),
      dialer_(&dialer),
      file_(std::move(file)),
      self_(std::make_shared<Relays*>(this)) {}

Relays::~Relays() {
    *self_ = nullptr;
}

Result<std::unique_ptr<Relays>> Relays::make(const Core& core, TunnelDialer& dialer,
                                             std::string file) {
    std::unique_ptr<Relays> relays(new Relays(core, dialer, std::move(file)));
    relays->timer_ = HF_TRY(Timer::make(core.loop));
    relays->timer_->every(relay_look_every_ms, [own = relays.get()] { own->look(); });
    relays->look();
    return relays;
}

std::vector<RelayInfo> Relays::all() const {
    std::vector<RelayInfo> out;
    for (const auto& [relay, leading] : leading_) {
        out.push_back(leading.info);
        const Partner* partner = core_.partners.find(relay.partner);
        if (partner != nullptr) out.back().partner_name = partner->name;
    }
    return out;
}

void Relays::look() {
    const auto done = read();
    const std::string problem = done ? "" : done.error().message;
    if (!problem.empty() && problem != problem_) {
        std::fprintf(stderr, "holdfast-replicator: relays: %s\n", problem.c_str());
    }
    problem_ = problem;
    for (auto& [relay, leading] : leading_) {
        if (!leading.listener) listen(leading);
    }
}

Result<void> Relays::read() {
    std::string text;
    if (path_exists(file_)) {
        const Buffer bytes = HF_TRY(read_file(file_, relays_bytes_max));
        text = as_text(bytes);
    }
    if (text == seen_) return {};
    std::vector<Relay> wanted;
    if (!text.empty()) wanted = HF_TRY(parse_relays(text).within(file_));
    seen_ = std::move(text);
    take(wanted);
    return {};
}

void Relays::take(const std::vector<Relay>& wanted) {
    const auto gone = [&](const Relay& relay) {
        return std::ranges::find(wanted, relay) == wanted.end();
    };
    std::erase_if(connections_, [&](const auto& one) { return gone(one.second.of); });
    std::erase_if(leading_, [&](const auto& one) { return gone(one.first); });
    for (const Relay& relay : wanted) leading_[relay].info.relay = relay;
}

void Relays::listen(Leading& leading) {
    const Relay& relay = leading.info.relay;
    const auto made = [&]() -> Result<TcpListener> {
        const TcpAddress at = HF_TRY(parse_tcp_address(relay.listen));
        HF_TRY(core_.partners.need(relay.partner));
        return TcpListener::listen(
            core_.loop, at, [this, relay](TcpStream client) { accept(relay, std::move(client)); });
    };
    auto listener = made();
    const std::string problem = listener ? "" : listener.error().message;
    if (problem != leading.info.problem) log(relay, listener ? "listens now" : problem);
    leading.info.problem = problem;
    leading.info.listening = static_cast<bool>(listener);
    if (listener) leading.listener = std::move(*listener);
}

Result<HttpPeer> Relays::peer_for(const Relay& relay) const {
    const Partner* partner = HF_TRY(core_.partners.need(relay.partner));
    const PeerEnd end = HF_TRY(peer_end(*partner, core_.own.trust));
    HttpPeer peer;
    peer.base_url = "https://" + end.address;
    peer.key = end.key;
    return peer;
}

void Relays::accept(const Relay& relay, TcpStream client) {
    const auto peer = peer_for(relay);
    if (!peer) return note(relay, peer.error());
    if (connections_.size() >= relay_connections_max) {
        return note(relay, {Errc::Full, "over " + std::to_string(relay_connections_max) +
                                            " connections: one more was turned away"});
    }
    const std::uint64_t id = next_id_++;
    Connection& made = connections_.try_emplace(id, relay, std::move(client)).first->second;
    ++leading_.at(relay).info.open;
    made.splice.on_over([this, id](Result<void> why) { over(id, why); });
    dialer_->open(*peer, "/run/" + relay.system + "/" + relay.endpoint,
                  [self = self_, id](Result<Tunnel> tunnel) {
                      if (*self != nullptr) (*self)->opened(id, std::move(tunnel));
                  });
}

void Relays::opened(std::uint64_t id, Result<Tunnel> tunnel) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;  // The client has gone, or is led elsewhere now.
    if (!tunnel) return over(id, named(found->second.of, tunnel.error()));
    ++leading_.at(found->second.of).info.carried;
    found->second.splice.join(std::move(*tunnel));
}

void Relays::over(std::uint64_t id, const Result<void>& why) {
    const auto ended = connections_.extract(id);
    Leading& leading = leading_.at(ended.mapped().of);
    --leading.info.open;
    if (!why) note(ended.mapped().of, why.error());
}

void Relays::note(const Relay& relay, const Error& error) {
    RelayInfo& info = leading_.at(relay).info;
    if (info.last_error != error.message) log(relay, error.message);
    info.last_error = error.message;
    info.last_error_ms = core_.clock.wall_ms();
}

}  // namespace holdfast::replicator
