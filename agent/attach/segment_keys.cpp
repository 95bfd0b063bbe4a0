#include "agent/attach/segment_keys.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t entry_bytes = 32 + 32 + 16 + 1 + 1 + key_bytes;

void write_name(ByteWriter& out, const vault::SegmentName& name) {
    out.bytes(name.domain.view());
    out.bytes(name.epoch.view());
    out.bytes(name.salt);
    out.u8(static_cast<std::uint8_t>(name.cipher));
    out.u8(static_cast<std::uint8_t>(name.kind));
}

Result<vault::SegmentName> read_name(ByteReader& in) {
    vault::SegmentName name;
    name.domain = DomainId::read(in);
    name.epoch = EpochId::read(in);
    const View salt = in.bytes(name.salt.size());
    std::copy(salt.begin(), salt.end(), name.salt.begin());
    name.cipher = HF_TRY(vault::cipher_from(in.u8()));
    name.kind = static_cast<vault::Kind>(in.u8());
    return name;
}

}  // namespace

void SegmentKeys::add(const vault::SegmentName& segment, View key) {
    keys_.try_emplace(segment, vault::Secret::copy_of(key));
    domains_[segment.epoch] = segment.domain;
}

Result<SegmentKeys> SegmentKeys::collect(vault::ChunkIndex& index, const vault::KeySource& keys,
                                         bool released) {
    SegmentKeys out;
    const auto segments = HF_TRY(index.segments());
    if (segments.size() > segment_keys_max) {
        return Error{Errc::Full, "the snapshot has more than " + std::to_string(segment_keys_max) +
                                     " segments: it cannot be mounted"};
    }
    for (const vault::SegmentName& segment : segments) {
        const auto key = keys.key_of(segment);
        if (!key && released && key.error().code == Errc::NotFound) continue;
        if (!key) return key.error();
        out.add(segment, key->view());
    }
    return out;
}

vault::Secret SegmentKeys::encode() const {
    vault::Secret out(keys_.size() * entry_bytes);
    std::uint8_t* at = out.data();
    for (const auto& [name, key] : keys_) {
        Buffer clear;
        ByteWriter writer(clear);
        write_name(writer, name);
        at = std::copy(clear.begin(), clear.end(), at);
        at = std::copy(key.view().begin(), key.view().end(), at);
    }
    return out;
}

Result<SegmentKeys> SegmentKeys::parse(View bytes) {
    SegmentKeys out;
    ByteReader in(bytes);
    while (in.left() > 0 && in.ok()) {
        const vault::SegmentName name = HF_TRY(read_name(in));
        const View key = in.bytes(key_bytes);
        if (in.ok()) out.add(name, key);
    }
    if (!in.done()) return Error{Errc::Corrupt, "the keys of the snapshot are cut off"};
    return out;
}

Result<DomainId> SegmentKeys::domain_of(const EpochId& epoch) const {
    const auto at = domains_.find(epoch);
    if (at != domains_.end()) return at->second;
    return Error{Errc::NotFound, "epoch " + epoch.brief() + " is not this snapshot's"};
}

Result<vault::Secret> SegmentKeys::key_of(const vault::SegmentName& segment) const {
    const auto at = keys_.find(segment);
    if (at != keys_.end()) return at->second.clone();
    return Error{Errc::NotFound,
                 "a segment of epoch " + segment.epoch.brief() + " is not this snapshot's"};
}

}  // namespace holdfast::agent
