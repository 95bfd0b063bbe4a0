#include "vault/ledger/list.h"

#include "vault/base/assert.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/merkle.h"

#include <algorithm>
#include <iterator>

namespace holdfast::vault {

namespace {

constexpr std::string_view list_magic = "HFLIST1\n";

Error bad_list(const std::string& what) {
    return {Errc::Corrupt, "list: " + what + "; fetch it again from another vault"};
}

// True if sorted and without an id twice.
bool is_set(const PackSet& packs) {
    return std::adjacent_find(packs.begin(), packs.end(), std::greater_equal<>()) == packs.end();
}

PackSet minus(const PackSet& a, const PackSet& b) {
    PackSet rest;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
    return rest;
}

bool disjoint(const PackSet& a, const PackSet& b) {
    return minus(a, b).size() == a.size();
}

PackSet change(const PackSet& base, const ListObject& object) {
    const PackSet kept = minus(base, object.removed);
    PackSet packs;
    packs.reserve(kept.size() + object.added.size());
    std::set_union(kept.begin(), kept.end(), object.added.begin(), object.added.end(),
                   std::back_inserter(packs));
    return packs;
}

void write_set(const PackSet& packs, ByteWriter& out) {
    out.varint(packs.size());
    for (const PackId& id : packs) out.bytes(id.view());
}

PackSet read_set(ByteReader& in) {
    const std::uint64_t count = in.varint();
    // Asked before memory is, and in this order: the product cannot overflow.
    if (count > list_packs_max || count * sizeof(PackId) > in.left()) in.fail();
    PackSet packs(in.ok() ? static_cast<std::size_t>(count) : 0);
    for (PackId& id : packs) id = PackId::read(in);
    if (!is_set(packs)) in.fail();
    return packs;
}

// The objects from `id` down to one without a base.
Result<std::vector<ListObject>> fetch_with_bases(const ListId& id, const FetchList& fetch) {
    std::vector<ListObject> objects;
    ListId next = id;
    do {
        if (objects.size() > list_bases_max) {
            return bad_list(id.brief() + " has more than 32 bases behind it");
        }
        const Buffer bytes = HF_TRY(fetch(next).within("list " + next.brief()));
        objects.push_back(HF_TRY(parse_list(bytes).within("list " + next.brief())));
        next = objects.back().base;
    } while (!next.zero());
    return objects;
}

}  // namespace

ListId list_id(const PackSet& packs) {
    MerkleLog tree;
    for (const PackId& id : packs) tree.append(merkle_leaf_hash(id.view()));
    Buffer count;
    ByteWriter(count).u64(packs.size());
    return ListId{hash("list", {count, tree.root().view()}).digest};
}

Buffer encode_list(const ListObject& object) {
    HF_ASSERT(is_set(object.removed) && is_set(object.added));
    Buffer bytes;
    bytes.reserve((object.removed.size() + object.added.size() + 2) * sizeof(PackId));
    ByteWriter out(bytes);
    out.bytes(as_view(list_magic));
    out.bytes(object.base.view());
    write_set(object.removed, out);
    write_set(object.added, out);
    return bytes;
}

Result<ListObject> parse_list(View bytes) {
    if (bytes.size() > list_bytes_max) return bad_list("over its longest length");
    ByteReader in(bytes);
    if (as_text(in.bytes(list_magic.size())) != list_magic)
        return bad_list("not a list of version 1");
    ListObject object;
    object.base = ListId::read(in);
    object.removed = read_set(in);
    object.added = read_set(in);
    if (!in.done()) return bad_list("cut short, over-long, or not sorted");
    if (!disjoint(object.removed, object.added))
        return bad_list("takes out a pack that it puts in");
    return object;
}

BuiltList build_list(PackSet packs, const ResolvedList* base) {
    HF_ASSERT(packs.size() <= list_packs_max && is_set(packs));
    BuiltList built;
    ListObject object;
    if (base != nullptr && base->bases < list_bases_max) {
        ListObject delta{base->id, minus(base->packs, packs), minus(packs, base->packs)};
        if (2 * (delta.removed.size() + delta.added.size()) < packs.size()) {
            built.list.bases = base->bases + 1;
            object = std::move(delta);
        }
    }
    if (object.base.zero()) object.added = packs;
    built.object = encode_list(object);
    built.list.id = list_id(packs);
    built.list.packs = std::move(packs);
    return built;
}

Result<ResolvedList> resolve_list(const ListId& id, const FetchList& fetch) {
    const std::vector<ListObject> objects = HF_TRY(fetch_with_bases(id, fetch));
    ResolvedList list;
    list.id = id;
    list.bases = static_cast<unsigned>(objects.size() - 1);
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
        list.packs = change(list.packs, *object);
        if (list.packs.size() > list_packs_max) return bad_list(id.brief() + " has too many packs");
    }
    if (list_id(list.packs) != id) {
        return bad_list(id.brief() +
                        " or one of its bases is not the set that its name commits to");
    }
    return list;
}

}  // namespace holdfast::vault
