#include "vault/own_chain.h"

#include "vault/base/file.h"
#include "vault/base/lock_file.h"

#include <charconv>

namespace holdfast::vault {
namespace {

constexpr std::size_t chain_file_bytes_max = 4096;
constexpr std::size_t id_digits = 64;

/// "ID LENGTH ROOT\n"; an id alone is a chain of which no head is remembered.
Result<ChainHead> parse_head(std::string_view text) {
    ChainHead head;
    head.chain = HF_TRY(ChainId::from_text(text.substr(0, id_digits)));
    text.remove_prefix(id_digits);
    if (text.empty() || text == "\n") return head;
    const Error damaged{Errc::Corrupt, "expected \"ID LENGTH ROOT\""};
    const char* end = text.data() + text.size();
    if (text.front() != ' ') return damaged;
    const auto [rest, bad] = std::from_chars(text.data() + 1, end, head.length);
    const std::string_view root(rest, static_cast<std::size_t>(end - rest));
    if (bad != std::errc()) return damaged;
    if (root.size() != id_digits + 2 || root.front() != ' ' || root.back() != '\n') return damaged;
    head.root = HF_TRY(Digest::from_text(root.substr(1, id_digits)));
    return head;
}

std::string head_text(const ChainHead& head) {
    return head.chain.hex() + " " + std::to_string(head.length) + " " + head.root.hex() + "\n";
}

}  // namespace

Result<void> OwnChain::load() {
    const auto is_settled = [&] {
        const Chain* chain = node_.reader->ledger().chain(id());
        return (chain != nullptr && chain->length() != 0) || !damage().empty();
    };
    const auto there = recall();
    if (!there && there.error().code != Errc::NotFound) return there;
    // Another process may have written since the reader looked.
    if (there && !damage().empty()) HF_TRY(node_.reader->refresh());
    if (there && is_settled()) return {};
    const Fd lock = HF_TRY(wait_for_lock(node_.state + "/chain.lock"));
    if (recall()) {  // Another process may have been faster.
        HF_TRY(node_.reader->refresh());
        if (is_settled()) return {};
    }
    return open_another(std::nullopt);
}

Result<ChainHead> OwnChain::remembered_in(const std::string& state, const TrustId& trust) {
    const std::string path = state + "/chain";
    const Buffer text = HF_TRY(read_file(path, chain_file_bytes_max));
    ChainHead head = HF_TRY(parse_head(as_text(text)).within(path));
    head.trust = trust;
    return head;
}

Result<void> OwnChain::recall() {
    remembered_ = HF_TRY(remembered_in(node_.state, node_.roster->trust));
    return {};
}

Result<void> OwnChain::remember() {
    remembered_ = node_.reader->ledger().chain(id())->head();
    return write_file_durably(file(), as_view(head_text(remembered_)));
}

std::string OwnChain::damage() const {
    const Ledger& ledger = node_.reader->ledger();
    const auto broken = ledger.broken().find(id());
    if (broken != ledger.broken().end()) return broken->second.message;
    const Chain* chain = ledger.chain(id());
    const std::uint64_t length = chain == nullptr ? 0 : chain->length();
    if (remembered_.length > length) {
        return "entries are gone from number " + std::to_string(length) + " on; this node wrote " +
               std::to_string(remembered_.length);
    }
    if (!has(remembered_)) return "it holds other entries than this node wrote";
    const auto last = ledger.last_stored(id());
    if (last && *last >= length) {
        return "entry " + std::to_string(length) + " is missing, and later ones are there";
    }
    return {};
}

Result<std::optional<std::string>> OwnChain::make_sound(const ChainHead* witnessed) {
    const Fd lock = HF_TRY(wait_for_lock(node_.state + "/chain.lock"));
    HF_TRY(recall());
    HF_TRY(node_.reader->refresh());
    const bool ours = witnessed != nullptr && witnessed->chain == id();
    if (ours && !has(*witnessed)) remembered_ = *witnessed;
    const std::string wrong = damage();
    if (wrong.empty()) return std::optional<std::string>{};
    const ChainId old = id();
    HF_TRY(open_another(last_known()));
    return std::optional<std::string>(
        "this node's chain " + old.brief() + " is damaged in the vault (" + wrong +
        "); a new chain was opened, " + id().brief() + "; holdfast verify names what is missing");
}

bool OwnChain::has(const ChainHead& head) const {
    const Chain* chain = node_.reader->ledger().chain(head.chain);
    if (head.length == 0) return true;
    return chain != nullptr && chain->had(head);
}

ChainHead OwnChain::last_known() const {
    const Chain* chain = node_.reader->ledger().chain(id());
    return chain != nullptr && has(remembered_) ? chain->head() : remembered_;
}

Result<const RosterNode*> OwnChain::self() const {
    const RosterNode* self = node_.roster->node_by_ledger_key(node_.ledger_key->public_key);
    if (self != nullptr) return self;
    return Error{Errc::Denied,
                 "the key of this node (keys/agent.key) is not on the trust's roster"};
}

/// The entry comes before the file: a kill between the two leaves a chain of one entry, and the
/// next try opens another.
Result<void> OwnChain::open_another(const std::optional<ChainHead>& after) {
    const RosterNode* self = HF_TRY(this->self());
    remembered_ = {node_.roster->trust, node_.random->id<ChainId>(), 0, {}};
    const std::string body = encode_open_body({self->ledger_key, self->name, after});
    HF_TRY(node_.reader->ledger().append(
        writer(), node_.clock->wall_ms(), ListId{},
        [&](const ChainId&, std::uint64_t) { return clear_body(body); }));
    HF_TRY(remember());
    return node_.reader->refresh();
}

Result<LedgerEntry> OwnChain::append(const ListId& list, const Ledger::MakeBody& make_body) {
    HF_TRY(self());  // Else the entry would be there, and end the chain.
    HF_TRY(make_sound());
    LedgerEntry entry =
        HF_TRY(node_.reader->ledger().append(writer(), node_.clock->wall_ms(), list, make_body));
    HF_TRY(remember());
    return entry;
}

Result<void> OwnChain::carry_over(const Ledger::Choose& choose) {
    HF_TRY(self());
    HF_TRY(make_sound());
    HF_TRY(node_.reader->ledger().carry_over(writer(), node_.clock->wall_ms(), choose));
    return remember();
}

Ledger::Writer OwnChain::writer() const {
    return {id(), node_.ledger_key, node_.state + "/ledger.lock"};
}

}  // namespace holdfast::vault
