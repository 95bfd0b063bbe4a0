#include "agent/cli/agreement_text.h"

#include "agent/cli/terminal.h"
#include "vault/base/clock.h"

#include <fmt/format.h>

namespace holdfast::agent::cli {
namespace {

using replicator::Agreement;

std::string day_of(std::int64_t ms) {
    return format_time(ms).substr(0, 10);
}

std::vector<std::string> missing_signatures(const AgreementView& view) {
    std::vector<std::string> out;
    if (!view.held->signatures.owner) out.push_back(view.owner());
    if (!view.held->signatures.host) out.push_back(view.host());
    return out;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : between) + printable(word);
    return out;
}

std::string state_line(const AgreementView& view) {
    const Agreement& terms = view.held->terms;
    const std::string state = agreement_state(view);
    if (state == "waiting") {
        std::string line = "It does not bind yet: missing is the signature of " +
                           joined(missing_signatures(view), " and of ") + ".";
        if (view.now_ms >= terms.valid_to) line += " It is over its date.";
        return line;
    }
    if (state == "future") return "Signed by both. It begins on " + day_of(terms.valid_from) + ".";
    if (state == "ended") return "It ended on " + day_of(terms.valid_to) + ".";
    if (state == "replaced") return "A later agreement has replaced it.";
    return "In force: signed by both, until " + day_of(terms.valid_to) + ".";
}

std::string texts_line(const char* what, const std::vector<std::string>& texts) {
    return fmt::format("  {:<14}{}\n", what, texts.empty() ? "none" : joined(texts, "; "));
}

}  // namespace

std::string agreement_state(const AgreementView& view) {
    const Agreement& terms = view.held->terms;
    if (!view.held->signatures.both()) return "waiting";
    if (terms.number == view.in_force) return "in force";
    if (view.now_ms < terms.valid_from) return "future";
    if (view.now_ms >= terms.valid_to) return "ended";
    return "replaced";
}

std::string agreement_prose(const AgreementView& view) {
    const Agreement& terms = view.held->terms;
    std::string out = fmt::format("Agreement {}: {} keeps the data of {}.\n", terms.number,
                                  printable(view.host()), printable(view.owner()));
    out += "  " + state_line(view) + "\n";
    out += fmt::format("  {:<14}{} to {}, {} days' notice\n", "valid", day_of(terms.valid_from),
                       day_of(terms.valid_to), terms.notice_days);
    const std::uint64_t daily =
        terms.new_bytes_a_day == 0 ? terms.quota_bytes : terms.new_bytes_a_day;
    out += fmt::format("  {:<14}{} in all, {} new a day, at most {} objects\n", "room",
                       human_bytes(terms.quota_bytes), human_bytes(daily), terms.objects_max);
    out += fmt::format("  {:<14}at least {} days, at most {}; {} days' grace\n", "kept",
                       terms.minimum_hold_days, terms.longest_hold_days, terms.grace_days);
    out += texts_line("may run there", terms.may_run);
    out += texts_line("witnesses", view.witnesses);
    return out + texts_line("contacts", terms.contacts);
}

Json agreement_json(const AgreementView& view) {
    const Agreement& terms = view.held->terms;
    return {{"number", terms.number},
            {"owner", terms.owner.hex()},
            {"owner_name", view.owner()},
            {"host", terms.host.hex()},
            {"host_name", view.host()},
            {"we_own", view.we_own},
            {"state", agreement_state(view)},
            {"owner_signed", view.held->signatures.owner},
            {"host_signed", view.held->signatures.host},
            {"missing_signatures", missing_signatures(view)},
            {"quota_bytes", terms.quota_bytes},
            {"objects_max", terms.objects_max},
            {"new_bytes_a_day", terms.new_bytes_a_day},
            {"minimum_hold_days", terms.minimum_hold_days},
            {"longest_hold_days", terms.longest_hold_days},
            {"grace_days", terms.grace_days},
            {"notice_days", terms.notice_days},
            {"may_run", terms.may_run},
            {"witnesses", view.witnesses},
            {"contacts", terms.contacts},
            {"valid_from_ms", terms.valid_from},
            {"valid_to_ms", terms.valid_to}};
}

}  // namespace holdfast::agent::cli
