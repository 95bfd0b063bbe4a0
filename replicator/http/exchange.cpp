#include "replicator/http/exchange.h"

#include "replicator/http/exchange_core.h"

namespace holdfast::replicator {

const std::string& HttpRequest::param(std::string_view name) const {
    const auto found = params.find(std::string(name));
    HF_ASSERT(found != params.end());
    return found->second;
}

const std::string* HttpRequest::query_value(std::string_view name) const {
    const auto found = query.find(std::string(name));
    return found == query.end() ? nullptr : &found->second;
}

Responder& Responder::operator=(Responder&& other) noexcept {
    Responder old(std::move(exchange_));
    exchange_ = std::move(other.exchange_);
    return *this;
}

Responder::~Responder() {
    if (!exchange_ || exchange_->answered() || exchange_->gone()) return;
    exchange_->answer(error_response(500, "no_answer", "the request was given up unanswered"));
}

void Responder::send(HttpResponse response) {
    HF_ASSERT(exchange_ != nullptr);
    exchange_->answer(std::move(response));
}

ResponseStream Responder::stream(unsigned status, const HttpHeaders& headers,
                                 std::optional<std::uint64_t> length) {
    HF_ASSERT(exchange_ != nullptr);
    exchange_->start_stream(status, headers, length);
    return ResponseStream(exchange_);
}

void Responder::on_gone(Callback<void()> gone) {
    if (!exchange_->gone()) exchange_->on_gone = std::move(gone);
}

bool Responder::gone() const {
    return !exchange_ || exchange_->gone();
}

ResponseStream& ResponseStream::operator=(ResponseStream&& other) noexcept {
    ResponseStream old(std::move(exchange_));
    exchange_ = std::move(other.exchange_);
    return *this;
}

ResponseStream::~ResponseStream() {
    if (exchange_) exchange_->drop_stream();
}

bool ResponseStream::write(Buffer piece) {
    HF_ASSERT(exchange_ != nullptr);
    return exchange_->write(std::move(piece));
}

void ResponseStream::on_room(Callback<void()> room) {
    if (!exchange_->gone()) exchange_->on_room = std::move(room);
}

void ResponseStream::on_gone(Callback<void()> gone) {
    if (!exchange_->gone()) exchange_->on_gone = std::move(gone);
}

void ResponseStream::end() {
    exchange_->end_stream();
}

bool ResponseStream::gone() const {
    return !exchange_ || exchange_->gone();
}

BodyReader& BodyReader::operator=(BodyReader&& other) noexcept {
    BodyReader old(std::move(exchange_));
    exchange_ = std::move(other.exchange_);
    return *this;
}

BodyReader::~BodyReader() {
    if (exchange_) exchange_->discard_body();
}

std::uint64_t BodyReader::length() const {
    return exchange_->length();
}

void BodyReader::on_piece(Callback<void(View)> piece) {
    if (exchange_->gone()) return;
    exchange_->on_piece = std::move(piece);
    exchange_->poke();
}

void BodyReader::on_end(Callback<void()> end) {
    if (exchange_->gone()) return;
    exchange_->on_body_end = std::move(end);
    exchange_->poke();
}

void BodyReader::on_gone(Callback<void()> gone) {
    if (!exchange_->gone()) exchange_->on_body_gone = std::move(gone);
}

void BodyReader::pause() {
    exchange_->set_paused(true);
}

void BodyReader::resume() {
    exchange_->set_paused(false);
}

}  // namespace holdfast::replicator
