#include "vault/ledger/standing.h"

#include "vault/base/assert.h"
#include "vault/base/json.h"
#include "vault/keys/key_ring.h"
#include "vault/ledger/body.h"
#include "vault/ledger/open_body.h"

#include <algorithm>
#include <tuple>

namespace holdfast::vault {
namespace {

constexpr std::size_t depth_max = 4096;  // Chains that go on from one another in a circle.

std::optional<StandingKind> kind_of(const std::string& type) {
    if (type == "forget") return StandingKind::Forget;
    if (type == "relist") return StandingKind::Relist;
    return std::nullopt;
}

}  // namespace

std::string encode_standing_body(const StandingBody& body) {
    HF_ASSERT(body.snapshots.size() <= standing_snapshots_max);
    Json ids = Json::array();
    for (const SnapshotId& id : body.snapshots) ids.push_back(id.hex());
    const char* type = body.kind == StandingKind::Forget ? "forget" : "relist";
    return json_text(Json{{"type", type}, {"snapshots", std::move(ids)}});
}

Result<std::optional<StandingBody>> parse_standing_body(std::string_view text) {
    const Json in = HF_TRY(parse_json(text).within("a ledger body"));
    if (!in.is_object()) return Error{Errc::Corrupt, "a ledger body that is no JSON object"};
    const auto kind = kind_of(text_in(in, "type"));
    if (!kind) return std::optional<StandingBody>{};
    StandingBody body{*kind, {}};
    const Json& ids = field_in(in, "snapshots");
    if (!ids.is_array() || ids.size() > standing_snapshots_max) {
        return Error{Errc::Corrupt, "snapshots: expected a list of at most " +
                                        std::to_string(standing_snapshots_max) + " ids"};
    }
    for (const Json& id : ids) {
        const auto read = id.is_string() ? SnapshotId::from_text(id.get<std::string>())
                                         : Result<SnapshotId>(Error{Errc::Corrupt, "no text"});
        if (!read) return Error{Errc::Corrupt, "snapshots: an id: " + read.error().message};
        body.snapshots.push_back(*read);
    }
    return std::optional<StandingBody>(std::move(body));
}

bool Standing::Rank::operator<(const Rank& other) const {
    if (chain == other.chain) return number < other.number;
    return std::tie(depth, time_ms, chain) < std::tie(other.depth, other.time_ms, other.chain);
}

bool Standing::refresh(const Ledger& ledger) {
    changed_ = false;
    if (ledger.generation() != generation_) {
        *this = Standing{};
        generation_ = ledger.generation();
    }
    // All first entries before all others: they say which chain goes on from which.
    for (const auto& [chain, entries] : ledger.entries()) {
        if (!read_.contains(chain) && !entries.empty()) {
            read(entries.front());
            read_[chain] = 1;
        }
    }
    for (const auto& [chain, entries] : ledger.entries()) {
        for (std::size_t& at = read_[chain]; at < entries.size(); ++at) read(entries[at]);
    }
    return changed_;
}

void Standing::read(const LedgerEntry& entry) {
    if (body_form(entry) != BodyForm::Clear) return;  // Then it is neither of these.
    const KeyRing none;
    const auto text = open_body(entry, none);
    if (!text) return;
    const Envelope& envelope = entry.envelope;
    if (envelope.number == 0) {
        const auto open = parse_open_body(*text, envelope.trust);
        if (open && *open && (*open)->after) before_[envelope.chain] = (*open)->after->chain;
        return;
    }
    const auto body = parse_standing_body(*text);
    if (!body) {
        damaged_.emplace_back(entry_name(envelope.chain, envelope.number), body.error());
    } else if (*body && (*body)->kind == StandingKind::Forget) {
        changed_ = true;
        forgotten_.insert((*body)->snapshots.begin(), (*body)->snapshots.end());
    } else if (*body) {
        changed_ = true;
        relist(entry, (*body)->snapshots);
    }
}

void Standing::relist(const LedgerEntry& entry, const std::vector<SnapshotId>& snapshots) {
    const Envelope& envelope = entry.envelope;
    relists_[{envelope.chain, envelope.number}] = snapshots;
    const Rank rank{depth(envelope.chain), envelope.time_ms, envelope.chain, envelope.number};
    for (const SnapshotId& id : snapshots) {
        const auto [at, added] = relisted_.try_emplace(id, Relisted{rank, envelope.list});
        if (!added && at->second.rank < rank) at->second = {rank, envelope.list};
    }
}

std::size_t Standing::depth(const ChainId& chain) const {
    std::size_t depth = 0;
    for (auto at = before_.find(chain); at != before_.end() && depth < depth_max; ++depth) {
        at = before_.find(at->second);
    }
    return depth;
}

std::optional<ListId> Standing::relisted(const SnapshotId& snapshot) const {
    const auto found = relisted_.find(snapshot);
    if (found == relisted_.end()) return std::nullopt;
    return found->second.list;
}

std::map<std::pair<ChainId, std::uint64_t>, Standing::Deciding> Standing::deciding(
    const std::function<bool(const SnapshotId&)>& stands) const {
    std::map<std::pair<ChainId, std::uint64_t>, Deciding> entries;
    for (const auto& [snapshot, relisted] : relisted_) {
        if (!stands(snapshot)) continue;
        const std::pair at(relisted.rank.chain, relisted.rank.number);
        Deciding& entry = entries[at];
        entry.list = relisted.list;
        entry.snapshots.push_back(snapshot);
        entry.named = relists_.at(at).size();
    }
    return entries;
}

std::set<ListId> Standing::live_lists(const Ledger& ledger,
                                      const std::set<SnapshotId>& given_up) const {
    std::set<ListId> lists;
    for (const auto& [chain, entries] : ledger.entries()) {
        for (const LedgerEntry& entry : entries) {
            const Envelope& envelope = entry.envelope;
            if (envelope.list.zero() || relists_.contains({chain, envelope.number})) continue;
            const SnapshotId id = snapshot_id(envelope);
            if (!given_up.contains(id)) lists.insert(relisted(id).value_or(envelope.list));
        }
    }
    return lists;
}

}  // namespace holdfast::vault
