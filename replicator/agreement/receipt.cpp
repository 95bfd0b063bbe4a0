#include "replicator/agreement/receipt.h"

#include "vault/keys/json_fields.h"

namespace holdfast::replicator {
namespace {

constexpr std::string_view receipt_type = "receipt";

}  // namespace

Buffer make_receipt(const Receipt& receipt, const vault::SigningKey& link) {
    vault::Record record{std::string(receipt_type),
                         vault::addressed_to(receipt.owner),
                         static_cast<std::uint64_t>(receipt.time),
                         json_text({{"owner", receipt.owner.hex()},
                                    {"host", receipt.host.hex()},
                                    {"node", receipt.node},
                                    {"list", receipt.list.hex()},
                                    {"packs", receipt.packs},
                                    {"bytes", receipt.bytes},
                                    {"time", receipt.time},
                                    {"agreement", receipt.agreement}}),
                         {}};
    vault::sign(record, link);
    return vault::encode(record);
}

Result<Receipt> parse_receipt(View object, const TrustId& owner, const vault::Roster& host) {
    const vault::Record record = HF_TRY(vault::parse_record(object));
    HF_TRY(vault::expect(record, receipt_type, vault::addressed_to(owner)));
    auto body = HF_TRY(vault::JsonText::parse(record.body, "receipt"));
    vault::Fields in = body.top();
    Receipt receipt;
    receipt.owner = in.id<TrustId>("owner");
    receipt.host = in.id<TrustId>("host");
    receipt.node = in.text("node");
    receipt.list = in.id<ListId>("list");
    receipt.packs = in.number("packs");
    receipt.bytes = in.number("bytes");
    receipt.time = in.time("time");
    receipt.agreement = in.number("agreement");
    HF_TRY(body.check());
    const vault::RosterNode* node = host.node_by_name(receipt.node);
    if (receipt.owner != owner || receipt.host != host.trust || node == nullptr ||
        !vault::signed_by(record, node->link_key)) {
        return Error{Errc::Denied, "a receipt that no node of " + host.name + " signed for us"};
    }
    return receipt;
}

}  // namespace holdfast::replicator
