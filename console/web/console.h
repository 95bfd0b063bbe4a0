// Console: the pages that browsers see, over TLS, and who may see them.
//
//     GET  /            what is so now; without a session: on to /sign-in
//     GET  /sign-in     the form
//     POST /sign-in     name, passphrase, token; the agent decides, this process keeps neither
//     POST /sign-out    token
//     GET  /style.css, /icon.svg
//
// It reads no file of the vault and holds no key but its own TLS key. Each page asks the agent
// anew, also whether the person may still be signed in. There is no script on any page, and the
// content security policy allows none.
//
// Thread rule: the loop thread.
#pragma once

#include "replicator/loop/loop.h"
#include "vault/base/clock.h"
#include "vault/base/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace holdfast::console {

struct ConsoleSettings {
    std::string run;     // The folder of agent.sock.
    std::string state;   // The folder of its own TLS key.
    std::string listen;  // "ADDRESS:PORT"
};

class Console {
public:
    /// Opens all and listens. `loop` and `clock` outlive it. Errors: Invalid (the address),
    /// Conflict (the port is taken), Denied, Corrupt, Full, Io.
    static Result<std::unique_ptr<Console>> make(replicator::Loop& loop,
                                                 const ConsoleSettings& settings,
                                                 const Clock& clock);
    ~Console();

    std::uint16_t port() const;
    /// Of its certificate, as browsers show it.
    const std::string& fingerprint() const;

private:
    struct State;
    explicit Console(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace holdfast::console
