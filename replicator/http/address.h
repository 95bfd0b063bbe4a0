// Where a server listens, as settings and command lines write it.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::replicator {

struct ListenAddress {
    std::string address;
    std::uint16_t port = 0;
};

/// "ADDRESS:PORT" or "[IPv6]:PORT"; port 0 is any. Errors: Invalid.
Result<ListenAddress> parse_listen(const std::string& text);

}  // namespace holdfast::replicator
