#include "agent/source/journal/service.h"

#include "agent/source/journal/socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace holdfast::agent::journal {
namespace {

// Short: while one asker is waited for, the kernel's queue of changes fills.
constexpr int asker_seconds_max = 5;

}  // namespace

Result<Service> Service::open(const std::string& socket, std::map<std::string, Journal> journals) {
    Fd listener = HF_TRY(listen_at(socket));
    return Service(std::move(listener), std::move(journals));
}

Result<void> Service::run(const std::function<void(const std::string&)>& tell) {
    std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}};
    for (const auto& [source, journal] : journals_) watched.push_back({journal.fd(), POLLIN, 0});
    for (;;) {
        if (::poll(watched.data(), watched.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return io_error(errno, "wait for changes");
        }
        for (auto& [source, journal] : journals_) HF_TRY(journal.drain().within(source));
        if (watched.front().revents == 0) continue;
        const auto answered = answer_one();
        if (!answered) tell(answered.error().message);
    }
}

Result<void> Service::answer_one() {
    const Fd asker(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!asker) return io_error(errno, "take a snapshot's question");
    HF_TRY(limit_waiting(asker, asker_seconds_max));
    const Buffer message = HF_TRY(receive_message(asker.get(), ask_bytes_max));
    const Ask ask = HF_TRY(parse_ask(message));
    const Result<Answer> answered = answer(ask);
    HF_TRY(send_message(asker.get(), encode_answer(answered)));
    if (!answered) return Result<Answer>(answered).within(ask.source).error();
    return {};
}

Result<Answer> Service::answer(const Ask& ask) {
    const auto found = journals_.find(ask.source);
    if (found == journals_.end()) {
        return Error{Errc::NotFound, "no journal of " + ask.source +
                                         " runs: restart it, since "
                                         "the settings are newer"};
    }
    Answer answer;
    if (ask.token.empty()) {
        answer.token = HF_TRY(found->second.mark());
    } else {
        answer.changes = HF_TRY(found->second.since(ask.token));
    }
    return answer;
}

}  // namespace holdfast::agent::journal
