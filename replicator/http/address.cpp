#include "replicator/http/address.h"

#include <charconv>

namespace holdfast::replicator {

Result<ListenAddress> parse_listen(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    ListenAddress out;
    if (colon != std::string::npos) {
        out.address = text.substr(0, colon);
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data() + colon + 1, end, out.port);
        if (out.address.starts_with('[') && out.address.ends_with(']')) {
            out.address = out.address.substr(1, out.address.size() - 2);
        }
        if (read.ec == std::errc() && read.ptr == end) return out;
    }
    return Error{Errc::Invalid, "listen \"" + text + "\": expected ADDRESS:PORT"};
}

}  // namespace holdfast::replicator
