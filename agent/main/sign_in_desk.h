// Sign-in desk: POST /sign-in and GET /sign-in/PERSON of the control socket.
//
// Argon2id runs on one worker, with a short queue before it: a flood of sign-ins costs one thread
// and 256 MiB, and the loop goes on. The log names known persons only: people type passphrases
// into the field for the name.
//
// Thread rule: the loop thread.
#pragma once

#include "agent/config/home.h"
#include "agent/people/sign_in_limits.h"
#include "replicator/http/router.h"
#include "replicator/loop/worker_pool.h"
#include "vault/base/clock.h"
#include "vault/crypto/keys.h"

#include <memory>

namespace holdfast::agent {

constexpr std::size_t sign_ins_max = 8;  // Under way at once; more are sent away.

class SignInDesk {
public:
    /// `loop`, `home` and `clock` outlive it. `stranger_cost` is what checking an unknown person
    /// costs: as much as checking one whose key `person add` made. Errors: Io.
    static Result<std::unique_ptr<SignInDesk>> make(replicator::Loop& loop, const Home& home,
                                                    const Clock& clock,
                                                    vault::PasswordCost stranger_cost = {});

    /// It outlives the router.
    void add_routes(replicator::Router& router);

private:
    SignInDesk(const Home& home, const Clock& clock, vault::PasswordCost stranger_cost);

    void sign_in(replicator::HttpRequest request, replicator::Responder respond);
    void look(const replicator::HttpRequest& request, replicator::Responder respond);

    const Home* home_;
    const Clock* clock_;
    vault::PasswordCost stranger_cost_;
    SignInLimits limits_;
    std::unique_ptr<replicator::WorkerPool> pool_;
};

}  // namespace holdfast::agent
