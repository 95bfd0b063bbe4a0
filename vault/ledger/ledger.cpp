#include "vault/ledger/ledger.h"

#include "vault/base/fault.h"
#include "vault/base/lock_file.h"

#include <algorithm>
#include <iterator>

namespace holdfast::vault {
Result<void> Ledger::refresh() {
    for (const auto& [chain, numbers] : HF_TRY(stored_entries(*store_))) {
        if (!numbers.empty()) {
            last_stored_[chain] = std::max(last_stored_[chain], numbers.back());
        }
        auto done = refresh_chain(chain, numbers);
        if (!done && (done.error().code == Errc::Io || done.error().code == Errc::Unreachable)) {
            return done;
        }
        if (!done) broken_.insert_or_assign(chain, done.error());
    }
    return {};
}

MaySign Ledger::may_sign() const {
    return [this](const Envelope& envelope) {
        return roster_->node_by_ledger_key(envelope.signer) != nullptr;
    };
}

/// A chain that has more behind the last entry that can be read is damaged, or what this one stands
/// on was carried over and erased since: then it is read anew.
Result<void> Ledger::refresh_chain(const ChainId& id, const EntryNumbers& numbers) {
    const auto known = chains_.find(id);
    std::uint64_t length = 0;
    if (known != chains_.end() && known->second.length() != 0) {
        HF_TRY(read_on(*store_, may_sign(), known->second, entries_[id]));
        length = known->second.length();
        if (numbers.empty() || numbers.back() < length) return {};
    }
    StoredChain read = HF_TRY(read_stored_chain(*store_, roster_->trust, id, numbers, may_sign()));
    if (length != 0 && read.chain.length() <= length) return {};
    if (length != 0) ++generation_;
    return take(std::move(read));
}

Result<void> Ledger::take(StoredChain read) {
    const ChainId id = read.chain.head().chain;
    chains_.insert_or_assign(id, std::move(read.chain));
    if (!read.entries.empty()) entries_.insert_or_assign(id, std::move(read.entries));
    if (read.broken) return *read.broken;
    return {};
}

/// To the end of a chain, for who holds its lock.
Result<void> Ledger::catch_up(const ChainId& id) {
    Chain& chain = chains_.try_emplace(id, roster_->trust, id).first->second;
    std::vector<LedgerEntry> entries;
    auto done = read_on(*store_, may_sign(), chain, entries);
    if (!entries.empty()) {
        std::move(entries.begin(), entries.end(), std::back_inserter(entries_[id]));
    }
    HF_TRY(done);
    if (chain.length() == 0) return {};
    const auto last = store_->size(entry_name(id, chain.length() - 1));
    if (last || last.error().code != Errc::NotFound) return {};
    return refresh_chain(id, HF_TRY(stored_entries(*store_))[id]);
}

std::vector<ChainHead> Ledger::heads() const {
    std::vector<ChainHead> out;
    for (const auto& [id, chain] : chains_) out.push_back(chain.head());
    return out;
}

const Chain* Ledger::chain(const ChainId& id) const {
    const auto found = chains_.find(id);
    return found == chains_.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> Ledger::last_stored(const ChainId& id) const {
    const auto found = last_stored_.find(id);
    if (found == last_stored_.end()) return std::nullopt;
    return found->second;
}

Result<LedgerEntry> Ledger::append(const Writer& writer, std::int64_t now_ms, const ListId& list,
                                   const MakeBody& make_body) {
    const Fd lock = HF_TRY(wait_for_lock(writer.lock_file));
    HF_TRY(catch_up(writer.chain));
    return write_next(writer, now_ms, list, make_body);
}

Result<LedgerEntry> Ledger::write_next(const Writer& writer, std::int64_t now_ms,
                                       const ListId& list, const MakeBody& make_body) {
    Envelope facts = chains_.at(writer.chain).next();
    facts.time_ms = now_ms;
    facts.list = list;
    Buffer body = make_body(writer.chain, facts.number);
    LedgerEntry entry = sign_entry(facts, std::move(body), *writer.key);
    HF_TRY(store_->put(entry_name(writer.chain, facts.number), encode_entry(entry)));
    fault_point("ledger entry stored");
    HF_TRY(catch_up(writer.chain));
    return entry;
}

Result<void> Ledger::carry_over(const Writer& writer, std::int64_t now_ms, const Choose& choose) {
    const Fd lock = HF_TRY(wait_for_lock(writer.lock_file));
    HF_TRY(catch_up(writer.chain));
    const std::vector<const LedgerEntry*> kept = HF_TRY(choose());
    for (const Buffer& body : HF_TRY(carry_bodies(chains_.at(writer.chain).log(), kept))) {
        HF_TRY(write_next(writer, now_ms, ListId{},
                          [&](const ChainId&, std::uint64_t) { return body; }));
    }
    return {};
}

Result<ResolvedList> Ledger::list(const ListId& id) const {
    return resolve_list(
        id, [&](const ListId& base) { return store_->get_all(list_name(base), list_bytes_max); });
}

}  // namespace holdfast::vault
