#include "replicator/relay/splice.h"

namespace holdfast::replicator {
namespace {

Buffer copy_of(View piece) {
    return {piece.begin(), piece.end()};
}

}  // namespace

Splice::Splice(TcpStream tcp) : tcp_(std::move(tcp)) {
    tcp_.pause();
    tcp_.on_closed([this](Result<void> why) { closed(tcp_closed_, std::move(why)); });
}

void Splice::join(Tunnel tunnel) {
    tunnel_ = std::move(tunnel);
    wire();
    tcp_.resume();
}

void Splice::wire() {
    tcp_.on_data([this](View piece) {
        if (!tunnel_->write(copy_of(piece))) tcp_.pause();
    });
    tcp_.on_end([this] { tunnel_->end(); });
    tcp_.on_room([this] { tunnel_->resume(); });
    tunnel_->on_room([this] { tcp_.resume(); });
    tunnel_->on_end([this] { tcp_.end(); });
    tunnel_->on_closed([this](Result<void> why) { closed(tunnel_closed_, std::move(why)); });
    tunnel_->on_data([this](View piece) {
        if (!tcp_.write(copy_of(piece))) tunnel_->pause();
    });
}

void Splice::closed(bool& side, Result<void> why) {
    side = true;
    if (!why || (tcp_closed_ && tunnel_closed_)) tell(std::move(why));
}

void Splice::tell(Result<void> why) {
    if (const auto over = std::move(over_)) over(std::move(why));
}

}  // namespace holdfast::replicator
