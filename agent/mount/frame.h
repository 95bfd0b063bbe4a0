// Frames of the journal: how they are laid out, found and checked. (journal.h has the format)
#pragma once

#include "vault/base/bytes.h"

#include <optional>

namespace holdfast::agent {

constexpr std::size_t frame_head_bytes = 24;
constexpr std::uint64_t frame_payload_bytes_max = 1U << 30;

/// Appends frame `number` with `payload` to `out`.
void append_frame(Buffer& out, std::uint64_t number, View payload);

/// The payload of frame `number` if a whole, checked one is at the beginning of `bytes`.
std::optional<View> frame_at(View bytes, std::uint64_t number);

/// True if any whole, checked frame with a number above `number` is anywhere in `bytes`.
bool later_frame_in(View bytes, std::uint64_t number);

}  // namespace holdfast::agent
