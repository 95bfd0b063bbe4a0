#include "vault/keys/epoch.h"

#include "tests/vault/crypto/same.h"
#include "vault/crypto/hash.h"
#include "vault/keys/key_ring.h"

#include <catch2/catch.hpp>

#include <future>

using namespace holdfast;
using namespace holdfast::vault;
using test::same;

namespace {

struct EpochSetting {
    BoxKey opening = BoxKey::make(system_random());
    BoxKey node = BoxKey::make(system_random());
    BoxKey stranger = BoxKey::make(system_random());
    DomainId domain = system_random().id<DomainId>();
    NewEpoch made = make_epoch(domain, opening.public_key, {node.public_key}, 1'700'000'000'000,
                               system_random());

    const Epoch& epoch() const { return made.epoch; }
    EpochInfo info() const { return *parse_epoch(made.object, made.epoch.id); }
};

SegmentName segment_of(const Epoch& epoch, Kind kind) {
    SegmentName name{epoch.domain, epoch.id, {}, Cipher::ChaCha20Poly1305, kind};
    name.salt[3] = 9;
    return name;
}

}  // namespace

TEST_CASE("the opening key opens both keys of an epoch", "[vault][keys]") {
    const EpochSetting s;
    const Result<Epoch> opened = open_epoch(s.info(), &s.opening, nullptr);
    REQUIRE(opened);
    CHECK(same(opened->content, s.epoch().content));
    CHECK(same(opened->map, s.epoch().map));
    CHECK(opened->domain == s.domain);
    CHECK(opened->created == 1'700'000'000'000);
}

TEST_CASE("a node opens the map key and never the content key", "[vault][keys]") {
    const EpochSetting s;
    const Result<Epoch> opened = open_epoch(s.info(), nullptr, &s.node);
    REQUIRE(opened);
    CHECK(same(opened->map, s.epoch().map));
    CHECK(opened->content.empty());
}

TEST_CASE("a stranger opens nothing of an epoch", "[vault][keys]") {
    const EpochSetting s;
    const Result<Epoch> opened = open_epoch(s.info(), &s.stranger, &s.stranger);
    REQUIRE(opened);
    CHECK(opened->content.empty());
    CHECK(opened->map.empty());
}

TEST_CASE("an epoch that a forger changed never gives a wrong key", "[vault][keys]") {
    const EpochSetting s;
    const Buffer& good = s.made.object;
    const std::size_t covered = good.size() - 32;
    for (std::size_t i = 0; i < covered; ++i) {
        Buffer bad = good;
        bad[i] ^= 0x10;
        const Digest check = hash("epoch object", View(bad).first(covered));
        std::copy(check.digest.begin(), check.digest.end(), bad.end() - 32);
        const Result<EpochInfo> info = parse_epoch(bad, s.epoch().id);
        if (!info) continue;
        const Result<Epoch> opened = open_epoch(*info, &s.opening, &s.node);
        if (!opened) continue;
        INFO("byte " << i);
        CHECK((opened->content.empty() || same(opened->content, s.epoch().content)));
        CHECK((opened->map.empty() || same(opened->map, s.epoch().map)));
    }
}

TEST_CASE("an epoch with a byte changed anywhere is refused", "[vault][keys]") {
    const EpochSetting s;
    for (std::size_t i = 0; i < s.made.object.size(); ++i) {
        Buffer bad = s.made.object;
        bad[i] ^= 0x80;
        CHECK_FALSE(parse_epoch(bad, s.epoch().id));
    }
}

TEST_CASE("an epoch under another's name, or cut, is refused", "[vault][keys]") {
    const EpochSetting s;
    const EpochSetting other;
    CHECK_FALSE(parse_epoch(s.made.object, other.epoch().id));
    for (std::size_t n = 0; n < s.made.object.size(); ++n) {
        CHECK_FALSE(parse_epoch(View(s.made.object).first(n), s.epoch().id));
    }
}

TEST_CASE("a key wrapped for another epoch does not pass as this one's", "[vault][keys]") {
    const EpochSetting s;
    const NewEpoch other =
        make_epoch(s.domain, s.opening.public_key, {s.node.public_key}, 5, system_random());
    EpochInfo info = s.info();
    info.recipients = parse_epoch(other.object, other.epoch.id)->recipients;
    const Result<Epoch> opened = open_epoch(info, &s.opening, nullptr);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::Corrupt);
}

TEST_CASE("a recipient of an unknown algorithm is left alone", "[vault][keys]") {
    const EpochSetting s;
    EpochInfo info = s.info();
    info.recipients.insert(info.recipients.begin(), {1, 77, s.opening.public_key, Buffer(200)});
    const Result<Epoch> opened = open_epoch(info, &s.opening, nullptr);
    REQUIRE(opened);
    CHECK(same(opened->content, s.epoch().content));
}

