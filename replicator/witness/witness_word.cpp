#include "replicator/witness/witness_word.h"

#include "vault/keys/json_fields.h"

namespace holdfast::replicator {
namespace {

constexpr std::string_view witness_type = "witness";

}  // namespace

Buffer make_witness_word(const WitnessWord& word, const vault::SigningKey& link) {
    vault::Record record{std::string(witness_type),
                         vault::addressed_to(word.owner),
                         word.term,
                         json_text({{"owner", word.owner.hex()},
                                    {"system", word.system},
                                    {"term", word.term},
                                    {"holder", word.holder.hex()},
                                    {"witness", word.witness.hex()},
                                    {"node", word.node},
                                    {"time", word.time}}),
                         {}};
    vault::sign(record, link);
    return vault::encode(record);
}

Result<WitnessWord> parse_witness_word(View object, const vault::Record& holder_bytes,
                                       const vault::Roster& witness) {
    const Holder holder = HF_TRY(parse_holder(holder_bytes));
    const vault::Record record = HF_TRY(vault::parse_record(object));
    HF_TRY(vault::expect(record, witness_type, vault::addressed_to(holder.owner)));
    auto body = HF_TRY(vault::JsonText::parse(record.body, "witness"));
    vault::Fields in = body.top();
    WitnessWord word;
    word.owner = in.id<TrustId>("owner");
    word.system = in.text("system");
    word.term = in.number("term", term_max);
    word.holder = in.id<Digest>("holder");
    word.witness = in.id<TrustId>("witness");
    word.node = in.text("node");
    word.time = in.time("time");
    HF_TRY(body.check());
    const bool same = word.owner == holder.owner && word.system == holder.system &&
                      word.term == holder.term && record.number == holder.term &&
                      word.holder == holder_digest(holder_bytes);
    if (!same) return Error{Errc::Denied, "a witness's word about another holder record"};
    const vault::RosterNode* node = witness.node_by_name(word.node);
    if (word.witness == witness.trust && node != nullptr &&
        vault::signed_by(record, node->link_key)) {
        return word;
    }
    return Error{Errc::Denied, "a witness's word that no node of " + witness.name + " signed"};
}

}  // namespace holdfast::replicator
