#include "vault/vault_reader.h"

#include "vault/ledger/open_body.h"
#include "vault/snapshot/index_chunk.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace holdfast::vault {
namespace {

constexpr std::size_t id_prefix_min = 4;

}  // namespace

Result<Roster> read_roster(const Store& store, const TrustId& trust) {
    std::vector<Buffer> objects;
    HF_TRY(store.list("roster/", [&](const std::string& name) -> Result<void> {
        objects.push_back(HF_TRY(store.get_all(name, record_bytes_max)));
        return {};
    }));
    return newest_roster(objects, trust);
}

Result<void> VaultReader::refresh() {
    HF_TRY(ledger_.refresh());
    if (ledger_.generation() != generation_) {
        generation_ = ledger_.generation();
        read_.clear();
        snapshots_.clear();
        continued_.clear();
        ledger_notes_.clear();
    }
    const std::size_t before = snapshots_.size();
    for (const auto& [chain, entries] : ledger_.entries()) {
        for (std::size_t& at = read_[chain]; at < entries.size(); ++at) read_entry(entries[at]);
    }
    const bool changed = standing_.refresh(ledger_);
    if (!changed && snapshots_.size() == before) return {};
    place_snapshots(changed ? 0 : before);
    if (!changed && snapshots_.size() == before + 1 && is_last_of_all()) return {};
    sort_snapshots();
    return {};
}

/// Takes out, from place `from` on, those that were forgotten, and puts the others on their lists.
void VaultReader::place_snapshots(std::size_t from) {
    const auto first = snapshots_.begin() + static_cast<std::ptrdiff_t>(from);
    const auto& forgotten = standing_.forgotten();
    snapshots_.erase(std::remove_if(first, snapshots_.end(),
                                    [&](const auto& one) { return forgotten.contains(one.id); }),
                     snapshots_.end());
    for (auto one = snapshots_.begin() + static_cast<std::ptrdiff_t>(from); one != snapshots_.end();
         ++one) {
        one->list = standing_.relisted(one->id).value_or(one->list);
    }
}

/// True if the last snapshot is later than all others, whatever sort_snapshots() thinks of theirs.
bool VaultReader::is_last_of_all() {
    const std::int64_t time = snapshots_.back().time;
    return std::exchange(latest_ms_, std::max(latest_ms_, time)) < time;
}

void VaultReader::read_entry(const LedgerEntry& entry) {
    if (body_form(entry) == BodyForm::Carry) return;
    const std::string where = entry_name(entry.envelope.chain, entry.envelope.number);
    const auto note = [&](Damage damage) { ledger_notes_.push_back(std::move(damage)); };
    auto body = open_body(entry, *keys_);
    if (!body && body.error().code == Errc::Locked) return;
    if (!body) return note({where, body.error().message});
    if (entry.envelope.number == 0) return read_open(entry, *body);
    auto record = parse_snapshot_body(*body);
    if (!record) return note({where, record.error().message});
    if (!*record) return;
    (*record)->id = snapshot_id(entry.envelope);
    (*record)->chain = entry.envelope.chain;
    (*record)->number = entry.envelope.number;
    (*record)->list = entry.envelope.list;
    snapshots_.push_back(std::move(**record));
}

void VaultReader::read_open(const LedgerEntry& entry, std::string_view body) {
    const Envelope& envelope = entry.envelope;
    auto open = parse_open_body(body, envelope.trust);
    const std::string where = entry_name(envelope.chain, envelope.number);
    if (!open) return ledger_notes_.push_back({where, open.error().message});
    if (!*open) {
        return ledger_notes_.push_back({where, "a chain begins with an entry of type \"open\""});
    }
    if ((*open)->after) continued_.emplace_back(envelope.chain, *(*open)->after);
}

/// What this store lacks of a chain that had `head`; empty: nothing.
std::string VaultReader::missing_of(const ChainHead& head) const {
    const Chain* chain = ledger_.chain(head.chain);
    const std::uint64_t length = chain == nullptr ? 0 : chain->length();
    if (length < head.length) {
        return "entries " + std::to_string(length) + " to " + std::to_string(head.length - 1) +
               " are missing";
    }
    const bool same = head.length == 0 || head.root.zero() || chain->had(head);
    return same ? std::string() : "it holds other entries than its node wrote";
}

/// By time, but never against a chain's own order: a time before that of an earlier entry counts as
/// that entry's.
void VaultReader::sort_snapshots() {
    std::sort(snapshots_.begin(), snapshots_.end(), [](const auto& a, const auto& b) {
        return std::tie(a.chain, a.number) < std::tie(b.chain, b.number);
    });
    struct Place {
        std::int64_t time;
        std::size_t at;
    };
    std::vector<Place> order;
    std::int64_t last = 0;
    for (std::size_t i = 0; i < snapshots_.size(); ++i) {
        const SnapshotRecord& record = snapshots_[i];
        const bool same_chain = i != 0 && snapshots_[i - 1].chain == record.chain;
        last = same_chain ? std::max(last, record.time) : record.time;
        latest_ms_ = std::max(latest_ms_, record.time);
        order.push_back({last, i});
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const Place& a, const Place& b) { return a.time < b.time; });
    std::vector<SnapshotRecord> sorted;
    sorted.reserve(order.size());
    for (const Place& one : order) sorted.push_back(std::move(snapshots_[one.at]));
    snapshots_ = std::move(sorted);
}

