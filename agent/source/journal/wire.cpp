#include "agent/source/journal/wire.h"

#include "vault/snapshot/entry.h"

#include <sys/socket.h>

#include <cerrno>

namespace holdfast::agent::journal {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t word_bytes_max = 1 << 10;
constexpr std::size_t change_bytes_min = 2;

Error not_of_ours() {
    return {Errc::Corrupt, "what the journal's socket brought is no message of this version"};
}

Error lost(int error) {
    const bool slow = error == EAGAIN || error == EWOULDBLOCK;
    return {Errc::Unreachable, slow ? "the journal's other side does not answer"
                                    : "the journal's other side went away"};
}

Result<void> receive_all(int socket, std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = ::recv(socket, out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return lost(got == 0 ? EPIPE : errno);
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

}  // namespace

Buffer encode_ask(const Ask& ask) {
    Buffer out;
    ByteWriter writer(out);
    writer.u8(version);
    writer.text(ask.source);
    writer.text(ask.token);
    return out;
}

Buffer encode_answer(const Result<Answer>& answer) {
    Buffer out;
    ByteWriter writer(out);
    writer.u8(version);
    writer.u8(answer ? 0 : 1);
    if (!answer) {
        writer.text(std::string_view(answer.error().message).substr(0, word_bytes_max));
        return out;
    }
    writer.text(answer->token);
    writer.text(std::string_view(answer->changes.unknown).substr(0, word_bytes_max));
    static const std::vector<Change> none;
    const auto& changes = answer->changes.changes ? *answer->changes.changes : none;
    writer.varint(changes.size());
    for (const Change& change : changes) {
        writer.u8(change.deep ? 1 : 0);
        writer.text(change.path);
    }
    return out;
}

Result<Ask> parse_ask(View message) {
    ByteReader in(message);
    if (in.u8() != version) return not_of_ours();
    Ask ask;
    ask.source = in.text(word_bytes_max);
    ask.token = in.text(word_bytes_max);
    if (!in.done()) return not_of_ours();
    return ask;
}

Result<Answer> parse_answer(View message) {
    ByteReader in(message);
    if (in.u8() != version) return not_of_ours();
    const bool failed = in.u8() != 0;
    Answer answer;
    answer.token = in.text(word_bytes_max);
    if (failed && in.done()) return Error{Errc::Io, answer.token};
    answer.changes.unknown = in.text(word_bytes_max);
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > in.left() / change_bytes_min) return not_of_ours();
    std::vector<Change> changes(count);
    for (Change& change : changes) {
        change.deep = in.u8() != 0;
        change.path = in.text(word_bytes_max + vault::path_bytes_max);
    }
    if (!in.done()) return not_of_ours();
    if (answer.changes.unknown.empty()) answer.changes.changes = std::move(changes);
    return answer;
}

Result<void> send_message(int socket, View message) {
    Buffer all;
    ByteWriter writer(all);
    writer.u32(static_cast<std::uint32_t>(message.size()));
    writer.bytes(message);
    for (View rest(all); !rest.empty();) {
        const ssize_t put = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return lost(errno);
        rest = rest.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

Result<Buffer> receive_message(int socket, std::size_t bytes_max) {
    std::array<std::uint8_t, 4> head{};
    HF_TRY(receive_all(socket, head));
    ByteReader in(head);
    const std::uint32_t bytes = in.u32();
    if (bytes > bytes_max) return not_of_ours();
    Buffer message(bytes);
    HF_TRY(receive_all(socket, message));
    return message;
}

}  // namespace holdfast::agent::journal
