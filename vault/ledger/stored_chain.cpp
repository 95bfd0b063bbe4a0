#include "vault/ledger/stored_chain.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace holdfast::vault {
namespace {

constexpr std::string_view folder = "ledger/";

/// Of "ledger/CHAIN/NUMBER"; nothing if it is no such name.
std::optional<std::uint64_t> number_in(std::string_view name) {
    const std::string_view digits = name.substr(name.rfind('/') + 1);
    const char* end = digits.data() + digits.size();
    std::uint64_t number = 0;
    const auto [rest, bad] = std::from_chars(digits.data(), end, number, 16);
    if (digits.size() != 16 || bad != std::errc() || rest != end) return std::nullopt;
    return number;
}

bool is_passing(const Error& error) {
    return error.code == Errc::Io || error.code == Errc::Unreachable;
}

Result<LedgerEntry> read_entry(const Store& store, const ChainId& id, std::uint64_t number) {
    const std::string name = entry_name(id, number);
    const Buffer object = HF_TRY(store.get_all(name, ledger_entry_bytes_max));
    LedgerEntry entry = HF_TRY(parse_entry(object).within(name));
    if (entry.envelope.chain == id && entry.envelope.number == number) return entry;
    return Error{Errc::Denied, name + ": it is another entry"};
}

/// Reads a chain from its end down to the newest carry that holds.
class Descent {
public:
    Descent(const Store& store, const TrustId& trust, const ChainId& id, const MaySign& may_sign,
            const ChainHead* known)
        : store_(&store), trust_(trust), id_(id), may_sign_(&may_sign), known_(known) {}

    Result<StoredChain> run(const EntryNumbers& numbers);

private:
    /// What begins at the entry that was read last, if that is a carry.
    std::optional<Carry> carry_here() const;
    /// Both move what they take out of read_.
    void go_up(StoredChain& into);
    void take_known(StoredChain& into);

    const Store* store_;
    TrustId trust_;
    ChainId id_;
    const MaySign* may_sign_;
    const ChainHead* known_;
    std::vector<std::pair<std::uint64_t, Result<LedgerEntry>>> read_;  // The newest first.
};

Result<StoredChain> Descent::run(const EntryNumbers& numbers) {
    for (auto at = numbers.rbegin(); at != numbers.rend(); ++at) {
        auto entry = read_entry(*store_, id_, *at);
        if (!entry && is_passing(entry.error())) return std::move(entry).error();
        read_.emplace_back(*at, std::move(entry));
        auto carry = carry_here();
        if (!carry) continue;
        StoredChain from{std::move(carry->chain), std::move(carry->entries), {}};
        go_up(from);
        return from;
    }
    StoredChain whole{Chain(trust_, id_), {}, {}};
    go_up(whole);
    return whole;
}

std::optional<Carry> Descent::carry_here() const {
    const auto& [number, entry] = read_.back();
    const auto place = entry ? carry_place(*entry) : std::nullopt;
    if (!place || place->part != 0 || place->parts > read_.size()) return std::nullopt;
    std::vector<LedgerEntry> parts;
    for (auto at = read_.rbegin(); parts.size() < place->parts; ++at) {
        if (!at->second) return std::nullopt;
        parts.push_back(*at->second);
    }
    const Envelope& first = parts[0].envelope;
    const bool ours = first.trust == trust_ && (*may_sign_)(first) && signature_holds(first);
    if (!ours) return std::nullopt;  // Nobody's word.
    auto carry = read_carry(parts, *may_sign_);
    if (!carry) return std::nullopt;  // An older one may hold, or the first entry be there.
    return *std::move(carry);
}

/// Up to the head that is known, if these entries make it.
void Descent::take_known(StoredChain& into) {
    if (known_ == nullptr || known_->chain != id_) return;
    std::vector<LedgerEntry*> entries;
    std::vector<Envelope> envelopes;
    for (auto at = read_.rbegin(); at != read_.rend(); ++at) {
        auto& [number, entry] = *at;
        const std::uint64_t next = into.chain.length() + entries.size();
        if (number < next) continue;
        if (number >= known_->length || number != next || !entry) break;
        entries.push_back(&*entry);
        envelopes.push_back(entry->envelope);
    }
    if (!into.chain.append_known(envelopes, *known_)) return;
    for (LedgerEntry* entry : entries) into.entries.push_back(std::move(*entry));
}

void Descent::go_up(StoredChain& into) {
    take_known(into);
    for (auto at = read_.rbegin(); at != read_.rend(); ++at) {
        auto& [number, entry] = *at;
        if (number < into.chain.length()) continue;
        if (number > into.chain.length()) return;  // A gap.
        auto taken =
            entry ? into.chain.append(entry->envelope, *may_sign_) : Result<void>(entry.error());
        if (!taken) {
            into.broken = std::move(taken).error().within(entry_name(id_, number));
            return;
        }
        into.entries.push_back(*std::move(entry));
    }
}

}  // namespace

Result<std::vector<ChainId>> stored_chains(const Store& store) {
    std::vector<ChainId> found;
    HF_TRY(store.list_folders(std::string(folder), [&](const std::string& name) -> Result<void> {
        found.push_back(HF_TRY(ChainId::from_text(name).within(std::string(folder) + name)));
        return {};
    }));
    return found;
}

Result<EntryNumbers> stored_entries(const Store& store, const ChainId& id) {
    EntryNumbers numbers;
    const std::string prefix = std::string(folder) + id.hex() + "/";
    HF_TRY(store.list(prefix, [&](const std::string& name) -> Result<void> {
        const auto number = number_in(name);
        if (number) numbers.push_back(*number);
        return {};
    }));
    return numbers;
}

Result<StoredChain> read_stored_chain(const Store& store, const TrustId& trust, const ChainId& id,
                                      const EntryNumbers& numbers, const MaySign& may_sign,
                                      const ChainHead* known) {
    return Descent(store, trust, id, may_sign, known).run(numbers);
}

Result<void> read_on(const Store& store, const MaySign& may_sign, Chain& chain,
                     std::vector<LedgerEntry>& entries) {
    for (;;) {
        const std::string name = entry_name(chain.head().chain, chain.length());
        auto object = store.get_all(name, ledger_entry_bytes_max);
        if (!object && object.error().code == Errc::NotFound) return {};
        if (!object) return std::move(object).error();
        LedgerEntry entry = HF_TRY(parse_entry(*object).within(name));
        HF_TRY(chain.append(entry.envelope, may_sign).within(name));
        entries.push_back(std::move(entry));
    }
}

}  // namespace holdfast::vault