std::vector<Damage> VaultReader::notes() const {
    std::vector<Damage> all = notes_;
    all.insert(all.end(), ledger_notes_.begin(), ledger_notes_.end());
    for (const auto& [entry, error] : standing_.damaged()) all.push_back({entry, error.message});
    const std::vector<Damage> gaps = ledger_gaps();
    all.insert(all.end(), gaps.begin(), gaps.end());
    return all;
}

std::vector<Damage> VaultReader::ledger_gaps() const {
    std::vector<Damage> all;
    for (const auto& [chain, error] : ledger_.broken()) {
        all.push_back({"ledger/" + chain.hex(), error.message});
    }
    for (const auto& [chain, head] : continued_) {
        const std::string missing = missing_of(head);
        if (missing.empty() || ledger_.broken().contains(head.chain)) continue;
        all.push_back({"ledger/" + head.chain.hex(),
                       missing + " (chain " + chain.brief() + " goes on from there)"});
    }
    return all;
}

Result<SnapshotRecord> VaultReader::find(std::string_view id_prefix) const {
    const std::string wanted(id_prefix);
    if (wanted.size() < id_prefix_min) {
        return Error{Errc::Invalid, "\"" + wanted + "\": give at least four digits of the id"};
    }
    const SnapshotRecord* found = nullptr;
    for (const SnapshotRecord& record : snapshots_) {
        if (!record.id.hex().starts_with(wanted)) continue;
        if (found != nullptr) {
            return Error{Errc::Invalid, "\"" + wanted + "\" begins several snapshots' ids"};
        }
        found = &record;
    }
    if (found == nullptr) {
        return Error{Errc::NotFound,
                     "no snapshot \"" + wanted + "\" (holdfast snapshots lists them)"};
    }
    return *found;
}

Result<SnapshotRecord> VaultReader::find(const SnapshotId& id) const {
    for (auto at = snapshots_.rbegin(); at != snapshots_.rend(); ++at) {
        if (at->id == id) return *at;
    }
    return Error{Errc::NotFound, "no snapshot " + id.brief()};
}

Result<SnapshotRecord> VaultReader::latest(std::string_view system) const {
    for (auto at = snapshots_.rbegin(); at != snapshots_.rend(); ++at) {
        if (at->system == system) return *at;
    }
    return Error{Errc::NotFound, "no snapshot of \"" + std::string(system) + "\""};
}

Result<std::set<PackId>> VaultReader::packs_of(const SnapshotRecord& record) const {
    const ResolvedList list =
        HF_TRY(ledger_.list(record.list).within("list " + record.list.brief()));
    return std::set<PackId>(list.packs.begin(), list.packs.end());
}

/// A snapshot that was relisted may stand on another pack than the one with its manifest first was
/// in, and its index chunks may be gone.
Result<Manifest> VaultReader::map_part(const SnapshotRecord& record) {
    const std::set<PackId> packs = HF_TRY(packs_of(record));
    const bool relisted = standing_.relisted(record.id).has_value();
    if (packs.contains(record.manifest_pack)) {
        HF_TRY(learn_packs(*store_, *keys_, {record.manifest_pack}, {}, *index_));
    } else if (relisted) {
        HF_TRY(learn_packs(*store_, *keys_, packs, {}, *index_));
    } else {
        return Error{Errc::Corrupt, "snapshot " + record.id.brief() +
                                        ": its manifest is in no pack "
                                        "on its list"};
    }
    const auto map = HF_TRY(chunk_reader()->read(record.manifest_map));
    Manifest manifest = HF_TRY(parse_map_part(as_text(*map)));
    if (relisted) {
        std::erase_if(manifest.index,
                      [&](const IndexRef& ref) { return !packs.contains(ref.pack); });
    }
    for (const IndexRef& ref : manifest.index) {
        if (!packs.contains(ref.pack)) return Error{Errc::Corrupt, "an index chunk off the list"};
    }
    HF_TRY(learn_packs(*store_, *keys_, packs, manifest.index, *index_));
    return manifest;
}

Result<Manifest> VaultReader::manifest(const SnapshotRecord& record) {
    Manifest manifest = HF_TRY(map_part(record));
    const auto content = HF_TRY(chunk_reader()->read(manifest.content));
    HF_TRY(parse_content_part(as_text(*content), manifest));
    return manifest;
}

}  // namespace holdfast::vault
