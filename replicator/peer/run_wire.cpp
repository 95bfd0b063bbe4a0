#include "replicator/peer/run_wire.h"

#include "vault/keys/json_fields.h"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::replicator {
namespace {

using vault::Fields;

constexpr std::size_t run_digits_max = 18;

constexpr std::array<std::pair<std::string_view, RunCall>, 7> calls{{
    {"approvals", RunCall::Approvals},
    {"shares", RunCall::Shares},
    {"release", RunCall::Release},
    {"pause", RunCall::Pause},
    {"resume", RunCall::Resume},
    {"abort", RunCall::Abort},
    {"stop", RunCall::Stop},
}};

/// Control characters would let a name forge lines of a report.
bool is_plain(const std::string& text) {
    return std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

std::string plain_text(Fields& in, const char* field) {
    std::string text = in.text(field, run_text_bytes_max);
    if (!is_plain(text)) in.fail(field, "a text without control characters");
    return text;
}

std::vector<Buffer> read_shares(Fields& in) {
    std::vector<Buffer> shares;
    for (const std::string& text :
         in.texts("shares", run_shares_max, (run_share_bytes_max + 2) / 3 * 4)) {
        auto share = vault::from_base64(text);
        if (!share) in.fail("shares", share.error().message);
        if (share) shares.push_back(*std::move(share));
    }
    return shares;
}

RunRelease read_release(Fields in) {
    return {in.base64("record", run_record_bytes_max),
            in.base64("keys", run_release_keys_bytes_max)};
}

Json to_json(const RunRelease& release) {
    return {{"record", vault::to_base64(release.record)}, {"keys", vault::to_base64(release.keys)}};
}

RunQuestion read_question(Fields& in) {
    RunQuestion question;
    question.kind = in.text("kind", run_text_bytes_max);
    if (question.kind != "drill" && question.kind != "failover") {
        in.fail("kind", "\"drill\" or \"failover\"");
    }
    question.system = plain_text(in, "system");
    if (in.has("snapshot")) question.snapshot = plain_text(in, "snapshot");
    if (in.has("ordered_by")) question.ordered_by = plain_text(in, "ordered_by");
    if (in.has("shares")) question.shares = read_shares(in);
    if (in.has("release")) question.release = read_release(in.object("release"));
    return question;
}

}  // namespace

std::string encode(const RunQuestion& question) {
    Json out{{"kind", question.kind},
             {"system", question.system},
             {"snapshot", question.snapshot},
             {"ordered_by", question.ordered_by},
             {"shares", Json::array()}};
    for (const Buffer& share : question.shares) out["shares"].push_back(vault::to_base64(share));
    if (question.release) out["release"] = to_json(*question.release);
    return json_text(out);
}

Result<RunQuestion> parse_run_question(View json) {
    return vault::read_body(as_text(json), read_question);
}

std::string encode(const RunApproval& approval) {
    Json out{{"record", vault::to_base64(approval.record)}};
    if (!approval.attestation.empty()) out["attestation"] = vault::to_base64(approval.attestation);
    return json_text(out);
}

Result<RunApproval> parse_run_approval(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        RunApproval approval;
        approval.record = in.base64("record", run_record_bytes_max);
        if (in.has("attestation")) {
            approval.attestation = in.base64("attestation", run_record_bytes_max);
        }
        return approval;
    });
}

std::string encode_run_share(View share) {
    return json_text({{"share", vault::to_base64(share)}});
}

Result<Buffer> parse_run_share(View json) {
    return vault::read_body(as_text(json),
                            [](Fields& in) { return in.base64("share", run_share_bytes_max); });
}

std::string encode(const RunRelease& release) {
    return json_text(to_json(release));
}

Result<RunRelease> parse_run_release(View json) {
    return vault::read_body(as_text(json), [](Fields& in) { return read_release(in); });
}

std::optional<RunCall> run_call(std::string_view word) {
    const auto* const found =
        std::ranges::find(calls, word, [](const auto& one) { return one.first; });
    if (found == calls.end()) return std::nullopt;
    return found->second;
}

Result<std::string> run_call_body(RunCall call, View json) {
    switch (call) {
        case RunCall::Approvals:
            return encode(HF_TRY(parse_run_approval(json)));
        case RunCall::Shares:
            return encode_run_share(HF_TRY(parse_run_share(json)));
        case RunCall::Release:
            return encode(HF_TRY(parse_run_release(json)));
        case RunCall::Pause:
        case RunCall::Resume:
        case RunCall::Abort:
        case RunCall::Stop:
            return std::string("{}");
    }
    HF_ASSERT(false);
    return std::string();
}

Result<std::string> run_number(const std::string& text) {
    const bool number = !text.empty() && text.size() <= run_digits_max &&
                        std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (number) return text;
    return Error{Errc::Invalid, "a run has a number (holdfast run list)"};
}

Result<std::string> system_of_run(View json) {
    auto body = HF_TRY(vault::JsonText::parse(as_text(json), "the agent's answer"));
    std::string system = body.top().text("system");
    HF_TRY(body.check());
    return system;
}

}  // namespace holdfast::replicator
