#include "vault/ledger/chain.h"

#include "vault/base/assert.h"

#include <string>
#include <utility>

namespace holdfast::vault {

namespace {

std::string place(const ChainId& chain, std::uint64_t number) {
    return "ledger chain " + chain.brief() + ", entry " + std::to_string(number) + ": ";
}

Error denied(const Envelope& envelope, const std::string& what) {
    return {Errc::Denied, place(envelope.chain, envelope.number) + what};
}

}  // namespace

Result<void> Chain::append(const Envelope& next, const MaySign& may_sign) {
    HF_TRY(check_place(next));
    if (!signature_holds(next)) return denied(next, "its signature does not hold");
    if (!may_sign(next)) {
        return denied(next,
                      "signed by " + next.signer.brief() + ", which the roster does not allow");
    }
    take(next);
    return {};
}

void Chain::take(const Envelope& next) {
    entries_.push_back(entry_hash(next));
    log_.append(entries_.back());
    head_.length = log_.size();
    head_.root = log_.root();
}

bool Chain::append_known(std::span<const Envelope> next, const ChainHead& known) {
    Chain grown = *this;
    for (const Envelope& envelope : next) {
        if (!grown.check_place(envelope)) return false;
        grown.take(envelope);
    }
    if (grown.head_ != known) return false;
    *this = std::move(grown);
    return true;
}

Result<void> Chain::check_place(const Envelope& next) const {
    if (next.trust != head_.trust) return denied(next, "it belongs to another trust");
    if (next.chain != head_.chain) {
        return denied(next, "it does not belong to chain " + head_.chain.brief());
    }
    const std::uint64_t number = next.number;
    if (number < first()) {
        return Error{Errc::Conflict, place(head_.chain, number) + "a later one carries it over"};
    }
    if (number < head_.length) {
        if (entry_hash(next) != entries_[number - first()]) {
            return denied(next, "a fork: the chain has another entry of this number");
        }
        return Error{Errc::Conflict, place(head_.chain, number) + "the chain has it already"};
    }
    if (number > head_.length) {
        return Error{Errc::NotFound, place(head_.chain, number) + "entries are missing from " +
                                         std::to_string(head_.length) + " on; bring them first"};
    }
    if (next.previous != head_.root) {
        return denied(next, "a fork: it goes on from other entries than the chain has");
    }
    if (number - first() >= chain_entries_max) {
        return Error{Errc::Full,
                     place(head_.chain, number) + "the chain is full; run holdfast prune"};
    }
    return {};
}

Envelope Chain::next() const {
    Envelope envelope;
    envelope.trust = head_.trust;
    envelope.chain = head_.chain;
    envelope.number = head_.length;
    envelope.previous = head_.root;
    return envelope;
}

ChainHead Chain::head_at(std::uint64_t length) const {
    HF_ASSERT(first() <= length && length <= head_.length);
    if (length == head_.length) return head_;
    MerkleLog log = start_;
    for (const Digest& entry : std::span(entries_).first(length - first())) log.append(entry);
    return {head_.trust, head_.chain, length, log.root()};
}

bool Chain::had(const ChainHead& head) const {
    if (head.trust != head_.trust || head.chain != head_.chain) return false;
    return head.length < first() || (head.length <= head_.length && head_at(head.length) == head);
}

Result<void> Chain::check_ours(const ChainHead& other) const {
    const std::string what = "ledger chain " + head_.chain.brief() + ": ";
    if (other.trust != head_.trust || other.chain != head_.chain) {
        return Error{Errc::Denied, what + "the head is of another chain"};
    }
    if (other.length > head_.length) {
        return Error{Errc::NotFound, what + "a head of length " + std::to_string(other.length) +
                                         " is known, " + std::to_string(head_.length) +
                                         " entries are here; bring the others"};
    }
    if (!had(other)) {
        return Error{Errc::Denied, what + "a fork: another head was seen at length " +
                                       std::to_string(other.length)};
    }
    return {};
}

}  // namespace holdfast::vault
