#include "replicator/pairing/invitation.h"

#include <charconv>
#include <map>

namespace holdfast::replicator {
namespace {

constexpr std::string_view first_line = "holdfast invitation 1";
constexpr std::string_view spaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const std::size_t from = text.find_first_not_of(spaces);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(spaces) - from + 1);
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, out);
    return read.ec == std::errc() && read.ptr == end;
}

/// The lines behind the first, as words by name.
class Lines {
public:
    static Result<Lines> parse(std::string_view text) {
        Lines lines;
        bool begun = false;
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            const std::string_view line = trimmed(text.substr(0, end));
            text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
            if (line.empty()) continue;
            if (!begun && line != first_line) break;
            const std::size_t colon = line.find(':');
            if (begun && colon != std::string_view::npos) {
                lines.words_.emplace(trimmed(line.substr(0, colon)),
                                     trimmed(line.substr(colon + 1)));
            }
            begun = true;
        }
        if (begun) return lines;
        return Error{Errc::Invalid,
                     "this is no invitation: it begins with \"holdfast invitation "
                     "1\" (holdfast partner invite writes one)"};
    }

    std::string_view word(std::string_view name) const {
        const auto found = words_.find(name);
        return found == words_.end() ? std::string_view{} : found->second;
    }
    template <class SomeId>
    Result<SomeId> id(std::string_view name) const {
        return SomeId::from_text(word(name)).within("invitation, line " + std::string(name));
    }

private:
    std::map<std::string_view, std::string_view> words_;
};

}  // namespace

std::string invitation_text(const Invitation& invitation) {
    return std::string(first_line) + "\ntrust: " + invitation.trust.hex() +
           "\nname: " + invitation.name + "\naddress: " + invitation.address +
           "\ntls_key: " + invitation.tls_key.hex() + "\ntoken: " + invitation.token.hex() +
           "\nexpires: " + std::to_string(invitation.expires_ms) + "\n";
}

Result<Invitation> parse_invitation(std::string_view text) {
    if (text.size() > invitation_bytes_max) {
        return Error{Errc::Invalid, "this is no invitation: it is too long"};
    }
    const Lines lines = HF_TRY(Lines::parse(text));
    Invitation invitation;
    invitation.trust = HF_TRY(lines.id<TrustId>("trust"));
    invitation.name = std::string(lines.word("name"));
    invitation.address = std::string(lines.word("address"));
    invitation.tls_key = HF_TRY(lines.id<KeyHash>("tls_key"));
    invitation.token = HF_TRY(lines.id<PairingToken>("token"));
    HF_TRY(check_address(invitation.address).within("invitation"));
    if (!read_number(lines.word("expires"), invitation.expires_ms)) {
        return Error{Errc::Invalid, "invitation, line expires: expected milliseconds since 1970"};
    }
    return invitation;
}

Result<void> check_address(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    std::uint16_t port = 0;
    const bool split = colon != std::string_view::npos && colon > 0;
    const std::string_view host = split ? address.substr(0, colon) : std::string_view{};
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    const bool plain = host.find_first_of(":[]/@ ") == std::string_view::npos;
    if (split && address.size() <= address_bytes_max && (plain || bracketed) &&
        read_number(address.substr(colon + 1), port) && port != 0) {
        return {};
    }
    return Error{Errc::Invalid, "address \"" + std::string(address.substr(0, 80)) +
                                    "\": expected HOST:PORT, or [IPv6]:PORT"};
}

}  // namespace holdfast::replicator
