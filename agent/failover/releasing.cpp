#include "agent/failover/releasing.h"

#include "agent/failover/wording.h"
#include "vault/base/closer.h"
#include "vault/base/json.h"
#include "vault/crypto/base64.h"
#include "vault/ledger/body.h"
#include "vault/prune/needed_chunks.h"

#include <unistd.h>

#include <set>

namespace holdfast::agent {
namespace {

/// Notes whose keys are asked for. One thread asks.
class Noting final : public vault::KeySource {
public:
    explicit Noting(const vault::KeySource& keys) : keys_(&keys) {}

    Result<DomainId> domain_of(const EpochId& epoch) const override {
        return keys_->domain_of(epoch);
    }
    Result<vault::Secret> key_of(const vault::SegmentName& segment) const override {
        asked_.insert(segment);
        return keys_->key_of(segment);
    }
    void forget() { asked_.clear(); }
    const std::set<vault::SegmentName>& asked() const { return asked_; }

private:
    const vault::KeySource* keys_;
    mutable std::set<vault::SegmentName> asked_;
};

/// An index of this snapshot alone; the vault's own knows all packs.
struct PassingIndex {
    std::string path;
    std::unique_ptr<vault::ChunkIndex> index;

    ~PassingIndex() {
        index.reset();
        for (const char* end : {"", "-wal", "-shm", "-journal"}) {
            (void)::unlink((path + end).c_str());
        }
    }
};

Result<std::vector<vault::SegmentName>> segments_of(vault::VaultReader& reader, Noting& noting,
                                                    const vault::SnapshotRecord& record) {
    noting.forget();
    for (const vault::LedgerEntry& entry : reader.ledger().entries().at(record.chain)) {
        if (entry.envelope.number == record.number) HF_TRY(vault::open_body(entry, noting));
    }
    HF_TRY(reader.manifest(record));
    vault::NeededChunks needed(reader);
    HF_TRY(needed.add(record));
    needed.settle();
    const auto needs = [&](const ChunkId& chunk, vault::Kind kind, const PackId& pack) {
        return needed.has(chunk, kind, pack);
    };
    std::set<vault::SegmentName> all = noting.asked();
    for (const vault::SegmentName& one : HF_TRY(reader.index().segments(needs))) all.insert(one);
    return std::vector<vault::SegmentName>(all.begin(), all.end());
}

}  // namespace

Result<vault::NewRelease> make_release(const Node& node, const ReleaseOrder& order,
                                       const Clock& clock) {
    PassingIndex passing{node.home.state + "/release-" + std::to_string(::getpid()) + ".db", {}};
    passing.index = HF_TRY(vault::ChunkIndex::open(passing.path));
    Noting noting(node.vault->keys());
    vault::VaultReader reader(node.vault->store(), *passing.index, noting, node.vault->roster());
    HF_TRY(reader.refresh());
    const vault::SnapshotRecord record = HF_TRY(reader.find(order.snapshot));
    if (record.system != order.system) {
        return Error{Errc::Invalid, "snapshot " + record.id.brief() + " is of " + record.system};
    }
    const auto segments = HF_TRY(segments_of(reader, noting, record).within(order.system));
    vault::Release release;
    release.time = clock.wall_ms();
    release.number = static_cast<std::uint64_t>(release.time);
    release.owner = node.settings.trust;
    release.host = order.host;
    release.host_key = order.host_key;
    release.snapshot = Digest{record.id.digest};
    release.list = record.list;
    release.system = order.system;
    release.purpose = order.purpose;
    release.until = order.until_ms;
    vault::NewRelease made =
        HF_TRY(vault::make_release(release, segments, node.vault->keys()).within(order.system));
    vault::sign(made.record, node.keys.ledger);
    return made;
}

std::string release_text(const vault::NewRelease& release) {
    return json_text({{"release", vault::to_base64(vault::encode(release.record))},
                      {"keys", vault::to_base64(release.sealed_keys)}}) +
           "\n";
}

Result<vault::NewRelease> parse_release_text(std::string_view text) {
    const Json json = HF_TRY(parse_object(text, "a release's file"));
    vault::NewRelease release;
    const auto record = vault::from_base64(text_in(json, "release"));
    auto keys = vault::from_base64(text_in(json, "keys"));
    if (!record || !keys || keys->empty()) {
        return Error{Errc::Invalid, "this is not a file that holdfast release make wrote"};
    }
    release.record = HF_TRY(vault::parse_record(*record));
    release.sealed_keys = *std::move(keys);
    return release;
}

Result<std::string> release_sentence(const vault::Record& record) {
    const vault::Release release =
        HF_TRY(vault::parse_release(record, TrustId{record.addressee.digest}));
    return "the keys of snapshot " + release.snapshot.brief() + " of " + release.system +
           ", to trust " + release.host.brief() + ", until " + format_time(release.until) +
           ", for: " + release.purpose;
}

}  // namespace holdfast::agent
