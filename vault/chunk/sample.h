// Samples: what a look at a few KiB of a chunk tells about compressing it.
//
// Both looks are guesses: a wrong one costs size or time, never correctness. Measured on one core,
// 128 KiB chunks, where compressing takes 300 us and more: see each function. Trial compressions
// were tried instead: they choose no better and cost a third of compressing an image.
// Pure functions.
#pragma once

#include "vault/base/bytes.h"
#include "vault/chunk/filter.h"

namespace holdfast::vault {

/// The filter under which three windows of `content` have the lowest entropy, byte by byte, by a
/// margin. Two steps: where neighbouring 16-bit samples differ much, as in text, the answer is None
/// after 4 us; else entropies are counted, in 20 us.
Filter choose_filter(View content);

/// True if no byte value in `content` is commoner than chance has it: ciphertext, compressed files.
/// Takes 2 us. Does not see repetitions. False below 16 KiB.
bool looks_random(View content);

}  // namespace holdfast::vault
