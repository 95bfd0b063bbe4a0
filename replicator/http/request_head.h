// Reading a request's head out of libwebsockets' header table.
#pragma once

#include "replicator/http/exchange_core.h"
#include "replicator/http/server.h"

#include <libwebsockets.h>

#include <optional>

namespace holdfast::replicator {

struct RequestHead {
    HttpRequest request;
    ExchangeShape shape;
    /// The answer if the head itself is unacceptable: a limit, or a malformed length.
    std::optional<HttpResponse> refusal;
};

RequestHead read_request_head(lws& wsi, const ServerOptions& options);

}  // namespace holdfast::replicator
