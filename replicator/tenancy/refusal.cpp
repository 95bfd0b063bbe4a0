#include "replicator/tenancy/refusal.h"

#include <array>

namespace holdfast::replicator {
namespace {

struct Meaning {
    Refusal refusal;
    std::string_view code;
    unsigned status;
    Errc errc;
};

constexpr std::array<Meaning, 22> meanings{{
    {Refusal::BadRange, "bad_range", 416, Errc::Invalid},
    {Refusal::BadToken, "bad_token", 403, Errc::Denied},
    {Refusal::BaseMissing, "base_missing", 409, Errc::Conflict},
    {Refusal::Busy, "busy", 503, Errc::Unreachable},
    {Refusal::DomainMissing, "domain_missing", 409, Errc::Conflict},
    {Refusal::EntryMissing, "entry_missing", 409, Errc::Conflict},
    {Refusal::EpochMissing, "epoch_missing", 409, Errc::Conflict},
    {Refusal::Fork, "fork", 409, Errc::Conflict},
    {Refusal::ListMissing, "list_missing", 409, Errc::Conflict},
    {Refusal::MayNotRun, "may_not_run", 403, Errc::Denied},
    {Refusal::NoAgreement, "no_agreement", 403, Errc::Denied},
    {Refusal::NotItsName, "not_its_name", 400, Errc::Invalid},
    {Refusal::NotYours, "not_yours", 403, Errc::Denied},
    {Refusal::OverDaily, "over_daily", 507, Errc::Full},
    {Refusal::OverQuota, "over_quota", 507, Errc::Full},
    {Refusal::PacksMissing, "packs_missing", 409, Errc::Conflict},
    {Refusal::StaleRoster, "stale_roster", 409, Errc::Conflict},
    {Refusal::TermOld, "term_old", 409, Errc::Conflict},
    {Refusal::TermTaken, "term_taken", 409, Errc::Conflict},
    {Refusal::TooManyRuns, "too_many_runs", 429, Errc::Unreachable},
    {Refusal::TooLong, "body_too_large", 413, Errc::Invalid},
    {Refusal::UnknownPeer, "unknown_peer", 403, Errc::Denied},
}};

const Meaning& meaning_of(Refusal refusal) {
    for (const Meaning& meaning : meanings) {
        if (meaning.refusal == refusal) return meaning;
    }
    HF_ASSERT(false);
    return meanings[0];
}

std::string_view code_in(const Error& error) {
    const std::string_view message = error.message;
    return message.substr(0, message.find(": "));
}

}  // namespace

Error refuse(Refusal refusal, const std::string& message) {
    const Meaning& meaning = meaning_of(refusal);
    return {meaning.errc, std::string(meaning.code) + ": " + message};
}

bool is_refusal(const Error& error, Refusal refusal) {
    return code_in(error) == meaning_of(refusal).code;
}

HttpResponse refusal_response(const Error& error) {
    const std::string_view code = code_in(error);
    for (const Meaning& meaning : meanings) {
        if (meaning.code != code) continue;
        return error_response(meaning.status, code, error.message.substr(code.size() + 2));
    }
    return error_response(error);
}

}  // namespace holdfast::replicator
