// Carry: a run of entries that lets a chain begin anew (docs/vault-format.md, 11).
//
//   body   := 0x02  part: u32  parts: u32  piece        parts of one carry are entries in a row
//   pieces := (peak: id)*  entries: varint  entry: blob*
//
// A ledger would grow for ever: a snapshot of each five minutes, and nothing ever leaves. A carry
// holds, word by word, the entries before its first part that still say something, and the peaks of
// the Merkle tree over all of them, from which the chain goes on. So whoever has a whole carry
// needs nothing before it, and the chain's heads stay what they were. Who signed the carry vouches
// for the carried entries that they signed; others' signatures are checked.
// Pure functions.
#pragma once

#include "vault/ledger/chain.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::vault {

constexpr std::uint32_t carry_parts_max = 1024;

struct CarryPlace {
    std::uint32_t part = 0;
    std::uint32_t parts = 0;
};

/// Nothing if the entry is no part of a carry.
std::optional<CarryPlace> carry_place(const LedgerEntry& entry);

/// The bodies of the entries that carry `kept` over, in rising order of numbers, on a chain whose
/// tree is `log`. Errors: Full (more than fits into carry_parts_max entries).
Result<std::vector<Buffer>> carry_bodies(const MerkleLog& log,
                                         const std::vector<const LedgerEntry*>& kept);

/// The chain that `first`, part 0 of a carry, goes on from: it is the next to be appended.
/// Errors: Corrupt, Denied (its tree is not the one that its `previous` says).
Result<Chain> chain_before(const LedgerEntry& first);

struct Carry {
    Chain chain;                       // That before the first part.
    std::vector<LedgerEntry> entries;  // The carried ones.
};

/// `parts` are all of one carry, in their order; that their signatures hold is Chain's to check.
/// Errors: as chain_before(); Denied (a carried entry is not of this chain, or badly signed).
Result<Carry> read_carry(std::span<const LedgerEntry> parts, const MaySign& may_sign);

}  // namespace holdfast::vault
