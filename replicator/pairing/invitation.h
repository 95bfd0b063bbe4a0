// Invitation: the short text by which one trust asks another to be partners.
//
//     holdfast invitation 1
//     trust: 64 hexadecimal digits       the inviting trust's id
//     name: Camberwick Green             for people
//     address: 192.0.2.10:8420           where its node listens
//     tls_key: 64 hexadecimal digits     who must answer there
//     token: 64 hexadecimal digits       good once, until
//     expires: 1766000000000             milliseconds since 1970
//
// Whoever has the text can pair, so it travels by hand or by mail that both trust; the pairing
// words tell whether someone else was quicker.
#pragma once

#include "replicator/http/message.h"
#include "vault/base/units.h"

#include <cstdint>
#include <string>

namespace holdfast::replicator {

using PairingToken = Id<struct PairingTokenTag>;

constexpr std::int64_t invitation_life_ms = 7LL * 24 * 3600 * 1000;
constexpr std::size_t invitation_bytes_max = 2048;
constexpr std::size_t trust_name_bytes_max = 256;
constexpr std::size_t address_bytes_max = 260;

struct Invitation {
    TrustId trust;
    std::string name;
    std::string address;
    KeyHash tls_key;
    PairingToken token;
    std::int64_t expires_ms = 0;

    friend bool operator==(const Invitation&, const Invitation&) = default;
};

std::string invitation_text(const Invitation& invitation);

/// Spaces around lines and words do no harm; mails add them. Errors: Invalid (which line, why).
Result<Invitation> parse_invitation(std::string_view text);

/// Errors: Invalid (not HOST:PORT; an IPv6 address stands in brackets).
Result<void> check_address(std::string_view address);

}  // namespace holdfast::replicator
