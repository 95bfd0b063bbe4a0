// A certificate as people compare it: browsers show the hash of the certificate, not of its key.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/result.h"

#include <string>

namespace holdfast::replicator {

/// SHA-256 of a certificate in PEM, "AB:CD:…". Errors: Invalid (no certificate), Io.
Result<std::string> certificate_fingerprint(View pem);

}  // namespace holdfast::replicator
