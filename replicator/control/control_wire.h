// Control wire: the JSON bodies of the replicator's control socket, both ways.
//
// Parsers' Errors: Invalid.
#pragma once

#include "replicator/agreement/agreement.h"
#include "replicator/agreement/receipt.h"
#include "replicator/control/transfers.h"

#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::uint64_t proxied_bytes_max = 65_MiB;  // Of one answer of a partner.

struct PartnerInfo {
    TrustId trust;
    std::string name;
    std::string address;  // Empty: it calls us.
    std::string words;    // To be compared by phone.
    bool confirmed = false;
    std::int64_t paired_ms = 0;
    std::uint64_t roster = 0;
    KeyHash tls_key;
    std::uint64_t agreement_as_owner = 0;  // Number of the one in force; 0: none. We own, it hosts.
    std::uint64_t agreement_as_host = 0;   // It owns, we host.
    std::int64_t newest_receipt_ms = 0;    // 0: none.

    friend bool operator==(const PartnerInfo&, const PartnerInfo&) = default;
};

/// What POST /agreements did.
struct AgreementStored {
    bool delivered = false;  // The partner has it too.
    std::string problem;     // Why not; it goes along with the next transfer.
};

struct ReceiptInfo {
    ListId list;
    std::int64_t time_ms = 0;
    Buffer object;
};

/// {"FIELD": TEXT}
std::string encode_text(const char* field, const std::string& text);
Result<std::string> parse_text(View json, const char* field, std::size_t bytes_max);

std::string encode(const PartnerInfo& partner);
Result<PartnerInfo> parse_partner(View json);
std::string encode(const std::vector<PartnerInfo>& partners);
Result<std::vector<PartnerInfo>> parse_partners(View json);

std::string encode(const std::vector<TransferInfo>& transfers);
Result<std::vector<TransferInfo>> parse_transfers(View json);

/// {"ids": [1, 2]} as texts.
std::string encode_ids(const std::vector<std::uint64_t>& ids);
Result<std::vector<std::uint64_t>> parse_ids(View json);

std::string encode(const std::vector<HeldAgreement>& agreements);
Result<std::vector<HeldAgreement>> parse_agreements(View json);

std::string encode(const AgreementStored& stored);
Result<AgreementStored> parse_agreement_stored(View json);

std::string encode(const std::vector<ReceiptInfo>& receipts);
Result<std::vector<ReceiptInfo>> parse_receipts(View json);

}  // namespace holdfast::replicator
