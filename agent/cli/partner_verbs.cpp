// partner: invite another trust, accept its invitation, say that the words were compared, list.
#include "agent/cli/context.h"
#include "replicator/control/control_client.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

using replicator::PartnerInfo;

struct PartnerOptions {
    std::string file;
    std::string partner;
};

Json to_json(const PartnerInfo& one) {
    return {{"trust", one.trust.hex()},
            {"name", one.name},
            {"address", one.address},
            {"tls_key", one.tls_key.hex()},
            {"words", one.words},
            {"confirmed", one.confirmed},
            {"paired_ms", one.paired_ms},
            {"agreement_as_owner", one.agreement_as_owner},
            {"agreement_as_host", one.agreement_as_host},
            {"newest_receipt_ms", one.newest_receipt_ms}};
}

Result<std::string> make_invitation(const Home& home, const std::string& file) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    std::string text = HF_TRY(replicator.invite());
    if (!file.empty()) HF_TRY(write_file_durably(file, as_view(text), 0600));
    return text;
}

int invite(const Context& context, const PartnerOptions& options) {
    auto text = make_invitation(context.home(), options.file);
    if (!text) return fail(text.error());
    if (context.json) {
        fmt::print("{}\n", json_text({{"invitation", *text}, {"file", options.file}}));
    } else if (options.file.empty()) {
        fmt::print("{}", *text);
    } else {
        fmt::print(
            "{} is an invitation. Send it to the other trust; it is good once, for seven days.\n"
            "When they have accepted it, compare the words of `holdfast partner list` by phone.\n",
            options.file);
    }
    return Done;
}

void print_words(const PartnerInfo& one) {
    fmt::print("\n    {}\n\n", one.words);
}

Result<PartnerInfo> take_invitation(const Home& home, const std::string& file) {
    const Buffer text = HF_TRY(read_file(file, replicator::invitation_bytes_max));
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    return replicator.accept(std::string(as_text(text)));
}

int accept(const Context& context, const PartnerOptions& options) {
    auto partner = take_invitation(context.home(), options.file);
    if (!partner) return fail(partner.error());
    if (context.json) {
        fmt::print("{}\n", json_text(to_json(*partner)));
        return Done;
    }
    fmt::print("Paired with {}. The words of this pairing:\n", printable(partner->name));
    print_words(*partner);
    fmt::print(
        "Ring {} on a number that you know already, and compare: both must have these eight\n"
        "words. The same: holdfast partner confirm \"{}\". Other words: somebody stands between\n"
        "you; sign no agreement, and tell both trusts' security people.\n",
        printable(partner->name), printable(partner->name));
    return Done;
}

Result<PartnerInfo> confirm_partner(const Home& home, const std::string& text) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    return replicator.confirm(HF_TRY(replicator.find_partner(text)).trust);
}

int confirm(const Context& context, const PartnerOptions& options) {
    auto partner = confirm_partner(context.home(), options.partner);
    if (!partner) return fail(partner.error());
    if (context.json) {
        fmt::print("{}\n", json_text(to_json(*partner)));
    } else {
        fmt::print("{} is confirmed: the words were compared.\n", printable(partner->name));
        fmt::print("Bring the recovery kit up to date: holdfast recovery kit\n");
    }
    return Done;
}

std::string agreed(std::uint64_t number) {
    return number == 0 ? "no agreement in force" : fmt::format("agreement {}", number);
}

void print_partner(const PartnerInfo& one, std::int64_t now_ms) {
    fmt::print("{}{}\n", printable(one.name),
               one.confirmed ? "" : "   UNCONFIRMED: compare the words");
    fmt::print("  id         {}\n", one.trust.hex());
    fmt::print("  address    {}\n",
               one.address.empty() ? "none: it calls us" : printable(one.address));
    fmt::print("  words      {}\n", one.words);
    fmt::print("  keeps ours {}\n", agreed(one.agreement_as_owner));
    fmt::print("  we keep    {}\n", agreed(one.agreement_as_host));
    const std::int64_t age_ms = now_ms - one.newest_receipt_ms;
    fmt::print("  receipt    {}\n",
               one.newest_receipt_ms == 0 ? "none yet" : fmt::format("{} ago", human_age(age_ms)));
}

Result<std::vector<PartnerInfo>> all_partners(const Home& home) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    return replicator.partners();
}

int list(const Context& context) {
    auto partners = all_partners(context.home());
    if (!partners) return fail(partners.error());
    Json out = Json::array();
    for (const PartnerInfo& one : *partners) {
        out.push_back(to_json(one));
        if (!context.json) print_partner(one, system_clock().wall_ms());
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    if (!context.json && partners->empty()) {
        fmt::print("No partners yet (holdfast partner invite, or accept).\n");
    }
    return Done;
}

}  // namespace

void add_partner_verbs(Command app, Context& context) {
    Command group = app.add_subcommand("partner", "the trusts that this one is paired with");
    group.require_subcommand();
    auto options = std::make_shared<PartnerOptions>();
    const auto add = [&](const char* name, const char* what, const char* example,
                         int (*run)(const Context&, const PartnerOptions&)) {
        Command verb = group.add_subcommand(name, what);
        verb.add_flag("--json", context.json, "report as JSON");
        verb.footer(std::string("Example: holdfast partner ") + example);
        verb.callback([&context, options, run] {
            context.verb = [&context, options, run] { return run(context, *options); };
        });
        return verb;
    };
    add("invite", "make an invitation for another trust", "invite --out trumpton.invitation",
        invite)
        .add_option("--out", options->file, "write it to FILE (default: the terminal)")
        .type_name("FILE");
    add("accept", "accept the invitation of another trust", "accept camberwick.invitation", accept)
        .add_option("FILE", options->file, "the invitation")
        .required();
    add("confirm", "say that both sides' words were compared by phone and are the same",
        "confirm Trumpton", confirm)
        .add_option("PARTNER", options->partner, "its name, or the beginning of its id")
        .required();
    add("list", "list the partners", "list",
        [](const Context& where, const PartnerOptions&) { return list(where); });
}

}  // namespace holdfast::agent::cli
