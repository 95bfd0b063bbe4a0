#include "vault/keys/epoch.h"

#include "vault/crypto/hash.h"

namespace holdfast::vault {
namespace {

constexpr std::string_view epoch_magic = "HFEPO1\r\n";
constexpr std::string_view check_tag = "epoch object";
constexpr std::string_view content_tag = "epoch content";
constexpr std::string_view map_tag = "epoch map";
constexpr std::uint8_t algorithm_wrap = 1;

Buffer context_of(const DomainId& domain, const Digest& content_hash, const Digest& map_hash) {
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(domain.view());
    writer.bytes(content_hash.view());
    writer.bytes(map_hash.view());
    return out;
}

EpochId name_of(View context) {
    return {hash("epoch", context).digest};
}

void write_recipient(ByteWriter& writer, EpochRole role, const PublicKey& key, View wrapped) {
    writer.u8(static_cast<std::uint8_t>(role));
    writer.u8(algorithm_wrap);
    writer.bytes(key.view());
    writer.blob(wrapped);
}

EpochRecipient read_recipient(ByteReader& in) {
    EpochRecipient one;
    one.role = in.u8();
    one.algorithm = in.u8();
    one.key = PublicKey::read(in);
    const View wrapped = in.blob(epoch_wrapped_max);
    one.wrapped.assign(wrapped.begin(), wrapped.end());
    return one;
}

// One of the epoch's two keys, tried at every recipient that names ours.
struct WantedKey {
    std::string_view tag;
    const Digest* hash;
    Secret found;
    bool failed = false;

    void try_at(const EpochRecipient& one, const BoxKey& key, View context) {
        if (!found.empty()) return;
        Result<Secret> opened = unwrap(tag, context, one.wrapped, key);
        failed = !opened || opened->size() != 32 || vault::hash(tag, opened->view()) != *hash;
        if (!failed) found = *std::move(opened);
    }
};

}  // namespace

NewEpoch make_epoch(const DomainId& domain, const PublicKey& opening,
                    const std::vector<PublicKey>& nodes, std::int64_t now_ms, Random& random) {
    NewEpoch made{{{}, domain, now_ms, Secret(32), Secret(32)}, {}};
    Epoch& epoch = made.epoch;
    random.fill({epoch.content.data(), epoch.content.size()});
    random.fill({epoch.map.data(), epoch.map.size()});
    epoch.id = name_of(context_of(domain, hash(content_tag, epoch.content.view()),
                                  hash(map_tag, epoch.map.view())));
    made.object = encode_epoch(epoch, opening, nodes);
    return made;
}

Buffer encode_epoch(const Epoch& epoch, const PublicKey& opening,
                    const std::vector<PublicKey>& nodes) {
    HF_ASSERT(epoch.content.size() == 32 && epoch.map.size() == 32);
    HF_ASSERT(nodes.size() + 2 <= epoch_recipients_max);
    const Buffer context = context_of(epoch.domain, hash(content_tag, epoch.content.view()),
                                      hash(map_tag, epoch.map.view()));
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(as_view(epoch_magic));
    writer.bytes(epoch.domain.view());
    writer.u64(static_cast<std::uint64_t>(epoch.created));
    writer.bytes(View(context).subspan(32));
    writer.u8(static_cast<std::uint8_t>(nodes.size() + 2));
    write_recipient(writer, EpochRole::ContentForOpening, opening,
                    wrap(content_tag, context, epoch.content.view(), opening));
    write_recipient(writer, EpochRole::MapForOpening, opening,
                    wrap(map_tag, context, epoch.map.view(), opening));
    for (const PublicKey& node : nodes) {
        write_recipient(writer, EpochRole::MapForNode, node,
                        wrap(map_tag, context, epoch.map.view(), node));
    }
    const Digest check = hash(check_tag, out);
    writer.bytes(check.view());
    return out;
}

Result<EpochInfo> parse_epoch(View object, const EpochId& expected) {
    ByteReader in(object);
    if (as_text(in.bytes(epoch_magic.size())) != epoch_magic) {
        return Error{Errc::Corrupt, "epoch " + expected.brief() + ": not an epoch of version 1"};
    }
    EpochInfo info;
    info.id = expected;
    info.domain = DomainId::read(in);
    info.created = static_cast<std::int64_t>(in.u64());
    info.content_hash = Digest::read(in);
    info.map_hash = Digest::read(in);
    const std::uint8_t count = in.u8();
    if (count == 0 || count > epoch_recipients_max) in.fail();
    for (std::uint8_t i = 0; in.ok() && i < count; ++i) {
        info.recipients.push_back(read_recipient(in));
    }
    const std::size_t covered = object.size() - in.left();
    const Digest check = Digest::read(in);
    if (!in.done()) {
        return Error{Errc::Corrupt, "epoch " + expected.brief() + ": cut off, or over a limit"};
    }
    if (check != hash(check_tag, object.first(covered))) {
        return Error{Errc::Corrupt, "epoch " + expected.brief() + ": damaged"};
    }
    if (name_of(context_of(info.domain, info.content_hash, info.map_hash)) != expected) {
        return Error{Errc::Corrupt, "epoch " + expected.brief() + ": its content is another one's"};
    }
    return info;
}

Result<Epoch> open_epoch(const EpochInfo& info, const BoxKey* opening, const BoxKey* node_box) {
    const Buffer context = context_of(info.domain, info.content_hash, info.map_hash);
    WantedKey content{content_tag, &info.content_hash, {}};
    WantedKey map{map_tag, &info.map_hash, {}};
    for (const EpochRecipient& one : info.recipients) {
        if (one.algorithm != algorithm_wrap) continue;
        const bool for_opening = opening != nullptr && one.key == opening->public_key;
        const bool for_node = node_box != nullptr && one.key == node_box->public_key;
        const auto role = static_cast<EpochRole>(one.role);
        if (role == EpochRole::ContentForOpening && for_opening) {
            content.try_at(one, *opening, context);
        } else if (role == EpochRole::MapForOpening && for_opening) {
            map.try_at(one, *opening, context);
        } else if (role == EpochRole::MapForNode && for_node) {
            map.try_at(one, *node_box, context);
        }
    }
    if (content.failed || map.failed) {
        return Error{Errc::Corrupt, "epoch " + info.id.brief() +
                                        ": a key wrapped for us does not open, or is not the one "
                                        "that its name promises: fetch the object elsewhere"};
    }
    return Epoch{info.id, info.domain, info.created, std::move(content.found),
                 std::move(map.found)};
}

}  // namespace holdfast::vault