TEST_CASE("an epoch wrapped anew keeps its name and loses the old recipients", "[vault][keys]") {
    const EpochSetting s;
    const Buffer again = encode_epoch(s.epoch(), s.stranger.public_key, {});
    const Result<EpochInfo> info = parse_epoch(again, s.epoch().id);
    REQUIRE(info);
    CHECK(same(open_epoch(*info, &s.stranger, nullptr)->content, s.epoch().content));
    CHECK(open_epoch(*info, &s.opening, &s.node)->map.empty());
}

TEST_CASE("a key ring gives segment keys and says when a domain is locked", "[vault][keys]") {
    const EpochSetting s;
    KeyRing ring;
    const SegmentName data = segment_of(s.epoch(), Kind::Data);
    CHECK(ring.key_of(data).error().code == Errc::NotFound);
    ring.add_domain(s.domain, "imaging", Secret::random(32));
    ring.add(*open_epoch(s.info(), nullptr, &s.node));

    CHECK(*ring.domain_of(s.epoch().id) == s.domain);
    const SegmentName refs = segment_of(s.epoch(), Kind::Refs);
    CHECK(same(*ring.key_of(refs), segment_key(refs, s.epoch().map)));
    const Result<Secret> refused = ring.key_of(data);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Locked);
    CHECK(refused.error().message.find("imaging") != std::string::npos);
    CHECK(refused.error().message.find("unlock") != std::string::npos);

    ring.add(s.epoch());
    CHECK(same(*ring.key_of(data), segment_key(data, s.epoch().content)));
    ring.lock_domain(s.domain);
    CHECK(ring.key_of(data).error().code == Errc::Locked);
    CHECK(ring.key_of(refs));
}

TEST_CASE("a key ring refuses a segment whose domain is not its epoch's", "[vault][keys]") {
    const EpochSetting s;
    KeyRing ring;
    ring.add(s.epoch());
    SegmentName name = segment_of(s.epoch(), Kind::Data);
    name.domain = system_random().id<DomainId>();
    CHECK(ring.key_of(name).error().code == Errc::Corrupt);
    CHECK(ring.naming_of(name.domain).error().code == Errc::Locked);
}

TEST_CASE("locking a domain keeps the epoch that is being written", "[vault][keys]") {
    const EpochSetting s;
    const NewEpoch old = make_epoch(s.domain, s.opening.public_key, {}, 1, system_random());
    KeyRing ring;
    ring.add(s.epoch());
    ring.add(old.epoch);
    ring.lock_domain(s.domain, {s.epoch().id});
    CHECK(ring.knows_content(s.epoch().id));
    CHECK_FALSE(ring.knows_content(old.epoch.id));
    ring.forget_content(s.epoch().id);
    CHECK_FALSE(ring.knows_content(s.epoch().id));
    CHECK(ring.epochs().size() == 2);
}

TEST_CASE("workers ask a key ring while epochs join it and a domain is locked", "[vault][keys]") {
    const EpochSetting s;
    KeyRing ring;
    ring.add(s.epoch());
    const SegmentName refs = segment_of(s.epoch(), Kind::Refs);
    const Secret expected = segment_key(refs, s.epoch().map);
    const auto ask = [&] {
        bool right = true;
        for (int i = 0; i < 500; ++i) right = right && same(*ring.key_of(refs), expected);
        return right;
    };
    std::future<bool> one = std::async(std::launch::async, ask);
    std::future<bool> two = std::async(std::launch::async, ask);
    for (int i = 0; i < 2000; ++i) {
        Epoch joined{system_random().id<EpochId>(), s.domain, 0, Secret(32), Secret(32)};
        ring.add(joined);
        if (i % 100 == 0) ring.lock_domain(s.domain);
    }
    CHECK(one.get());
    CHECK(two.get());
}

TEST_CASE("a key ring holds the epochs of ten years of many domains", "[vault][keys]") {
    KeyRing ring;
    const Secret content = Secret::random(32);
    const Secret map = Secret::random(32);
    Epoch epoch{{}, system_random().id<DomainId>(), 0, content.clone(), map.clone()};
    constexpr std::size_t epochs = 40'000;
    for (std::size_t i = 0; i < epochs; ++i) {
        epoch.id = system_random().id<EpochId>();
        ring.add(epoch);
    }
    CHECK(ring.epochs().size() == epochs);
    const SegmentName last = segment_of(epoch, Kind::Meta);
    CHECK(same(*ring.key_of(last), segment_key(last, content)));
}
