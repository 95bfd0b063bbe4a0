#include "agent/node/unlocked.h"

#include "vault/base/file.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace holdfast::agent {
namespace {

constexpr std::size_t secret_bytes = 32;
// Possession: all. The user: view, read and search, so that a service of the same user finds it.
constexpr unsigned long permissions = 0x3f0b0000;

std::string name_of(const TrustId& trust, const DomainId& domain) {
    return "holdfast:" + trust.hex() + ":" + domain.hex();
}

Error keyring_error(int code, const std::string& what) {
    if (code == ENOSYS || code == EPERM || code == EACCES) {
        return {Errc::Denied, what + ": the kernel gives this process no keyring (a container?)"};
    }
    if (code == EDQUOT) return {Errc::Full, what + ": the user's keyring is full"};
    return io_error(code, what);
}

/// The key's serial number; negative if there is none.
long find_key(const std::string& name) {
    return ::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", name.c_str(), 0);
}

std::optional<vault::BoxKey> unlocked_domain(const TrustId& trust, const DomainId& domain) {
    const long key = find_key(name_of(trust, domain));
    if (key < 0) return std::nullopt;
    vault::Secret secret(secret_bytes);
    const long got = ::syscall(SYS_keyctl, KEYCTL_READ, key, secret.data(), secret.size());
    if (got != static_cast<long>(secret_bytes)) return std::nullopt;
    return vault::BoxKey::from_secret(std::move(secret));
}

}  // namespace

Result<void> unlock_domain(const TrustId& trust, const DomainId& domain,
                           const vault::BoxKey& opening, std::uint32_t seconds) {
    if (seconds == 0 || seconds > unlock_seconds_max) {
        return Error{Errc::Invalid, "an unlock lasts a day at most"};
    }
    const std::string name = name_of(trust, domain);
    const long key = ::syscall(SYS_add_key, "user", name.c_str(), opening.secret.view().data(),
                               opening.secret.size(), KEY_SPEC_USER_KEYRING);
    if (key < 0) return keyring_error(errno, "unlock");
    const bool ends = ::syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, seconds) == 0;
    if (ends && ::syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions) == 0) return {};
    const int code = errno;
    HF_TRY(lock_domain(trust, domain));
    return keyring_error(code, "unlock");
}

Result<void> lock_domain(const TrustId& trust, const DomainId& domain) {
    const long key = find_key(name_of(trust, domain));
    if (key < 0) return {};
    if (::syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING) == 0) return {};
    return keyring_error(errno, "end an unlock");
}

void add_unlocked(const TrustId& trust, const std::map<DomainId, vault::OwnDomain>& domains,
                  vault::LazyKeys& keys) {
    for (const auto& [id, domain] : domains) {
        if (domain.record.opening_keys != vault::OpeningKeys::Locked) continue;
        auto opening = unlocked_domain(trust, id);
        if (opening && opening->public_key == domain.record.opening_key) {
            keys.add_opening(id, *std::move(opening));
        }
    }
}

}  // namespace holdfast::agent
