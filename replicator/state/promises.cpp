#include "replicator/state/promises.h"

namespace holdfast::replicator {
namespace {

Buffer copy_of(View bytes) {
    return {bytes.begin(), bytes.end()};
}

constexpr const char* agreement_columns =
    "SELECT object, owner_signed, host_signed FROM agreement ";

Result<HeldAgreement> read_agreement(const vault::Statement& row) {
    HeldAgreement held;
    held.object = copy_of(row.blob(0));
    held.signatures = {row.integer(1) != 0, row.integer(2) != 0};
    held.terms = HF_TRY(parse_agreement(HF_TRY(vault::parse_record(held.object))));
    return held;
}

}  // namespace

Result<std::optional<HeldAgreement>> Promises::find_agreement(const Agreement& terms) {
    auto row = HF_TRY(db_->prepare(std::string(agreement_columns) +
                                   "WHERE owner = ? AND host = ? AND number = ?"));
    row.bind(0, terms.owner.view()).bind(1, terms.host.view()).bind(2, terms.number);
    if (!HF_TRY(row.step())) return std::optional<HeldAgreement>{};
    return std::optional(HF_TRY(read_agreement(row)));
}

Result<HeldAgreement> Promises::put_agreement(View object, const vault::Roster& owner,
                                              const vault::Roster& host) {
    HeldAgreement held;
    vault::Record record = HF_TRY(vault::parse_record(object));
    held.terms = HF_TRY(parse_agreement(record));
    if (held.terms.owner != owner.trust || held.terms.host != host.trust) {
        return Error{Errc::Denied, "an agreement between other trusts"};
    }
    held.signatures = signatures_of(record, owner, host);
    if (!held.signatures.owner && !held.signatures.host) {
        return Error{Errc::Denied, "agreement " + std::to_string(record.number) +
                                       " is signed by no officer of " + owner.name + " or " +
                                       host.name};
    }
    const auto known = HF_TRY(find_agreement(held.terms));
    if (known) {
        record = HF_TRY(merge_signatures(HF_TRY(vault::parse_record(known->object)), record));
        const AgreementSignatures merged = signatures_of(record, owner, host);
        held.signatures = {known->signatures.owner || merged.owner,
                           known->signatures.host || merged.host};
    } else if (HF_TRY(agreements(owner.trust, host.trust)).size() >= agreements_max) {
        return Error{Errc::Full, "at most " + std::to_string(agreements_max) + " agreements"};
    }
    held.object = vault::encode(record);
    auto row = HF_TRY(
        db_->prepare("INSERT OR REPLACE INTO agreement (owner, host, number, object, owner_signed, "
                     "host_signed) VALUES (?, ?, ?, ?, ?, ?)"));
    row.bind(0, owner.trust.view()).bind(1, host.trust.view()).bind(2, held.terms.number);
    row.bind(3, View(held.object));
    row.bind(4, held.signatures.owner ? 1 : 0).bind(5, held.signatures.host ? 1 : 0);
    HF_TRY(row.run());
    return held;
}

Result<std::vector<HeldAgreement>> Promises::agreements(const TrustId& a, const TrustId& b) {
    auto rows = HF_TRY(db_->prepare(std::string(agreement_columns) +
                                    "WHERE (owner = ?1 AND host = ?2) OR "
                                    "(owner = ?2 AND host = ?1) ORDER BY owner, number"));
    rows.bind(0, a.view()).bind(1, b.view());
    std::vector<HeldAgreement> out;
    while (HF_TRY(rows.step())) out.push_back(HF_TRY(read_agreement(rows)));
    return out;
}

Result<std::vector<HeldAgreement>> Promises::signed_by_owner(const TrustId& owner) {
    auto rows = HF_TRY(db_->prepare(std::string(agreement_columns) +
                                    "WHERE owner = ? AND owner_signed ORDER BY host, number"));
    rows.bind(0, owner.view());
    std::vector<HeldAgreement> out;
    while (HF_TRY(rows.step())) out.push_back(HF_TRY(read_agreement(rows)));
    return out;
}

Result<std::optional<Agreement>> Promises::in_force(const TrustId& owner, const TrustId& host,
                                                    std::int64_t now_ms) {
    auto rows = HF_TRY(db_->prepare(std::string(agreement_columns) +
                                    "WHERE owner = ? AND host = ? AND owner_signed AND host_signed "
                                    "ORDER BY number DESC"));
    rows.bind(0, owner.view()).bind(1, host.view());
    while (HF_TRY(rows.step())) {
        HeldAgreement held = HF_TRY(read_agreement(rows));
        if (held.terms.valid_from > now_ms) continue;
        // Whoever ends an agreement by a newer one does not wake the older ones up.
        if (!held.terms.in_date(now_ms)) break;
        return std::optional(std::move(held.terms));
    }
    return std::optional<Agreement>{};
}

Result<void> Promises::put_receipt(const Receipt& receipt, View object) {
    auto row = HF_TRY(db_->prepare(
        "INSERT OR REPLACE INTO receipt (host, list, time_ms, object) VALUES (?, ?, ?, ?)"));
    row.bind(0, receipt.host.view()).bind(1, receipt.list.view()).bind(2, receipt.time);
    row.bind(3, object);
    return row.run();
}

Result<std::vector<HeldReceipt>> Promises::receipts(const TrustId& host) {
    auto rows = HF_TRY(db_->prepare(
        "SELECT list, time_ms, object FROM receipt WHERE host = ? ORDER BY time_ms DESC"));
    rows.bind(0, host.view());
    std::vector<HeldReceipt> out;
    while (HF_TRY(rows.step())) {
        const auto list = HF_TRY(ListId::from(rows.blob(0)));
        out.push_back({host, list, rows.integer(1), copy_of(rows.blob(2))});
    }
    return out;
}

Result<void> Promises::put_head(const vault::ChainHead& head) {
    auto row =
        HF_TRY(db_->prepare("INSERT INTO head (trust, chain, length, root) "
                            "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (trust, chain) DO UPDATE "
                            "SET length = ?3, root = ?4 WHERE length < ?3"));
    row.bind(0, head.trust.view()).bind(1, head.chain.view()).bind(2, head.length);
    row.bind(3, head.root.view());
    return row.run();
}

Result<std::vector<vault::ChainHead>> Promises::heads(const TrustId& trust) {
    auto rows = HF_TRY(db_->prepare("SELECT chain, length, root FROM head WHERE trust = ?"));
    rows.bind(0, trust.view());
    std::vector<vault::ChainHead> out;
    while (HF_TRY(rows.step())) {
        const auto chain = HF_TRY(ChainId::from(rows.blob(0)));
        const auto root = HF_TRY(Digest::from(rows.blob(2)));
        out.push_back({trust, chain, rows.unsigned_integer(1), root});
    }
    return out;
}

}  // namespace holdfast::replicator
