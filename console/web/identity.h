// The console's TLS identity: a key of its own, made at the first start and kept.
//
//     STATE/console.key     PKCS #8 in PEM, mode 0600
//     STATE/console.crt     the certificate in PEM, mode 0644: `holdfast doctor` prints its hash
//
// Self-signed: whoever opens the console for the first time compares the fingerprint that the
// browser shows with the one that the node prints.
#pragma once

#include "replicator/http/tls.h"

#include <string>

namespace holdfast::console {

/// Errors: Corrupt (a file that is no key or certificate: delete both and compare anew), Full, Io.
Result<replicator::TlsIdentity> need_identity(const std::string& state_folder);

}  // namespace holdfast::console
