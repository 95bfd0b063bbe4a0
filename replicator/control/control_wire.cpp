#include "replicator/control/control_wire.h"

#include "vault/crypto/base64.h"
#include "vault/keys/json_fields.h"

namespace holdfast::replicator {
namespace {

using vault::Fields;

constexpr std::size_t listed_max = 100'000;
constexpr std::size_t text_bytes_max = 4096;

Json to_json(const PartnerInfo& one) {
    return {{"trust", one.trust.hex()},
            {"name", one.name},
            {"address", one.address},
            {"words", one.words},
            {"confirmed", one.confirmed ? 1 : 0},
            {"paired_ms", one.paired_ms},
            {"roster", one.roster},
            {"tls_key", one.tls_key.hex()},
            {"agreement_as_owner", one.agreement_as_owner},
            {"agreement_as_host", one.agreement_as_host},
            {"newest_receipt_ms", one.newest_receipt_ms}};
}

PartnerInfo read_partner(Fields& in) {
    PartnerInfo one;
    one.trust = in.id<TrustId>("trust");
    one.name = in.text("name");
    one.address = in.text("address", address_bytes_max);
    one.words = in.text("words");
    one.confirmed = in.number("confirmed", 1) != 0;
    one.paired_ms = in.time("paired_ms");
    one.roster = in.number("roster");
    one.tls_key = in.id<KeyHash>("tls_key");
    one.agreement_as_owner = in.number("agreement_as_owner");
    one.agreement_as_host = in.number("agreement_as_host");
    one.newest_receipt_ms = in.time("newest_receipt_ms");
    return one;
}

Json to_json(const TransferInfo& one) {
    return {{"id", one.id},
            {"partner", one.partner.hex()},
            {"partner_name", one.partner_name},
            {"state", one.state},
            {"problem", one.problem},
            {"objects_done", one.objects_done},
            {"objects_all", one.objects_all},
            {"bytes_done", one.bytes_done},
            {"bytes_all", one.bytes_all},
            {"entries_done", one.entries_done},
            {"entries_all", one.entries_all},
            {"receipts", one.receipts},
            {"started_ms", one.started_ms},
            {"ended_ms", one.ended_ms}};
}

TransferInfo read_transfer(Fields& in) {
    TransferInfo one;
    one.id = in.number("id");
    one.partner = in.id<TrustId>("partner");
    one.partner_name = in.text("partner_name");
    one.state = in.text("state");
    one.problem = in.text("problem", text_bytes_max);
    one.objects_done = in.number("objects_done");
    one.objects_all = in.number("objects_all");
    one.bytes_done = in.number("bytes_done");
    one.bytes_all = in.number("bytes_all");
    one.entries_done = in.number("entries_done");
    one.entries_all = in.number("entries_all");
    one.receipts = in.number("receipts");
    one.started_ms = in.time("started_ms");
    one.ended_ms = in.time("ended_ms");
    return one;
}

template <class Items>
std::string encode_all(const char* field, const Items& items) {
    Json all = Json::array();
    for (const auto& item : items) all.push_back(to_json(item));
    return json_text({{field, std::move(all)}});
}

}  // namespace

std::string encode_text(const char* field, const std::string& text) {
    return json_text({{field, text}});
}

Result<std::string> parse_text(View json, const char* field, std::size_t bytes_max) {
    return vault::read_body(as_text(json), [&](Fields& in) { return in.text(field, bytes_max); });
}

std::string encode(const PartnerInfo& partner) {
    return json_text(to_json(partner));
}

Result<PartnerInfo> parse_partner(View json) {
    return vault::read_body(as_text(json), read_partner);
}

std::string encode(const std::vector<PartnerInfo>& partners) {
    return encode_all("partners", partners);
}

Result<std::vector<PartnerInfo>> parse_partners(View json) {
    return vault::read_body(
        as_text(json), [](Fields& in) { return in.list("partners", listed_max, read_partner); });
}

std::string encode(const std::vector<TransferInfo>& transfers) {
    return encode_all("transfers", transfers);
}

Result<std::vector<TransferInfo>> parse_transfers(View json) {
    return vault::read_body(
        as_text(json), [](Fields& in) { return in.list("transfers", listed_max, read_transfer); });
}

std::string encode_ids(const std::vector<std::uint64_t>& ids) {
    Json all = Json::array();
    for (const std::uint64_t id : ids) all.push_back({{"id", id}});
    return json_text({{"transfers", std::move(all)}});
}

Result<std::vector<std::uint64_t>> parse_ids(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        return in.list("transfers", listed_max, [](Fields& one) { return one.number("id"); });
    });
}

std::string encode(const std::vector<HeldAgreement>& agreements) {
    Json all = Json::array();
    for (const HeldAgreement& held : agreements) {
        all.push_back({{"owner_signed", held.signatures.owner ? 1 : 0},
                       {"host_signed", held.signatures.host ? 1 : 0},
                       {"record", vault::to_base64(held.object)}});
    }
    return json_text({{"agreements", std::move(all)}});
}

Result<std::vector<HeldAgreement>> parse_agreements(View json) {
    auto held = HF_TRY(vault::read_body(as_text(json), [](Fields& in) {
        return in.list("agreements", listed_max, [](Fields& one) {
            HeldAgreement agreement;
            agreement.signatures.owner = one.number("owner_signed", 1) != 0;
            agreement.signatures.host = one.number("host_signed", 1) != 0;
            agreement.object = one.base64("record", vault::record_bytes_max);
            return agreement;
        });
    }));
    for (HeldAgreement& one : held) {
        one.terms = HF_TRY(parse_agreement(HF_TRY(vault::parse_record(one.object))));
    }
    return held;
}

std::string encode(const AgreementStored& stored) {
    return json_text({{"delivered", stored.delivered ? 1 : 0}, {"problem", stored.problem}});
}

Result<AgreementStored> parse_agreement_stored(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        return AgreementStored{in.number("delivered", 1) != 0, in.text("problem", text_bytes_max)};
    });
}

std::string encode(const std::vector<ReceiptInfo>& receipts) {
    Json all = Json::array();
    for (const ReceiptInfo& one : receipts) {
        all.push_back({{"list", one.list.hex()},
                       {"time_ms", one.time_ms},
                       {"record", vault::to_base64(one.object)}});
    }
    return json_text({{"receipts", std::move(all)}});
}

Result<std::vector<ReceiptInfo>> parse_receipts(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        return in.list("receipts", listed_max, [](Fields& one) {
            return ReceiptInfo{one.id<ListId>("list"), one.time("time_ms"),
                               one.base64("record", vault::record_bytes_max)};
        });
    });
}

}  // namespace holdfast::replicator
