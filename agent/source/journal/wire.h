// Wire: what the journal's process and a snapshot say to each other, over a Unix socket that only
// their user may open.
//
//   ask:    u8 1, source, token (empty: only name the moment that is now)
//   answer: u8 1, u8 0 | 1 (failed), then: token or what failed, why it is unknown (empty: known),
//           varint count, (u8 deep, path)…
//
// Each message is a u32 length and as many bytes.
#pragma once

#include "agent/source/journal/journal.h"

#include <string>

namespace holdfast::agent::journal {

constexpr std::size_t ask_bytes_max = 4 << 10;
constexpr std::size_t answer_bytes_max = 256 << 20;

struct Ask {
    std::string source;
    std::string token;
};

struct Answer {
    std::string token;  // Of an ask without one.
    Changes changes;    // Of an ask with one.
};

Buffer encode_ask(const Ask& ask);
Buffer encode_answer(const Result<Answer>& answer);
/// Errors: Corrupt.
Result<Ask> parse_ask(View message);
/// Errors: Corrupt, Io (what the other side failed with).
Result<Answer> parse_answer(View message);

/// Errors: Unreachable (the other side went, or is too slow), Io.
Result<void> send_message(int socket, View message);
/// Errors: as send_message(), Corrupt (over `bytes_max`).
Result<Buffer> receive_message(int socket, std::size_t bytes_max);

}  // namespace holdfast::agent::journal
