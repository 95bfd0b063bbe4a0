// Until: a moment that a streamed system is to be restored to, and the snapshot that reaches it.
#pragma once

#include "vault/vault_reader.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::agent::cli {

/// "2026-11-28T02:50:00Z", with or without a fraction of a second: milliseconds since 1970.
/// Errors: Invalid.
Result<std::int64_t> parse_moment(std::string_view text);

/// Of `system` the first tail whose log reaches `until_ms`, on a copy that was whole before.
/// Errors: NotFound (says what can be reached), those of manifest().
Result<vault::SnapshotRecord> snapshot_until(vault::VaultReader& reader, const std::string& system,
                                             std::int64_t until_ms);

}  // namespace holdfast::agent::cli
