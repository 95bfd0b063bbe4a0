// papers, recovery kit: what others must hold of us on the day that we are gone.
#include "agent/cli/kit_verbs.h"
#include "agent/cli/report.h"
#include "agent/node/node.h"
#include "agent/people/custody_files.h"
#include "agent/people/people_book.h"
#include "replicator/control/control_client.h"
#include "vault/base/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace holdfast::agent::cli {
namespace {

struct PaperOptions {
    std::string partner;
    std::vector<std::string> systems;
    std::size_t threshold = 2;
};

/// Those that the agreement in force lets the partner run; a witness runs none.
Result<std::vector<std::string>> agreed_systems(replicator::ControlClient& replicator,
                                                const Node& node,
                                                const replicator::PartnerInfo& partner) {
    for (const auto& held : HF_TRY(replicator.agreements(partner.trust))) {
        const bool in_force = held.terms.owner == node.settings.trust &&
                              held.terms.number == partner.agreement_as_owner;
        if (in_force) return held.terms.may_run;
    }
    for (const auto& set : HF_TRY(replicator.witnesses(node.settings.trust))) {
        for (const auto& one : set.members) {
            if (one.trust == partner.trust) return std::vector<std::string>();
        }
    }
    return Error{Errc::NotFound,
                 partner.name + " has no agreement to keep anything of ours, and is no witness"};
}

Result<std::size_t> send_papers(const Home& home, const PaperOptions& options) {
    const Node node = HF_TRY(open_node(home));
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    const auto partner = HF_TRY(replicator.find_partner(options.partner));
    std::vector<std::string> systems = HF_TRY(agreed_systems(replicator, node, partner));
    if (!options.systems.empty()) systems = options.systems;
    const EnvelopeHost host =
        HF_TRY(envelope_host(HF_TRY(replicator.partner_roster(partner.trust))));
    const std::int64_t now_ms = system_clock().wall_ms();
    if (HF_TRY(load_custodians(home)).empty() && options.systems.empty()) {
        warn(
            "no custodians yet (holdfast custodian add), so no envelopes: the partner can run a "
            "system only while this node can release it");
        systems.clear();
    }
    for (const std::string& system : systems) {
        HF_TRY(make_host_envelope(node, system, host, options.threshold, now_ms,
                                  vault::system_random()));
    }
    const auto papers = HF_TRY(papers_for(home, partner.trust));
    for (const Buffer& paper : papers) HF_TRY(replicator.put_paper(partner.trust, paper));
    HF_TRY(end_founding(home, now_ms));
    return papers.size();
}

int papers(const Context& context, const PaperOptions& options) {
    auto sent = send_papers(context.home(), options);
    if (!sent) return fail(sent.error());
    report(context, {{"partner", options.partner}, {"papers", *sent}},
           fmt::format("{} papers are at {}: certificates of our people, and the envelopes that we "
                       "made.\nNew people can approve after a day from now on.",
                       *sent, options.partner));
    return Done;
}

struct KitSheet {
    std::size_t partners = 0;
    std::vector<std::string> left_out;  // Names.
};

/// Only partners whose words were compared: on the day that the kit is needed, it is believed.
Result<KitSheet> write_partners(const Home& home, const std::string& given) {
    const std::string path = given.empty() ? home.kit + "/recovery-kit.json" : given;
    const Buffer text = HF_TRY(read_file(path, vault::kit_bytes_max));
    vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)).within(path));
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    kit.partners.clear();
    KitSheet sheet;
    for (const auto& partner : HF_TRY(replicator.partners())) {
        if (!partner.confirmed) {
            sheet.left_out.push_back(partner.name);
            continue;
        }
        kit.partners.push_back(
            {partner.name, partner.address, Digest{partner.tls_key.digest}, partner.trust});
    }
    HF_TRY(write_file_durably(path, as_view(vault::kit_text(kit))));
    sheet.partners = kit.partners.size();
    return sheet;
}

}  // namespace

int recovery_kit(const Context& context, const std::string& path) {
    auto written = write_partners(context.home(), path);
    if (!written) return fail(written.error());
    report(context, {{"partners", written->partners}, {"left_out", written->left_out}},
           fmt::format("The kit names {} partners now. Print it anew, and bring the copies up to "
                       "date.",
                       written->partners));
    for (const std::string& name : written->left_out) {
        warn(printable(name) +
             " is not in it, since it is not confirmed: compare the words by phone first");
    }
    return written->left_out.empty() ? Done : DoneWithWarnings;
}

void add_paper_verbs(Command app, Context& context) {
    auto options = std::make_shared<PaperOptions>();
    Command verb =
        app.add_subcommand("papers", "leave with a partner what it needs when we are gone");
    verb.add_option("PARTNER", options->partner, "its name, or its id").required();
    verb.add_option("--system", options->systems,
                    "make envelopes of these (default: those that the agreement lets it run)");
    verb.add_option("--threshold", options->threshold,
                    "how many custodians open an envelope together with the partner (default 2)");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer("Example: holdfast papers Trumpton --threshold 2");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return papers(context, *options); };
    });
}

}  // namespace holdfast::agent::cli
