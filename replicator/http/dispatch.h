// From a request's head to its handler: limits, routes, and bodies collected for those who want
// them whole.
#pragma once

#include "replicator/http/request_head.h"
#include "replicator/http/router.h"

#include <memory>

namespace holdfast::replicator {

/// Answers `exchange` or hands it to a handler of `router`.
void dispatch(const Router& router, const HttpLimits& limits, RequestHead head,
              const std::shared_ptr<Exchange>& exchange);

}  // namespace holdfast::replicator
