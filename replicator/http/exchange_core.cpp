#include "replicator/http/exchange_core.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace holdfast::replicator {

namespace {

const char* reason_of(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 416:
            return "Range Not Satisfiable";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 507:
            return "Insufficient Storage";
        default:
            return "Status";
    }
}

void append(Buffer& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

// A line break in a value would let whoever chose the value write headers of his own.
void append_header(Buffer& out, std::string_view name, std::string_view value) {
    append(out, name);
    append(out, ": ");
    for (const char c : value) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        out.push_back(static_cast<std::uint8_t>(control ? ' ' : c));
    }
    append(out, "\r\n");
}

}  // namespace

void Exchange::poke() {
    if (wire_ != nullptr) wire_->poke();
}

void Exchange::queue_head(unsigned status, const HttpHeaders& headers,
                          std::optional<std::uint64_t> length) {
    answered_ = true;
    sized_ = length.has_value();
    chunked_ = !length && shape_.http_1_1;
    bodyless_ = shape_.head || status == 204 || status == 304;
    const bool long_rest =
        !shape_.length_known || shape_.length - received_ > Exchange::skip_bytes_max;
    closes_ = !shape_.keep_alive || long_rest || (!length && !shape_.http_1_1);

    Buffer head;
    append(head, "HTTP/1.1 " + std::to_string(status) + " " + reason_of(status) + "\r\n");
    for (const auto& [name, value] : headers) append_header(head, name, value);
    if (status != 204 && status != 304) {
        if (length) append_header(head, "content-length", std::to_string(*length));
        if (chunked_) append_header(head, "transfer-encoding", "chunked");
    }
    append_header(head, "connection", closes_ ? "close" : "keep-alive");
    append(head, "\r\n");
    push(std::move(head));
}

void Exchange::push(Buffer bytes) {
    if (bytes.empty()) return;
    queue_bytes_ += bytes.size();
    queue_.push_back(std::move(bytes));
}

void Exchange::answer(HttpResponse response) {
    if (gone()) return;
    HF_ASSERT(!answered_);
    queue_head(response.status, response.headers, response.body.size());
    if (!bodyless_) push(std::move(response.body));
    ended_ = true;
    discard_body();
}

void Exchange::start_stream(unsigned status, const HttpHeaders& headers,
                            std::optional<std::uint64_t> length) {
    if (gone()) return;
    HF_ASSERT(!answered_);
    queue_head(status, headers, length);
    streaming_ = true;
    promised_ = length.value_or(0);
    discard_body();
}

bool Exchange::write(Buffer piece) {
    if (gone() || piece.empty()) return true;
    HF_ASSERT(streaming_ && !ended_);
    if (bodyless_) return true;
    if (chunked_) {
        std::array<char, 20> size{};
        const int n = std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
        push(Buffer(size.begin(), size.begin() + n));
        append(piece, "\r\n");
    } else if (sized_) {
        HF_ASSERT(piece.size() <= promised_);
        promised_ -= piece.size();
    }
    push(std::move(piece));
    poke();
    refused_ = queue_bytes_ >= ResponseStream::queue_bytes_max;
    return !refused_;
}

void Exchange::end_stream() {
    if (gone() || ended_) return;
    if (promised_ > 0 && !bodyless_) return drop_stream();
    if (chunked_ && !bodyless_) push(Buffer{'0', '\r', '\n', '\r', '\n'});
    ended_ = true;
    poke();
}

void Exchange::drop_stream() {
    if (!gone() && !ended_) wire_->cut();
}

void Exchange::discard_body() {
    discarding_ = true;
    stash_ = {};
    on_piece = nullptr;
    on_body_end = nullptr;
    on_body_gone = nullptr;
    poke();
}

void Exchange::set_paused(bool paused) {
    paused_ = paused;
    poke();
}

void Exchange::take_piece(View piece) {
    received_ += piece.size();
    if (discarding_ || piece.empty()) return;
    if (stash_.empty() && !paused_ && on_piece) {
        // Moved out while it runs: it may replace or drop itself.
        auto running = std::move(on_piece);
        running(piece);
        if (!on_piece && !discarding_ && !gone()) on_piece = std::move(running);
    } else {
        stash_.insert(stash_.end(), piece.begin(), piece.end());
    }
}

bool Exchange::can_pump() const {
    if (paused_ || discarding_ || gone()) return false;
    if (!stash_.empty()) return static_cast<bool>(on_piece);
    return body_over() && on_body_end && !end_told_;
}

void Exchange::pump() {
    if (can_pump() && !stash_.empty()) {
        const Buffer piece = std::exchange(stash_, {});
        received_ -= piece.size();
        take_piece(piece);
    }
    if (can_pump() && stash_.empty()) {
        end_told_ = true;
        const auto ending = std::move(on_body_end);
        ending();
    }
}

bool Exchange::wants_body() const {
    if (shape_.length_known && body_over()) return false;
    return discarding_ || gone() || done() || (stash_.empty() && !paused_ && on_piece);
}

void Exchange::drain(Buffer& out, std::size_t max) {
    std::size_t moved = 0;
    while (!queue_.empty() && moved < max) {
        Buffer& front = queue_.front();
        const std::size_t n = std::min(max - moved, front.size() - front_used_);
        const auto from = front.begin() + static_cast<std::ptrdiff_t>(front_used_);
        out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(n));
        moved += n;
        front_used_ += n;
        if (front_used_ == front.size()) {
            queue_.pop_front();
            front_used_ = 0;
        }
    }
    queue_bytes_ -= moved;
    if (!refused_ || queue_bytes_ > ResponseStream::queue_bytes_max / 2 || !on_room) return;
    refused_ = false;
    auto running = std::move(on_room);
    running();
    if (!on_room && !gone() && !ended_) on_room = std::move(running);
}

void Exchange::lose() {
    if (gone()) return;
    const bool whole = done();
    const auto body = std::move(on_body_gone);
    const auto all = std::move(on_gone);
    wire_ = nullptr;
    if (body && !end_told_) body();
    if (all && !whole) all();
    forget();
}

void Exchange::finish() {
    wire_ = nullptr;
    forget();
}

void Exchange::forget() {
    // Moved out first: what they own may call back into this exchange as it goes.
    const auto piece = std::move(on_piece);
    const auto end = std::move(on_body_end);
    const auto body_gone = std::move(on_body_gone);
    const auto room = std::move(on_room);
    const auto all_gone = std::move(on_gone);
    queue_.clear();
    queue_bytes_ = 0;
    stash_ = {};
}

}  // namespace holdfast::replicator
