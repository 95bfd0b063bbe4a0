// agreement: what an owner and a host have both signed. Signed here with the node's office key.
#include "agent/cli/agreement_text.h"
#include "agent/cli/context.h"
#include "agent/node/node.h"
#include "replicator/control/control_client.h"
#include "vault/base/clock.h"
#include "vault/keys/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

namespace holdfast::agent::cli {
namespace {

using replicator::Agreement;
using replicator::HeldAgreement;
using replicator::PartnerInfo;

constexpr std::uint64_t longest_hold_days_default = 3653;

struct AgreementOptions {
    std::string partner;
    std::uint64_t number = 0;  // 0: not said.
    bool as_host = false;      // We keep their data.
    bool as_owner = false;     // They keep ours; the default where something is made.
    bool all = false;
    std::uint64_t valid_days = 366;
    Agreement terms;
    std::vector<std::string> witnesses;  // As typed.
};

/// What all of these verbs ask first.
struct Both {
    Home home;
    NodeSettings node;
    std::string name;  // Of our trust.
    replicator::ControlClient replicator;
    PartnerInfo partner;
    std::vector<HeldAgreement> held;
    std::map<TrustId, std::string> names;  // Of all partners.

    bool we_own(const Agreement& terms) const { return terms.owner == node.trust; }
    std::uint64_t in_force(bool ours) const {
        return ours ? partner.agreement_as_owner : partner.agreement_as_host;
    }
};

/// As the roster says; the vault may be lost, and agreements are shown all the same.
std::string own_name(const Home& home, const TrustId& trust) {
    const auto store = vault::PosixStore::open(home.vault);
    const auto roster =
        store ? vault::read_roster(*store, trust) : Result<vault::Roster>(store.error());
    return roster ? roster->name : "this trust";
}

Result<Both> with_partner(const Home& home, const PartnerInfo& partner) {
    NodeSettings node = HF_TRY(load_node(home));
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    auto held = HF_TRY(replicator.agreements(partner.trust));
    std::string name = own_name(home, node.trust);
    Both both{
        home, std::move(node), std::move(name), std::move(replicator), partner, std::move(held),
        {}};
    for (const PartnerInfo& one : HF_TRY(both.replicator.partners())) {
        both.names[one.trust] = one.name;
    }
    both.names[both.node.trust] = both.name;
    return both;
}

Result<Both> with_partner(const Home& home, const std::string& text) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    return with_partner(home, HF_TRY(replicator.find_partner(text)));
}

AgreementView view_of(const Both& both, const HeldAgreement& held) {
    AgreementView view;
    view.held = &held;
    view.we_own = both.we_own(held.terms);
    view.ours = both.name;
    view.theirs = both.partner.name;
    view.in_force = both.in_force(view.we_own);
    view.now_ms = system_clock().wall_ms();
    for (const TrustId& witness : held.terms.witnesses) {
        const auto known = both.names.find(witness);
        view.witnesses.push_back(known == both.names.end() ? witness.brief() : known->second);
    }
    return view;
}

std::uint64_t next_number(const Both& both, bool we_own) {
    std::uint64_t last = 0;
    for (const HeldAgreement& one : both.held) {
        if (both.we_own(one.terms) == we_own) last = std::max(last, one.terms.number);
    }
    return last + 1;
}

struct Signed {
    Both both;  // As it is afterwards.
    HeldAgreement held;
    replicator::AgreementStored stored;
};

/// Signs with the office key, stores here and brings it to the partner.
Result<Signed> sign_and_store(Both& both, vault::Record record) {
    const Agreement terms = HF_TRY(replicator::parse_agreement(record));
    const AgentKeys keys = HF_TRY(read_agent_keys(both.home.keys));
    vault::sign(record, keys.office);
    auto stored = HF_TRY(both.replicator.put_agreement(vault::encode(record)));
    Both now = HF_TRY(with_partner(both.home, both.partner.trust.hex()));
    const auto found = std::ranges::find(now.held, terms, &HeldAgreement::terms);
    if (found == now.held.end()) {
        return Error{Errc::Corrupt, "the replicator has lost the agreement that it took"};
    }
    HeldAgreement held = *found;
    return Signed{std::move(now), std::move(held), std::move(stored)};
}

int tell(const Context& context, const Result<Signed>& done) {
    if (!done) return fail(done.error());
    const AgreementView view = view_of(done->both, done->held);
    if (context.json) {
        Json out = agreement_json(view);
        out["delivered"] = done->stored.delivered;
        out["problem"] = done->stored.problem;
        out["confirmed"] = done->both.partner.confirmed;
        fmt::print("{}\n", json_text(out));
    } else {
        fmt::print("{}", agreement_prose(view));
    }
    const std::string partner = printable(done->both.partner.name);
    if (!done->stored.delivered) {
        warn(fmt::format("{} does not have it yet ({}); the next transfer brings it", partner,
                         printable(done->stored.problem)));
    }
    if (!done->both.partner.confirmed) {
        warn(
            fmt::format("{} is not confirmed: compare the words by phone first "
                        "(holdfast partner list)",
                        partner));
    }
    return done->stored.delivered && done->both.partner.confirmed ? Done : DoneWithWarnings;
}

Result<Signed> make_proposal(const Home& home, const AgreementOptions& options) {
    Both both = HF_TRY(with_partner(home, options.partner));
    Agreement terms = options.terms;
    const bool we_own = !options.as_host;
    terms.owner = we_own ? both.node.trust : both.partner.trust;
    terms.host = we_own ? both.partner.trust : both.node.trust;
    terms.number = next_number(both, we_own);
    for (const std::string& witness : options.witnesses) {
        terms.witnesses.push_back(HF_TRY(both.replicator.find_partner(witness)).trust);
    }
    if (terms.longest_hold_days == 0) {
        terms.longest_hold_days = std::max(terms.minimum_hold_days, longest_hold_days_default);
    }
    terms.valid_from = system_clock().wall_ms();
    terms.valid_to = terms.valid_from + static_cast<std::int64_t>(options.valid_days) * day_ms;
    return sign_and_store(both, HF_TRY(replicator::agreement_record(terms)));
}

/// The one that waits for our signature. Errors: NotFound, Invalid (several).
Result<HeldAgreement> unsigned_one(const Both& both, const AgreementOptions& options) {
    std::vector<HeldAgreement> waiting;
    for (const HeldAgreement& one : both.held) {
        const bool ours = both.we_own(one.terms);
        if (ours ? one.signatures.owner : one.signatures.host) continue;
        if (options.number != 0 && one.terms.number != options.number) continue;
        if ((options.as_host && ours) || (options.as_owner && !ours)) continue;
        waiting.push_back(one);
    }
    if (waiting.size() == 1) return std::move(waiting.front());
    const std::string name = printable(both.partner.name);
    if (waiting.empty()) {
        return Error{Errc::NotFound, "no agreement with " + name +
                                         " waits for our signature (holdfast agreement show)"};
    }
    return Error{Errc::Invalid, "several agreements with " + name +
                                    " wait for our signature: give the number, and --as-owner or "
                                    "--as-host (holdfast agreement show)"};
}

Result<Signed> sign_waiting(const Home& home, const AgreementOptions& options) {
    Both both = HF_TRY(with_partner(home, options.partner));
    const HeldAgreement held = HF_TRY(unsigned_one(both, options));
    const std::uint64_t in_force = both.in_force(both.we_own(held.terms));
    const bool over = system_clock().wall_ms() >= held.terms.valid_to;
    if (over && held.terms.number <= in_force) {  // A newer one ends what holds now.
        return Error{Errc::Invalid,
                     fmt::format("agreement {} is over its date already", held.terms.number)};
    }
    return sign_and_store(both, HF_TRY(vault::parse_record(held.object)));
}

/// The same terms under the next number, over after the notice days.
Result<Signed> give_notice(const Home& home, const AgreementOptions& options) {
    Both both = HF_TRY(with_partner(home, options.partner));
    const bool we_own = !options.as_host;
    const std::uint64_t number = both.in_force(we_own);
    const auto held = std::ranges::find_if(both.held, [&](const HeldAgreement& one) {
        return both.we_own(one.terms) == we_own && one.terms.number == number;
    });
    if (number == 0 || held == both.held.end()) {
        return Error{Errc::NotFound, "no agreement by which " +
                                         std::string(we_own ? "they keep ours" : "we keep theirs") +
                                         " is in force with " + printable(both.partner.name)};
    }
    Agreement terms = held->terms;
    const std::int64_t now_ms = system_clock().wall_ms();
    const std::int64_t notice_ms = static_cast<std::int64_t>(terms.notice_days) * day_ms;
    terms.number = next_number(both, we_own);
    terms.valid_from = now_ms;
    terms.valid_to = std::min(terms.valid_to, now_ms + std::max<std::int64_t>(notice_ms, 1));
    return sign_and_store(both, HF_TRY(replicator::agreement_record(terms)));
}

/// What people look for: all but what is over.
bool is_shown(const AgreementView& view, bool all) {
    const std::string state = agreement_state(view);
    return all || (state != "ended" && state != "replaced");
}

Result<Json> show_all(const Context& context, const AgreementOptions& options) {
    const Home home = context.home();
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    std::vector<PartnerInfo> partners;
    if (options.partner.empty()) {
        partners = HF_TRY(replicator.partners());
    } else {
        partners.push_back(HF_TRY(replicator.find_partner(options.partner)));
    }
    Json out = Json::array();
    for (const PartnerInfo& partner : partners) {
        const Both both = HF_TRY(with_partner(home, partner));
        for (const HeldAgreement& held : both.held) {
            const AgreementView view = view_of(both, held);
            if (!is_shown(view, options.all)) continue;
            out.push_back(agreement_json(view));
            if (!context.json) fmt::print("{}", agreement_prose(view));
        }
    }
    return out;
}

int show(const Context& context, const AgreementOptions& options) {
    auto all = show_all(context, options);
    if (!all) return fail(all.error());
    if (context.json) fmt::print("{}\n", json_text(*all));
    if (!context.json && all->empty()) fmt::print("No agreements (holdfast agreement propose).\n");
    return Done;
}

using Options = std::shared_ptr<AgreementOptions>;

void add_terms(Command verb, const Options& options) {
    Agreement& terms = options->terms;
    terms.grace_days = 30;
    terms.notice_days = 90;
    verb.add_option("--quota", terms.quota_bytes, "room in all, as 500GiB")
        .required()
        .as_size()
        .type_name("SIZE");
    verb.add_option("--hold-days", terms.minimum_hold_days, "how long each snapshot is kept")
        .required()
        .type_name("DAYS");
    verb.add_option("--longest-hold-days", terms.longest_hold_days, "default ten years")
        .type_name("DAYS");
    verb.add_option("--grace-days", terms.grace_days,
                    "how long the host keeps it beyond that (default 30)")
        .type_name("DAYS");
    verb.add_option("--new-bytes-a-day", terms.new_bytes_a_day, "default the whole quota")
        .as_size()
        .type_name("SIZE");
    verb.add_option("--may-run", terms.may_run, "a system that may run at the host (repeatable)")
        .type_name("SYSTEM");
    verb.add_option("--contact", terms.contacts, "whom to ring, \"name, number\" (repeatable)")
        .type_name("TEXT");
    verb.add_option("--witness", options->witnesses,
                    "a partner that keeps terms of our systems (repeatable)")
        .type_name("PARTNER");
    verb.add_option("--valid-days", options->valid_days, "how long it holds (default 366)")
        .between(std::uint64_t{1}, replicator::agreement_days_max)
        .type_name("DAYS");
    verb.add_option("--notice-days", terms.notice_days, "of who ends it (default 90)")
        .type_name("DAYS");
}

}  // namespace

