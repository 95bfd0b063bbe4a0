// Fault points: numbered places where a test may end the process, as kill -9 would.
//
// A call of fault_point() marks a moment between two durable steps. With HOLDFAST_FAULT=N in the
// environment the N-th call of the process ends it at once with SIGKILL; with HOLDFAST_FAULT=count
// the number of calls is printed to stderr at exit, so that a test can loop over all of them. With
// HOLDFAST_FAULT=stop:N it is stopped instead (SIGSTOP), until somebody continues it: so a test can
// kill another process at that moment.
// Without the variable a call costs one load. It stays in release builds: what the tests kill is
// what ships.
#pragma once

namespace holdfast {

/// `name` says what has just become durable, or is about to: "pack renamed", "ledger entry synced".
void fault_point(const char* name);

}  // namespace holdfast
