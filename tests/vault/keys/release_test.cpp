#include "vault/keys/release.h"

#include "tests/vault/keys/trust.h"
#include "vault/crypto/hash.h"

using namespace holdfast;
using namespace holdfast::vault;
using test::now_ms;
using test::Trust;

namespace {

/// Any segment has a key: the hash of its salt.
class SaltKeys final : public KeySource {
public:
    Result<DomainId> domain_of(const EpochId&) const override {
        return Error{Errc::NotFound, "not asked for here"};
    }
    Result<Secret> key_of(const SegmentName& segment) const override {
        return Secret::copy_of(hash("salt", segment.salt).view());
    }
};

struct ReleaseSetting {
    Trust owner;
    Trust host;
    SaltKeys keys;
    std::vector<SegmentName> segments;
    Release release;

    ReleaseSetting() {
        const EpochId epoch = system_random().id<EpochId>();
        const DomainId domain = system_random().id<DomainId>();
        for (const Kind kind : {Kind::Data, Kind::Meta, Kind::Refs, Kind::Directory}) {
            SegmentName name{domain, epoch, {}, Cipher::Aes256Gcm, kind};
            system_random().fill(name.salt);
            segments.push_back(name);
        }
        release.number = 3;
        release.owner = owner.id;
        release.host = host.id;
        release.host_key = host.box.public_key;
        release.snapshot = system_random().id<Digest>();
        release.list = system_random().id<ListId>();
        release.system = "epr";
        release.purpose = "drill of November";
        release.time = now_ms;
        release.until = now_ms + 1000;
    }

    NewRelease made() const {
        Result<NewRelease> result = make_release(release, segments, keys);
        REQUIRE(result);
        sign(result->record, owner.officer);
        return *std::move(result);
    }
};

}  // namespace

TEST_CASE("a release gives its host the keys of one snapshot, and no others", "[vault][keys]") {
    const ReleaseSetting s;
    const NewRelease made = s.made();
    const Record record = *parse_record(encode(made.record));
    const Result<Release> facts = parse_release(record, s.host.id);
    REQUIRE(facts);
    CHECK(facts->number == 3);
    CHECK(facts->snapshot == s.release.snapshot);
    CHECK(facts->list == s.release.list);
    CHECK(facts->purpose == "drill of November");
    const Result<ReleaseKeys> keys =
        ReleaseKeys::open(*facts, made.sealed_keys, s.host.box, now_ms);
    REQUIRE(keys);
    CHECK(keys->size() == s.segments.size());
    for (const SegmentName& one : s.segments) {
        CHECK(equal_in_constant_time(keys->key_of(one)->view(), s.keys.key_of(one)->view()));
    }
    SegmentName other = s.segments[0];
    CHECK(*keys->domain_of(other.epoch) == other.domain);
    other.salt[0] ^= 1;
    CHECK(keys->key_of(other).error().code == Errc::NotFound);
    CHECK(keys->domain_of({}).error().code == Errc::NotFound);
}

TEST_CASE("a release is for its host alone, and ends", "[vault][keys]") {
    const ReleaseSetting s;
    const NewRelease made = s.made();
    CHECK(parse_release(made.record, s.owner.id).error().code == Errc::Denied);
    const Release facts = *parse_release(made.record, s.host.id);
    CHECK(ReleaseKeys::open(facts, made.sealed_keys, s.owner.box, now_ms).error().code ==
          Errc::Corrupt);
    CHECK(ReleaseKeys::open(facts, made.sealed_keys, s.host.box, facts.until).error().code ==
          Errc::Denied);
}

TEST_CASE("keys that were not signed for are refused", "[vault][keys]") {
    const ReleaseSetting s;
    const NewRelease made = s.made();
    const NewRelease other = s.made();
    const Release facts = *parse_release(made.record, s.host.id);
    CHECK_FALSE(ReleaseKeys::open(facts, other.sealed_keys, s.host.box, now_ms));
    for (std::size_t i = 0; i < made.sealed_keys.size(); ++i) {
        Buffer bad = made.sealed_keys;
        bad[i] ^= 0x01;
        CHECK_FALSE(ReleaseKeys::open(facts, bad, s.host.box, now_ms));
    }
    // Keys of another snapshot do not pass even if the hash is made to fit.
    Release moved = facts;
    moved.snapshot = system_random().id<Digest>();
    CHECK_FALSE(ReleaseKeys::open(moved, made.sealed_keys, s.host.box, now_ms));
}

TEST_CASE("a release without keys, purpose or end is not made", "[vault][keys]") {
    const ReleaseSetting s;
    Release bad = s.release;
    bad.purpose.clear();
    CHECK(make_release(bad, s.segments, s.keys).error().code == Errc::Invalid);
    bad = s.release;
    bad.until = bad.time;
    CHECK(make_release(bad, s.segments, s.keys).error().code == Errc::Invalid);
    CHECK(make_release(s.release, {}, s.keys).error().code == Errc::Invalid);
}

TEST_CASE("a release of many segments travels whole", "[vault][keys]") {
    ReleaseSetting s;
    const SegmentName first = s.segments[0];
    s.segments.clear();
    for (std::uint32_t i = 0; i < 5000; ++i) {
        SegmentName name = first;
        name.salt[14] = static_cast<std::uint8_t>(i >> 8);
        name.salt[15] = static_cast<std::uint8_t>(i);
        s.segments.push_back(name);
    }
    const NewRelease made = s.made();
    CHECK(encode(made.record).size() < 4_KiB);
    const Release facts = *parse_release(made.record, s.host.id);
    const Result<ReleaseKeys> keys = ReleaseKeys::open(facts, made.sealed_keys, s.host.box, now_ms);
    REQUIRE(keys);
    CHECK(keys->size() == 5000);
}
