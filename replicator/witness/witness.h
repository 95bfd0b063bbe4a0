// Witness: this node as a witness of other trusts' terms, and of the terms that itself takes as a
// host (docs/peer-api.yaml, /holders).
//
// Who may ask: the owner's nodes; and the hosts and witnesses of an agreement of the owner's that
// names this trust as witness (the owner's signature is enough for that). A term is brought by its
// owner or by its host, which must be a partner. It is kept if two of the owner's persons signed
// it, by the certificates among the owner's papers here, and the node that it names. Thread rule:
// the loop thread; papers are read on the pool, which must go before it.
#pragma once

#include "replicator/peer/peer_api.h"
#include "replicator/witness/witness_book.h"
#include "replicator/witness/witness_word.h"

namespace holdfast::replicator {

/// What a witness says to a holder record.
struct WitnessReply {
    enum class Kind { Witnessed, Taken, Old, Fork };
    Kind kind = Kind::Witnessed;
    Buffer record;  // Its word (witness_word.h) if Witnessed; else the holder record that it keeps.
    std::string message;
};

/// "witnessed", "term_taken", "term_old", "fork".
std::string_view name_of(WitnessReply::Kind kind);

class Witness {
public:
    using Told = Callback<void(Result<WitnessReply>)>;

    Witness(const Core& core, WitnessBook book) : core_(core), book_(book) {}
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    void add_routes(Router& router);

    /// `told` comes once, later or at once. Errors: Denied, refusals, Corrupt, Full, Io.
    void witness(const TrustId& asker, View object, Told told);
    /// The newest holder record. Errors: NotFound (none), refusals, Io.
    Result<Buffer> newest(const TrustId& asker, const TrustId& owner, const std::string& system);

private:
    struct Question {
        vault::Record record;
        Holder holder;
    };
    Result<Question> question(const TrustId& asker, View object) const;
    Result<void> check_asker(const TrustId& asker, const TrustId& owner) const;
    Result<vault::Roster> roster_of(const TrustId& trust) const;
    Result<WitnessReply> keep(const Question& asked);
    void answer_peer(const HttpRequest& request, Responder respond);

    Core core_;
    WitnessBook book_;
};

}  // namespace holdfast::replicator
