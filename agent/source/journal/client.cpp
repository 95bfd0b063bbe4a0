#include "agent/source/journal/client.h"

#include "agent/source/journal/socket.h"
#include "agent/source/journal/wire.h"

namespace holdfast::agent::journal {
namespace {

// Looking up a hundred thousand names takes a second.
constexpr int answer_seconds_max = 60;

Result<Answer> ask(const std::string& path, const Ask& question) {
    const Fd socket = HF_TRY(connect_to(path));
    HF_TRY(limit_waiting(socket, answer_seconds_max));
    HF_TRY(send_message(socket.get(), encode_ask(question)));
    const Buffer message = HF_TRY(receive_message(socket.get(), answer_bytes_max));
    return parse_answer(message);
}

}  // namespace

Result<std::string> Client::mark() const {
    return HF_TRY(ask(socket_, {source_, {}})).token;
}

Result<Changes> Client::since(const std::string& token) const {
    return HF_TRY(ask(socket_, {source_, token})).changes;
}

}  // namespace holdfast::agent::journal
