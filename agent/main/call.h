// Call: what all routes of the control socket share: how a request is read, and answered.
#pragma once

#include "agent/failover/engine.h"
#include "replicator/http/router.h"
#include "vault/base/json.h"

#include <string>

namespace holdfast::agent {

constexpr std::uint64_t call_body_bytes_max = 17_MiB;  // An order with a release of 12 MiB of keys.

/// {run} of the path. Errors: Invalid.
Result<std::int64_t> run_id(const replicator::HttpRequest& request);

/// The name of who connected, as this machine knows them.
std::string caller_of(const replicator::HttpRequest& request);

/// The body as an object; none is an empty one. Errors: Invalid.
Result<Json> body_of(const replicator::HttpRequest& request);

/// What a body says of a run to be ordered, but for its owner and who asked. Errors: Invalid.
Result<RunOrder> order_in(const Json& body);
/// {"record", "keys"}. Errors: Invalid.
Result<StoredRelease> release_in(const Json& body);

/// Steers or signs the run: "approvals", "shares", "release", "pause", "resume", "abort", "stop".
/// Errors: NotFound (no such call), Invalid, and those of the Engine.
Result<void> call_run(Engine& engine, std::int64_t run, const std::string& call, const Json& body);

/// {"file", "text"}. Errors: NotFound (none yet), Io.
Result<std::string> report_json(const Run& run);

void answer(replicator::Responder& respond, const Result<std::string>& json, unsigned status);

}  // namespace holdfast::agent
