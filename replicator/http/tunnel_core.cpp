#include "replicator/http/tunnel_core.h"

#include <sys/socket.h>

#include <algorithm>

namespace holdfast::replicator {

namespace {

constexpr std::size_t frame_bytes_max = 64 * 1024;
constexpr int frames_a_turn_max = 16;
constexpr std::string_view end_message = "end";
constexpr std::string_view seen_message = "seen";
constexpr std::size_t message_bytes_max = 8;

int send_text(lws& wsi, std::string_view text) {
    std::vector<unsigned char> frame(LWS_PRE + text.size());
    std::copy(text.begin(), text.end(), frame.begin() + LWS_PRE);
    return lws_write(&wsi, frame.data() + LWS_PRE, text.size(), LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

}  // namespace

bool TunnelCore::write(Buffer bytes) {
    if (closed_ || bytes.empty()) return true;
    HF_ASSERT(!ending_);
    queue_bytes_ += bytes.size();
    queue_.push_back(std::move(bytes));
    wake();
    refused_ = queue_bytes_ >= Tunnel::queue_bytes_max;
    return !refused_;
}

void TunnelCore::end() {
    ending_ = true;
    wake();
}

void TunnelCore::set_paused(bool paused) {
    paused_ = paused;
    if (wsi_ == nullptr) return;
    lws_rx_flow_control(wsi_, paused && !end_told_ ? 0 : 1);
    wake();  // For what libwebsockets or we hold already.
}

void TunnelCore::wake() {
    if (wsi_ != nullptr) lws_callback_on_writable(wsi_);
}

void TunnelCore::let_go() {
    let_go_ = true;
    const auto data = std::move(on_data);
    const auto end = std::move(on_end);
    const auto room = std::move(on_room);
    const auto closed = std::move(on_closed);
    // Once all is said the close handshake runs to its end by itself; else this is a cut.
    if (wsi_ == nullptr || over()) return;
    ::shutdown(lws_get_socket_fd(wsi_), SHUT_RDWR);
    lws_rx_flow_control(wsi_, 1);
    wake();
}

bool TunnelCore::over() const {
    return end_sent_ && seen_received_ && end_told_ && seen_sent_;
}

void TunnelCore::attach(lws& wsi) {
    wsi_ = &wsi;
    if (let_go_) return let_go();
    if (paused_) lws_rx_flow_control(wsi_, 0);
    wake();
}

int TunnelCore::receive(lws& wsi, View piece) {
    if (let_go_) return over() ? 0 : -1;
    if (lws_frame_is_binary(&wsi) != 0) {
        if (peer_ended_) return -1;
        stash_.insert(stash_.end(), piece.begin(), piece.end());
        deliver();
        if (!stash_.empty()) lws_rx_flow_control(&wsi, 0);
        return 0;
    }
    message_ += as_text(piece);
    if (message_.size() > message_bytes_max) return -1;
    if (lws_is_final_fragment(&wsi) == 0 || lws_remaining_packet_payload(&wsi) > 0) return 0;
    const std::string message = std::exchange(message_, {});
    if (message == end_message && !peer_ended_) {
        peer_ended_ = true;
        deliver();
    } else if (message == seen_message && end_sent_) {
        seen_received_ = true;
    } else {
        return -1;
    }
    wake();
    return 0;
}

// The callbacks are moved out while they run, since they may replace themselves or let go of us.
void TunnelCore::deliver() {
    if (!stash_.empty() && !paused_ && on_data) {
        const Buffer piece = std::exchange(stash_, {});
        auto running = std::move(on_data);
        running(piece);
        if (!on_data && !let_go_) on_data = std::move(running);
        if (!paused_ && wsi_ != nullptr) lws_rx_flow_control(wsi_, 1);
    }
    if (stash_.empty() && !paused_ && peer_ended_ && !end_told_ && !let_go_) {
        end_told_ = true;
        if (const auto running = std::move(on_end)) running();
        if (wsi_ != nullptr) lws_rx_flow_control(wsi_, 1);
        wake();
    }
}

void TunnelCore::ask_for_room() {
    if (!refused_ || queue_bytes_ > Tunnel::queue_bytes_max / 2 || !on_room) return;
    refused_ = false;
    auto running = std::move(on_room);
    running();
    if (!on_room && !let_go_) on_room = std::move(running);
}

int TunnelCore::send_some(lws& wsi) {
    Buffer frame;
    for (int i = 0; i < frames_a_turn_max && !queue_.empty(); ++i) {
        if (lws_send_pipe_choked(&wsi) != 0) return 0;
        frame.assign(LWS_PRE, 0);
        while (!queue_.empty() && frame.size() < LWS_PRE + frame_bytes_max) {
            const Buffer& front = queue_.front();
            const std::size_t n =
                std::min(LWS_PRE + frame_bytes_max - frame.size(), front.size() - front_used_);
            const auto from = front.begin() + static_cast<std::ptrdiff_t>(front_used_);
            frame.insert(frame.end(), from, from + static_cast<std::ptrdiff_t>(n));
            front_used_ += n;
            if (front_used_ < front.size()) break;
            queue_.pop_front();
            front_used_ = 0;
        }
        const std::size_t n = frame.size() - LWS_PRE;
        if (lws_write(&wsi, frame.data() + LWS_PRE, n, LWS_WRITE_BINARY) < 0) return -1;
        queue_bytes_ -= n;
        ask_for_room();
        if (let_go_) return -1;
    }
    return 0;
}

int TunnelCore::writable(lws& wsi) {
    if (let_go_ && !over()) return -1;
    deliver();
    if (send_some(wsi) != 0) return -1;
    const bool free = lws_send_pipe_choked(&wsi) == 0;
    if (queue_.empty() && ending_ && !end_sent_ && free) {
        end_sent_ = true;
        if (send_text(wsi, end_message) != 0) return -1;
    } else if (end_told_ && !seen_sent_ && free) {
        seen_sent_ = true;
        if (send_text(wsi, seen_message) != 0) return -1;
    } else if (over()) {
        lws_close_reason(&wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
        return -1;
    }
    const bool more = !queue_.empty() || (ending_ && !end_sent_) || (end_told_ && !seen_sent_);
    if (more || over()) wake();
    return 0;
}

void TunnelCore::detach(std::string_view why) {
    if (closed_) return;
    closed_ = true;
    wsi_ = nullptr;
    queue_.clear();
    queue_bytes_ = 0;
    const bool whole = over() || (end_told_ && seen_received_ && end_sent_);
    const auto data = std::move(on_data);
    const auto end = std::move(on_end);
    const auto room = std::move(on_room);
    const auto closed = std::move(on_closed);
    if (!closed) return;
    if (whole) return closed(Result<void>());
    closed(Error{Errc::Unreachable, "the tunnel was cut: " + std::string(why)});
}

void TunnelCore::forget() {
    closed_ = true;
    let_go();
}

Tunnel& Tunnel::operator=(Tunnel&& other) noexcept {
    Tunnel old(std::move(core_));
    core_ = std::move(other.core_);
    return *this;
}

Tunnel::~Tunnel() {
    if (core_) core_->let_go();
}

bool Tunnel::write(Buffer bytes) {
    return core_->write(std::move(bytes));
}

void Tunnel::end() {
    core_->end();
}

void Tunnel::on_data(Callback<void(View)> data) {
    core_->on_data = std::move(data);
    core_->wake();
}

void Tunnel::on_end(Callback<void()> end) {
    core_->on_end = std::move(end);
}

void Tunnel::on_room(Callback<void()> room) {
    core_->on_room = std::move(room);
}

void Tunnel::on_closed(Callback<void(Result<void>)> closed) {
    core_->on_closed = std::move(closed);
}

void Tunnel::pause() {
    core_->set_paused(true);
}

void Tunnel::resume() {
    core_->set_paused(false);
}

}  // namespace holdfast::replicator
