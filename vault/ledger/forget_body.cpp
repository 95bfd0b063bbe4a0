#include "vault/ledger/forget_body.h"

#include "vault/base/assert.h"
#include "vault/base/json.h"
#include "vault/keys/key_ring.h"
#include "vault/ledger/body.h"

namespace holdfast::vault {

std::string encode_forget_body(const std::vector<SnapshotId>& snapshots) {
    HF_ASSERT(snapshots.size() <= forget_snapshots_max);
    Json ids = Json::array();
    for (const SnapshotId& id : snapshots) ids.push_back(id.hex());
    return json_text(Json{{"type", "forget"}, {"snapshots", std::move(ids)}});
}

Result<std::optional<std::vector<SnapshotId>>> parse_forget_body(std::string_view body) {
    using Snapshots = std::vector<SnapshotId>;
    const Json in = HF_TRY(parse_json(body).within("a ledger body"));
    if (!in.is_object()) return Error{Errc::Corrupt, "a ledger body that is no JSON object"};
    if (text_in(in, "type") != "forget") return std::optional<Snapshots>{};
    const Json& ids = field_in(in, "snapshots");
    if (!ids.is_array() || ids.size() > forget_snapshots_max) {
        return Error{Errc::Corrupt, "snapshots: expected a list of at most " +
                                        std::to_string(forget_snapshots_max) + " ids"};
    }
    Snapshots out;
    for (const Json& id : ids) {
        const auto read = id.is_string() ? SnapshotId::from_text(id.get<std::string>())
                                         : Result<SnapshotId>(Error{Errc::Corrupt, "no text"});
        if (!read) return Error{Errc::Corrupt, "snapshots: an id: " + read.error().message};
        out.push_back(*read);
    }
    return std::optional<Snapshots>(std::move(out));
}

Forgotten forgotten_in(const Ledger& ledger) {
    const KeyRing none;  // Bodies of this type are clear.
    Forgotten out;
    for (const auto& [chain, entries] : ledger.entries()) {
        for (const LedgerEntry& entry : entries) {
            if (!body_epoch(entry).zero()) continue;
            const auto body = open_body(entry, none);
            if (!body) continue;
            const auto forget = parse_forget_body(*body);
            if (!forget) {
                out.damaged.emplace_back(entry_name(chain, entry.envelope.number), forget.error());
            } else if (*forget) {
                out.snapshots.insert((*forget)->begin(), (*forget)->end());
            }
        }
    }
    return out;
}

std::set<ListId> live_lists(const Ledger& ledger, const std::set<SnapshotId>& forgotten) {
    std::set<ListId> lists;
    for (const auto& [chain, entries] : ledger.entries()) {
        for (const LedgerEntry& entry : entries) {
            const Envelope& envelope = entry.envelope;
            if (envelope.list.zero() || forgotten.contains(snapshot_id(envelope))) continue;
            lists.insert(envelope.list);
        }
    }
    return lists;
}

}  // namespace holdfast::vault
