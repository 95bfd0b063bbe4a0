// PatientClient: a PeerClient that asks again when the partner does not answer.
#pragma once

#include "replicator/transfer/push.h"

#include <poll.h>

#include <algorithm>

namespace holdfast::replicator {

class PatientClient {
public:
    static Result<PatientClient> make(const PushSettings& settings, const TlsIdentity& identity,
                                      PushProgress& progress) {
        return PatientClient(HF_TRY(PeerClient::make(settings.end, identity)), settings, progress);
    }

    /// Answers call(client), tried again with growing pauses while that is Unreachable.
    /// Errors: the call's, Interrupted.
    template <class Call>
    auto operator()(Call call) -> decltype(call(std::declval<PeerClient&>())) {
        std::uint64_t pause_ms = settings_->first_pause_ms;
        for (unsigned left = settings_->tries_max;; --left, pause_ms *= 2) {
            if (progress_->stop) return Error{Errc::Interrupted, "the transfer was stopped"};
            auto answer = call(client_);
            const bool again = !answer && answer.error().code == Errc::Unreachable;
            if (!again || left <= 1) return answer;
            pause(pause_ms);
        }
    }

private:
    static constexpr std::uint64_t look_ms = 100;  // How often a pause looks whether to stop.

    PatientClient(PeerClient client, const PushSettings& settings, PushProgress& progress)
        : client_(std::move(client)), settings_(&settings), progress_(&progress) {}

    void pause(std::uint64_t ms) const {
        while (ms > 0 && !progress_->stop) {
            const std::uint64_t step = std::min(ms, look_ms);
            ::poll(nullptr, 0, static_cast<int>(step));
            ms -= step;
        }
    }

    PeerClient client_;
    const PushSettings* settings_;
    PushProgress* progress_;
};

}  // namespace holdfast::replicator
