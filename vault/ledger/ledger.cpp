#include "vault/ledger/ledger.h"

#include "vault/base/fault.h"
#include "vault/base/lock_file.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace holdfast::vault {
namespace {

/// Of "ledger/CHAIN/NUMBER"; nothing if it is no such name.
std::optional<std::uint64_t> number_in(std::string_view name) {
    const std::string_view digits = name.substr(name.rfind('/') + 1);
    const char* end = digits.data() + digits.size();
    std::uint64_t number = 0;
    const auto [rest, bad] = std::from_chars(digits.data(), end, number, 16);
    if (digits.size() != 16 || bad != std::errc() || rest != end) return std::nullopt;
    return number;
}

}  // namespace

Result<void> Ledger::refresh() {
    std::set<ChainId> chains;
    HF_TRY(store_->list("ledger/", [&](const std::string& name) -> Result<void> {
        const std::size_t start = std::string_view("ledger/").size();
        const std::size_t end = name.find('/', start);
        if (end == std::string::npos) return {};
        const auto chain = HF_TRY(ChainId::from_text(name.substr(start, end - start)).within(name));
        chains.insert(chain);
        const auto number = number_in(name);
        if (number) last_stored_[chain] = std::max(last_stored_[chain], *number);
        return {};
    }));
    for (const ChainId& chain : chains) {
        auto done = refresh_chain(chain);
        if (!done && (done.error().code == Errc::Io || done.error().code == Errc::Unreachable)) {
            return done;
        }
        if (!done) broken_.insert_or_assign(chain, done.error());
    }
    return {};
}

Result<void> Ledger::refresh_chain(const ChainId& id) {
    Chain& chain = chains_.try_emplace(id, roster_->trust, id).first->second;
    const auto may_sign = [&](const Envelope& envelope) {
        return roster_->node_by_ledger_key(envelope.signer) != nullptr;
    };
    for (;;) {
        const std::string name = entry_name(id, chain.length());
        auto object = store_->get_all(name, ledger_entry_bytes_max);
        if (!object && object.error().code == Errc::NotFound) return {};
        if (!object) return std::move(object).error();
        LedgerEntry entry = HF_TRY(parse_entry(*object).within(name));
        HF_TRY(chain.append(entry.envelope, may_sign).within(name));
        entries_[id].push_back(std::move(entry));
    }
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

Result<ResolvedList> Ledger::list(const ListId& id) const {
    return resolve_list(
        id, [&](const ListId& base) { return store_->get_all(list_name(base), list_bytes_max); });
}

}  // namespace holdfast::vault
