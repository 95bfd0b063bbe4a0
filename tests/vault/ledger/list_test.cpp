#include "vault/ledger/list.h"

#include <catch2/catch.hpp>

#include "vault/crypto/hash.h"
#include "vault/crypto/merkle.h"

#include <algorithm>
#include <map>

using namespace holdfast;
using namespace holdfast::vault;

namespace {

PackSet packs(std::initializer_list<int> numbers) {
    PackSet set;
    for (const int number : numbers)
        set.push_back({hash("test", as_view(std::to_string(number))).digest});
    std::sort(set.begin(), set.end());
    return set;
}

PackSet many_packs(int from, int end) {
    PackSet set;
    for (int n = from; n < end; ++n)
        set.push_back({hash("test", as_view(std::to_string(n))).digest});
    std::sort(set.begin(), set.end());
    return set;
}

struct Shelf {
    std::map<ListId, Buffer> objects;

    ResolvedList put(PackSet set, const ResolvedList* base = nullptr) {
        BuiltList built = build_list(std::move(set), base);
        objects[built.list.id] = built.object;
        return built.list;
    }
    Result<ResolvedList> resolve(const ListId& id) const {
        return resolve_list(id, [&](const ListId& wanted) -> Result<Buffer> {
            const auto found = objects.find(wanted);
            if (found == objects.end()) return Error{Errc::NotFound, "not on the shelf"};
            return found->second;
        });
    }
};

void check_refused(const Buffer& bytes) {
    const auto parsed = parse_list(bytes);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::Corrupt);
}

Buffer list_of(const PackSet& removed, const PackSet& added) {
    Buffer bytes;
    ByteWriter out(bytes);
    out.bytes(as_view("HFLIST1\n"));
    out.bytes(ListId{}.view());
    for (const PackSet& set : {removed, added}) {
        out.varint(set.size());
        for (const PackId& id : set) out.bytes(id.view());
    }
    return bytes;
}

}  // namespace

TEST_CASE("a list's name commits to the number and the tree of its packs", "[vault][ledger]") {
    const PackSet set = packs({1, 2, 3});
    std::vector<Digest> leaves;
    for (const PackId& id : set) leaves.push_back(merkle_leaf_hash(id.view()));
    Buffer message{3, 0, 0, 0, 0, 0, 0, 0};
    ByteWriter(message).bytes(merkle_root(leaves).view());
    CHECK(list_id(set).digest == hash("list", message).digest);
    CHECK(list_id({}).digest == hash("list", Buffer(40)).digest);
}

TEST_CASE("a list comes back whole and through its bases", "[vault][ledger]") {
    Shelf shelf;
    const ResolvedList first = shelf.put(many_packs(0, 100));
    CHECK(first.bases == 0);
    PackSet set = many_packs(3, 110);
    const ResolvedList second = shelf.put(set, &first);
    CHECK(second.bases == 1);
    CHECK(shelf.objects[second.id].size() < shelf.objects[first.id].size() / 2);

    CHECK(shelf.resolve(first.id)->packs == many_packs(0, 100));
    const auto resolved = shelf.resolve(second.id);
    REQUIRE(resolved);
    CHECK(resolved->packs == set);
    CHECK(resolved->bases == 1);
}

TEST_CASE("the empty list and the unchanged list are lists", "[vault][ledger]") {
    Shelf shelf;
    const ResolvedList empty = shelf.put({});
    CHECK(shelf.resolve(empty.id)->packs.empty());
    const ResolvedList full = shelf.put(packs({1, 2}), &empty);
    CHECK(full.bases == 0);
    CHECK(build_list(packs({1, 2}), &full).list.id == full.id);
}

TEST_CASE("a list is written whole when its change is large", "[vault][ledger]") {
    Shelf shelf;
    const ResolvedList first = shelf.put(many_packs(0, 100));
    CHECK(shelf.put(many_packs(30, 110), &first).bases == 0);
}

