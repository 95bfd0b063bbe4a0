#include "vault/keys/release.h"

#include "vault/base/clock.h"
#include "vault/crypto/hash.h"
#include "vault/keys/json_fields.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::string_view release_type = "release";
constexpr std::size_t entry_bytes = 32 + 32 + 16 + 1 + 1 + 32;

Buffer context_of(const Release& release) {
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(release.owner.view());
    writer.bytes(release.host.view());
    writer.bytes(release.snapshot.view());
    writer.bytes(release.list.view());
    return out;
}

Digest hash_of(View sealed_keys) {
    return hash("release keys", sealed_keys);
}

/// One at a time: a Secret of its own costs four pages.
Result<Secret> payload_of(const std::vector<SegmentName>& segments, const KeySource& keys) {
    Secret out(segments.size() * entry_bytes);
    std::uint8_t* at = out.data();
    const auto add = [&](View bytes) { at = std::copy(bytes.begin(), bytes.end(), at); };
    for (const SegmentName& one : segments) {
        const Secret key = HF_TRY(keys.key_of(one));
        HF_ASSERT(key.size() == 32);
        add(one.domain.view());
        add(one.epoch.view());
        add(one.salt);
        *at++ = static_cast<std::uint8_t>(one.cipher);
        *at++ = static_cast<std::uint8_t>(one.kind);
        add(key.view());
    }
    return out;
}

Result<SegmentName> read_segment(ByteReader& in) {
    SegmentName name;
    name.domain = DomainId::read(in);
    name.epoch = EpochId::read(in);
    const View salt = in.bytes(name.salt.size());
    std::copy(salt.begin(), salt.end(), name.salt.begin());
    name.cipher = HF_TRY(cipher_from(in.u8()));
    const std::uint8_t kind = in.u8();
    if (kind < static_cast<std::uint8_t>(Kind::Data) ||
        kind > static_cast<std::uint8_t>(Kind::Ledger)) {
        return Error{Errc::Corrupt, "unknown kind " + std::to_string(kind)};
    }
    name.kind = static_cast<Kind>(kind);
    return name;
}

std::string body_of(const Release& release) {
    return json_text({{"owner", release.owner.hex()},
                      {"host", release.host.hex()},
                      {"host_key", release.host_key.hex()},
                      {"snapshot", release.snapshot.hex()},
                      {"list", release.list.hex()},
                      {"system", release.system},
                      {"purpose", release.purpose},
                      {"time", release.time},
                      {"until", release.until},
                      {"keys_hash", release.keys_hash.hex()}});
}

Release read_release(Fields in) {
    Release release;
    release.owner = in.id<TrustId>("owner");
    release.host = in.id<TrustId>("host");
    release.host_key = in.id<PublicKey>("host_key");
    release.snapshot = in.id<Digest>("snapshot");
    release.list = in.id<ListId>("list");
    release.system = in.text("system");
    release.purpose = in.text("purpose", release_purpose_max);
    release.time = in.time("time");
    release.until = in.time("until");
    release.keys_hash = in.id<Digest>("keys_hash");
    return release;
}

std::string name_of(const Release& release) {
    return "the release of " + release.system + ", snapshot " + release.snapshot.brief();
}

}  // namespace

Result<NewRelease> make_release(const Release& release, const std::vector<SegmentName>& segments,
                                const KeySource& keys) {
    const bool named = !release.system.empty() && release.system.size() <= name_bytes_max &&
                       !release.purpose.empty() && release.purpose.size() <= release_purpose_max;
    if (!named || release.until <= release.time) {
        return Error{Errc::Invalid, "a release needs a system, a purpose and an end date"};
    }
    if (segments.empty() || segments.size() > release_segments_max) {
        return Error{Errc::Invalid, name_of(release) + " would have " +
                                        std::to_string(segments.size()) + " keys; 1 to " +
                                        std::to_string(release_segments_max) + " are possible"};
    }
    Release own = release;
    NewRelease made;
    const Secret payload = HF_TRY(payload_of(segments, keys));
    made.sealed_keys = wrap(release_type, context_of(own), payload.view(), own.host_key);
    own.keys_hash = hash_of(made.sealed_keys);
    made.record = {std::string(release_type), addressed_to(own.host), own.number, body_of(own), {}};
    return made;
}

Result<Release> parse_release(const Record& record, const TrustId& host) {
    HF_TRY(expect(record, release_type, addressed_to(host)));
    JsonText body = HF_TRY(JsonText::parse(record.body, "release"));
    Release release = read_release(body.top());
    HF_TRY(body.check());
    release.number = record.number;
    if (release.host != host) {
        return Error{Errc::Denied, name_of(release) + " is for another host"};
    }
    return release;
}

Result<ReleaseKeys> ReleaseKeys::open(const Release& release, View sealed_keys, const BoxKey& host,
                                      std::int64_t now_ms) {
    const std::string where = name_of(release);
    if (now_ms >= release.until) {
        return Error{Errc::Denied, where + " ended at " + format_time(release.until) +
                                       ": ask its owner for a new one"};
    }
    if (hash_of(sealed_keys) != release.keys_hash) {
        return Error{Errc::Corrupt, where + ": these are not the keys that were signed for"};
    }
    const Secret payload =
        HF_TRY(unwrap(release_type, context_of(release), sealed_keys, host).within(where));
    ByteReader in(payload.view());
    ReleaseKeys keys;
    while (in.ok() && in.left() > 0) {
        const SegmentName name = HF_TRY(read_segment(in).within(where));
        const View key = in.bytes(32);
        if (!in.ok()) break;
        keys.keys_.try_emplace(name, Secret::copy_of(key));
        keys.domains_[name.epoch] = name.domain;
    }
    if (!in.done()) return Error{Errc::Corrupt, where + ": its keys are cut off"};
    return keys;
}

Result<DomainId> ReleaseKeys::domain_of(const EpochId& epoch) const {
    const auto at = domains_.find(epoch);
    if (at != domains_.end()) return at->second;
    return Error{Errc::NotFound, "epoch " + epoch.brief() + " is not part of the release"};
}

Result<Secret> ReleaseKeys::key_of(const SegmentName& segment) const {
    const auto at = keys_.find(segment);
    if (at != keys_.end()) return at->second.clone();
    return Error{Errc::NotFound, "a segment of epoch " + segment.epoch.brief() +
                                     " is not part of the release: its keys are for one snapshot"};
}

}  // namespace holdfast::vault
