// Replicator: all of the process holdfast-replicator, on one loop: partners' port, control socket,
// transfers. It holds no data key, reads no source and runs no command.
//
// Thread rule: the loop thread makes it and lets it go.
#pragma once

#include "replicator/loop/loop.h"
#include "replicator/peer/own_node.h"
#include "vault/base/clock.h"

#include <cstdint>
#include <memory>

namespace holdfast::replicator {

class Replicator {
public:
    /// Opens all and listens. Errors: Invalid (an address), Conflict (it runs already), NotFound,
    /// Corrupt, Denied, Full, Io.
    static Result<std::unique_ptr<Replicator>> make(Loop& loop, const ReplicatorSettings& settings,
                                                    const Clock& clock);
    /// Stops transfers, which the next start takes up again.
    ~Replicator();

    /// Where partners reach it; 0 without a partners' port.
    std::uint16_t port() const;

private:
    struct State;
    explicit Replicator(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace holdfast::replicator