TEST_CASE("after 32 bases a list is written whole again", "[vault][ledger]") {
    Shelf shelf;
    ResolvedList list = shelf.put(many_packs(0, 100));
    for (int n = 1; n <= 33; ++n) {
        list = shelf.put(many_packs(0, 100 + n), &list);
        CHECK(list.bases == (n <= 32 ? static_cast<unsigned>(n) : 0U));
        REQUIRE(shelf.resolve(list.id));
        CHECK(shelf.resolve(list.id)->packs == many_packs(0, 100 + n));
    }
}

TEST_CASE("too many bases, and bases in a circle, are refused", "[vault][ledger]") {
    Shelf shelf;
    ListId base = shelf.put(many_packs(0, 10)).id;
    for (int n = 11; n < 44; ++n) {
        const ListId id = list_id(many_packs(0, n));
        shelf.objects[id] = encode_list({base, {}, many_packs(n - 1, n)});
        base = id;
    }
    CHECK(shelf.resolve(list_id(many_packs(0, 42))));
    CHECK(shelf.resolve(base).error().code == Errc::Corrupt);

    const ListId circle = list_id(packs({1}));
    shelf.objects[circle] = encode_list({circle, {}, packs({1})});
    CHECK(shelf.resolve(circle).error().code == Errc::Corrupt);
}

TEST_CASE("a missing base is told by name", "[vault][ledger]") {
    Shelf shelf;
    const ResolvedList first = shelf.put(many_packs(0, 10));
    const ResolvedList second = shelf.put(many_packs(0, 11), &first);
    shelf.objects.erase(first.id);
    const auto resolved = shelf.resolve(second.id);
    REQUIRE_FALSE(resolved);
    CHECK(resolved.error().code == Errc::NotFound);
    CHECK(resolved.error().message.find(first.id.brief()) != std::string::npos);
}

TEST_CASE("a list with any bit flipped is refused", "[vault][ledger]") {
    Shelf shelf;
    const ResolvedList first = shelf.put(packs({1, 2, 3, 4, 5, 6, 7, 8, 9}));
    const ResolvedList second = shelf.put(packs({2, 3, 4, 5, 6, 7, 8, 9, 10}), &first);
    REQUIRE(second.bases == 1);
    for (const ListId& damaged : {first.id, second.id}) {
        const Buffer good = shelf.objects[damaged];
        for (std::size_t bit = 0; bit < 8 * good.size(); bit += 3) {
            Buffer& bad = shelf.objects[damaged];
            bad = good;
            bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            REQUIRE_FALSE(shelf.resolve(second.id));
        }
        shelf.objects[damaged] = good;
    }
    CHECK(shelf.resolve(second.id));
}

TEST_CASE("lists out of order, with doubles, cut or over-long are refused", "[vault][ledger]") {
    const PackSet sorted = packs({1, 2});
    const PackSet reversed(sorted.rbegin(), sorted.rend());
    REQUIRE(parse_list(list_of({}, sorted)));
    check_refused(list_of({}, reversed));
    check_refused(list_of(reversed, {}));
    check_refused(list_of({}, {sorted[0], sorted[0]}));
    check_refused(list_of({sorted[0]}, sorted));

    const Buffer good = list_of({sorted[0]}, {sorted[1]});
    for (std::size_t n = 0; n < good.size(); ++n) {
        check_refused(Buffer(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)));
    }
    Buffer longer = good;
    longer.push_back(0);
    check_refused(longer);
}

TEST_CASE("a count that the bytes cannot hold is refused before memory is taken",
          "[vault][ledger]") {
    for (const std::uint64_t count :
         {std::uint64_t{1}, std::uint64_t{list_packs_max}, std::uint64_t{list_packs_max} + 1,
          std::uint64_t{1} << 59, ~std::uint64_t{0}}) {
        Buffer bytes = list_of({}, {});
        bytes.pop_back();
        ByteWriter(bytes).varint(count);
        check_refused(bytes);
    }
}
