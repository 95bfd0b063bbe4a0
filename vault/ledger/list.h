// Lists: the set of packs that a snapshot stands on. (docs/vault-format.md, 10)
//
//   list := "HFLIST1\n"  base: id  removed: varint  id*  added: varint  id*   (both sorted)
//
// An object holds a set as a change of another list's set, its base. A list's name commits to the
// set and not to the object, so the same set may rest in other words elsewhere; and whoever has
// resolved a list by its name has the right set, whatever the bases were.
// Pure functions.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/units.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace holdfast::vault {

constexpr std::size_t list_packs_max = 1 << 24;
constexpr unsigned list_bases_max = 32;  // How many bases a list may have behind it.
constexpr std::size_t list_bytes_max = (2 * list_packs_max + 2) * 32;

using PackSet = std::vector<PackId>;  // Sorted, no id twice.

/// One list object, as it is written.
struct ListObject {
    ListId base;  // Zeros: none.
    PackSet removed;
    PackSet added;
};

/// The name of a set.
ListId list_id(const PackSet& packs);

Buffer encode_list(const ListObject& object);

/// Errors: Corrupt (anything but what encode_list writes within the limits).
Result<ListObject> parse_list(View bytes);

/// A list with its set, as resolve_list gives it and as the next list builds on it.
struct ResolvedList {
    ListId id;
    PackSet packs;
    unsigned bases = 0;  // How many lists it was read through.
};

struct BuiltList {
    ResolvedList list;
    Buffer object;
};

/// The object for the set `packs` (at most list_packs_max): a change of `base` if there is one
/// with room behind it and the change takes less than half of the whole set; else all of it.
BuiltList build_list(PackSet packs, const ResolvedList* base);

/// Brings the object of a list; NotFound if there is none.
using FetchList = std::function<Result<Buffer>(const ListId&)>;

/// The set that `id` names. Errors: those of `fetch`, Corrupt (an object is malformed, the bases
/// are too many, or the set is not the one that `id` commits to).
Result<ResolvedList> resolve_list(const ListId& id, const FetchList& fetch);

}  // namespace holdfast::vault
