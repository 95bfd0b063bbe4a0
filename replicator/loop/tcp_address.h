// Where to listen or to dial, as settings and command lines write it.
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::replicator {

struct TcpAddress {
    std::string address;  // Numeric, without brackets.
    std::uint16_t port = 0;
};

/// "ADDRESS:PORT" or "[IPv6]:PORT"; port 0 is any. Errors: Invalid.
Result<TcpAddress> parse_tcp_address(const std::string& text);

}  // namespace holdfast::replicator
