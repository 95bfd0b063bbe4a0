#include "replicator/loop/tcp_address.h"

#include <charconv>

namespace holdfast::replicator {

Result<TcpAddress> parse_tcp_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    TcpAddress out;
    if (colon != std::string::npos) {
        out.address = text.substr(0, colon);
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data() + colon + 1, end, out.port);
        if (out.address.starts_with('[') && out.address.ends_with(']')) {
            out.address = out.address.substr(1, out.address.size() - 2);
        }
        if (read.ec == std::errc() && read.ptr == end) return out;
    }
    return Error{Errc::Invalid, "\"" + text + "\": expected ADDRESS:PORT"};
}

}  // namespace holdfast::replicator
