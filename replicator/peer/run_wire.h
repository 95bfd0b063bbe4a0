// Run wire: what an owner may say about runs of its systems here, as JSON (docs/peer-api.yaml).
//
// A partner's text is read field by field and written anew before this node's agent sees it; so
// nothing reaches the agent that is not named here, an owner least of all. Errors of all parsers:
// Invalid.
#pragma once

#include "vault/base/units.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t run_text_bytes_max = 128;
constexpr std::size_t run_shares_max = 32;
constexpr std::size_t run_share_bytes_max = 4_KiB;
constexpr std::size_t run_record_bytes_max = 16_KiB;        // An order, an attestation, a release.
constexpr std::size_t run_release_keys_bytes_max = 12_MiB;  // About 100 000 segments: 1.5 TB.
constexpr std::size_t run_body_bytes_max = 17_MiB;

/// A record that two persons signed, and the keys that it commits to (vault/keys/release.h).
struct RunRelease {
    Buffer record;
    Buffer keys;
};

struct RunQuestion {
    std::string kind;        // "drill" or "failover": said in full, since nothing turns one into
    std::string system;      // the other.
    std::string snapshot;    // The beginning of its id; empty: the newest.
    std::string ordered_by;  // Who asked at the owner's, as the owner's node says.
    std::vector<Buffer> shares;
    std::optional<RunRelease> release;
};
std::string encode(const RunQuestion& question);
Result<RunQuestion> parse_run_question(View json);

/// A person's signature under an order.
struct RunApproval {
    Buffer record;
    Buffer attestation;  // Empty: none.
};
std::string encode(const RunApproval& approval);
Result<RunApproval> parse_run_approval(View json);

std::string encode_run_share(View share);
Result<Buffer> parse_run_share(View json);

std::string encode(const RunRelease& release);
Result<RunRelease> parse_run_release(View json);

/// What is asked of a run that exists: the last word of its path.
enum class RunCall { Approvals, Shares, Release, Pause, Resume, Abort, Stop };
/// Nothing if there is no such call.
std::optional<RunCall> run_call(std::string_view word);
/// The body for the agent. Errors: Invalid.
Result<std::string> run_call_body(RunCall call, View json);

/// The number of a run in a path, as it came. Errors: Invalid.
Result<std::string> run_number(const std::string& text);

/// The system of a run, from the agent's own answer. Errors: Corrupt.
Result<std::string> system_of_run(View json);

}  // namespace holdfast::replicator