void add_agreement_verbs(Command app, Context& context) {
    Command group = app.add_subcommand("agreement", "what owner and host have both signed");
    group.require_subcommand();
    auto options = std::make_shared<AgreementOptions>();
    const auto add = [&](const char* name, const char* what, const char* footer,
                         std::function<int()> run) {
        Command verb = group.add_subcommand(name, what);
        verb.add_flag("--json", context.json, "report as JSON");
        verb.footer(footer);
        verb.callback([&context, run = std::move(run)] { context.verb = run; });
        auto partner = verb.add_option("PARTNER", options->partner, "its name, or its id");
        if (std::string_view(name) != "show") partner.required();
        return verb;
    };
    Command propose =
        add("propose", "propose terms, and sign them for our side",
            "The partner keeps our data, if it signs too (there: holdfast agreement sign).\n"
            "Example: holdfast agreement propose Trumpton --quota 500GiB --hold-days 90 "
            "--may-run epr",
            [&context, options] { return tell(context, make_proposal(context.home(), *options)); });
    propose.add_flag("--as-host", options->as_host, "we keep their data instead");
    add_terms(propose, options);
    Command sign =
        add("sign", "sign what the partner has proposed",
            "Read it first: holdfast agreement show.\n"
            "Example: holdfast agreement sign \"Camberwick Green\"",
            [&context, options] { return tell(context, sign_waiting(context.home(), *options)); });
    sign.add_option("NUMBER", options->number, "which, if several wait");
    sign.add_flag("--as-host", options->as_host, "the one by which we keep their data");
    sign.add_flag("--as-owner", options->as_owner, "the one by which they keep ours");
    add("show", "print agreements, and what they lack", "Example: holdfast agreement show Trumpton",
        [&context, options] { return show(context, *options); })
        .add_flag("--all", options->all, "those that are over too");
    add("end", "give notice: the same terms, over after the notice days",
        "It binds when the partner has signed it; until then the older one goes on to its date.\n"
        "Nothing is deleted: what is there is kept as long as was agreed.\n"
        "Example: holdfast agreement end Trumpton",
        [&context, options] { return tell(context, give_notice(context.home(), *options)); })
        .add_flag("--as-host", options->as_host, "the one by which we keep their data");
}

}  // namespace holdfast::agent::cli
