// Open bodies: the first entry of a chain (docs/vault-format.md, 11).
//
// A chain is a node's writing hand. A node whose chain is damaged, or shorter than it knows it to
// be (an old disk, a virtual machine put back), must not go on with it: two entries of one number
// are a fork, which partners refuse. It opens another, which names the last head that is known of
// the old one. So the body says what should be there, and a reader sees what is missing.
// Pure functions.
#pragma once

#include "vault/ledger/chain.h"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::vault {

struct OpenBody {
    PublicKey node;  // Its ledger key.
    std::string name;
    std::optional<ChainHead> after;  // What it goes on from. A length of 0: nothing of it held.
};

std::string encode_open_body(const OpenBody& body);

/// Nothing if the body is of another type. `trust` is that of the entry. Errors: Corrupt.
Result<std::optional<OpenBody>> parse_open_body(std::string_view json, const TrustId& trust);

}  // namespace holdfast::vault
