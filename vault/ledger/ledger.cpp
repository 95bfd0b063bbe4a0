#include "vault/ledger/ledger.h"

#include "vault/base/fault.h"
#include "vault/base/lock_file.h"
#include "vault/ledger/may_sign.h"

#include <algorithm>
#include <utility>

namespace holdfast::vault {
Result<void> Ledger::refresh() {
    for (const ChainId& chain : HF_TRY(stored_chains(*store_))) {
        auto done = refresh_chain(chain);
        if (!done && (done.error().code == Errc::Io || done.error().code == Errc::Unreachable)) {
            return done;
        }
        if (!done) broken_.insert_or_assign(chain, done.error());
    }
    return {};
}

MaySign Ledger::may_sign() const {
    return nodes_may_sign(*roster_);
}

/// What came since. If the last entry that was read is gone, others were carried over and erased
/// since (or all of them are lost): then the chain is read anew.
Result<void> Ledger::refresh_chain(const ChainId& id) {
    const auto known = chains_.find(id);
    if (known == chains_.end() || known->second.length() == 0) return read_anew(id);
    Chain& chain = known->second;
    HF_TRY(read_on(*store_, may_sign(), chain, entries_[id]));
    const auto last = store_->size(entry_name(id, chain.length() - 1));
    if (last || last.error().code != Errc::NotFound) return {};
    return read_anew(id);
}

Result<void> Ledger::read_anew(const ChainId& id) {
    const EntryNumbers numbers = HF_TRY(stored_entries(*store_, id));
    Chain& chain = chains_.try_emplace(id, roster_->trust, id).first->second;
    if (!numbers.empty()) last_stored_[id] = std::max(last_stored_[id], numbers.back());
    StoredChain read = HF_TRY(read_stored_chain(*store_, roster_->trust, id, numbers, may_sign(),
                                                known_ ? &*known_ : nullptr));
    const std::uint64_t length = chain.length();
    if (length != 0 && read.chain.length() <= length) return {};
    if (length != 0) ++generation_;
    chain = std::move(read.chain);
    if (!read.entries.empty()) entries_.insert_or_assign(id, std::move(read.entries));
    if (read.broken) return *read.broken;
    return {};
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
    HF_TRY(refresh_chain(writer.chain));
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
    HF_TRY(refresh_chain(writer.chain));
    return entry;
}

Result<void> Ledger::carry_over(const Writer& writer, std::int64_t now_ms, const Choose& choose) {
    const Fd lock = HF_TRY(wait_for_lock(writer.lock_file));
    HF_TRY(refresh_chain(writer.chain));
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
