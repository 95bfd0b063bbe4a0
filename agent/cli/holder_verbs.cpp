// holder, relay: where a system is while it is away, and how its users get there.
#include "agent/cli/partner.h"
#include "agent/cli/report.h"
#include "agent/config/systems.h"
#include "agent/control/client.h"
#include "agent/failover/relays_file.h"
#include "replicator/control/control_client.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/base64.h"
#include "vault/keys/record.h"

#include <fmt/format.h>
#include <poll.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

constexpr int listen_ms_max = 10'000;
constexpr int ask_again_ms = 100;

struct HolderOptions {
    std::string system;
    std::string owner;
    std::string file;
    std::string partner;
    bool off = false;
};

Result<Json> show(const Home& home, const HolderOptions& options) {
    auto agent = HF_TRY(ControlClient::open(home.run));
    std::string owner;
    if (!options.owner.empty()) {
        owner = "?owner=" + HF_TRY(find_partner(home, options.owner)).hex();
    }
    const Json holder = HF_TRY(parse_object(HF_TRY(agent.get("/holders/" + options.system + owner)),
                                            "the agent's answer"));
    if (!options.file.empty()) {
        const Buffer record = HF_TRY(vault::from_base64(text_in(holder, "record")));
        HF_TRY(write_file_durably(options.file, record));
    }
    return holder;
}

int holder_show(const Context& context, const HolderOptions& options) {
    auto holder = show(context.home(), options);
    if (!holder) return fail(holder.error());
    fmt::print("{}\n", context.json ? json_text(*holder) : text_in(*holder, "text"));
    return Done;
}

Result<std::string> learn(const Home& home, const std::string& file) {
    auto agent = HF_TRY(ControlClient::open(home.run));
    const Buffer record = HF_TRY(read_file(file, vault::record_bytes_max));
    return agent.post("/holders", json_text({{"record", vault::to_base64(record)}}));
}

int holder_learn(const Context& context, const HolderOptions& options) {
    auto learnt = learn(context.home(), options.file);
    if (!learnt) return fail(learnt.error());
    report(context, {{"known", true}}, "Known now. Nothing older than this term is opened here.");
    return Done;
}

Result<void> lead(const Home& home, const HolderOptions& options) {
    if (options.off) return lead_nowhere(home, options.system);
    const SystemSettings system = HF_TRY(load_system(home, options.system));
    const TrustId partner = HF_TRY(find_partner(home, options.partner));
    for (const Relay& one : HF_TRY(lead_to(home, system, partner))) {
        fmt::print("{} leads to {} at {}\n", one.listen, one.endpoint, one.partner.brief());
    }
    return {};
}

Result<replicator::RelayReport> relays_now(const Home& home, const std::string& system) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    replicator::RelayReport report = HF_TRY(replicator.relays());
    std::erase_if(report.relays, [&](const replicator::RelayInfo& one) {
        return !system.empty() && one.relay.system != system;
    });
    return report;
}

void print_relay(const replicator::RelayInfo& one) {
    fmt::print("{}  {} of {} at {}: {}\n", one.relay.listen, one.relay.endpoint, one.relay.system,
               one.partner_name.empty() ? one.relay.partner.brief() : one.partner_name,
               one.listening ? fmt::format("listening, {} open, {} carried", one.open, one.carried)
                             : "CANNOT LISTEN: " + one.problem);
    if (one.last_error.empty()) return;
    fmt::print("    last error, {}: {}\n", format_time(one.last_error_ms), one.last_error);
}

int show_relays(const Context& context, const HolderOptions& options) {
    const auto report = relays_now(context.home(), options.system);
    if (!report) return fail(report.error());
    if (context.json) {
        fmt::print("{}\n", replicator::encode(*report));
        return Done;
    }
    for (const replicator::RelayInfo& one : report->relays) print_relay(one);
    if (report->relays.empty()) fmt::print("No users are led anywhere.\n");
    if (!report->problem.empty()) fmt::print(stderr, "{}\n", report->problem);
    return Done;
}

/// The node listens where it was told to, or says why it cannot: users are led only then.
Result<replicator::RelayReport> await_relays(const Home& home, const HolderOptions& options) {
    const TrustId partner = HF_TRY(find_partner(home, options.partner));
    for (int left_ms = listen_ms_max;; left_ms -= ask_again_ms) {
        replicator::RelayReport report = HF_TRY(relays_now(home, options.system));
        std::erase_if(report.relays, [&](const replicator::RelayInfo& one) {
            return one.relay.partner != partner || (!one.listening && one.problem.empty());
        });
        if (!report.relays.empty() || !report.problem.empty()) return report;
        if (left_ms <= 0) {
            return Error{
                Errc::Unreachable,
                "the node does not listen yet; look again with holdfast relay " + options.system};
        }
        (void)::poll(nullptr, 0, ask_again_ms);
    }
}

int lead_and_wait(const Context& context, const HolderOptions& options) {
    if (auto led = lead(context.home(), options); !led) return fail(led.error());
    if (options.off) return Done;
    const auto report = await_relays(context.home(), options);
    if (!report) {
        warn(report.error().message);
        return DoneWithWarnings;
    }
    for (const replicator::RelayInfo& one : report->relays) {
        if (!one.listening) return fail({Errc::Io, one.relay.listen + ": " + one.problem});
    }
    return report->problem.empty() ? int(Done) : fail({Errc::Io, report->problem});
}

int relay(const Context& context, const HolderOptions& options) {
    if (options.partner.empty() && !options.off) return show_relays(context, options);
    return lead_and_wait(context, options);
}

}  // namespace

void add_holder_verbs(Command app, Context& context) {
    auto options = std::make_shared<HolderOptions>();
    const auto on = [&](Command verb, int (*run)(const Context&, const HolderOptions&)) {
        verb.callback([&context, options, run] {
            context.verb = [&context, options, run] { return run(context, *options); };
        });
    };
    Command group = app.add_subcommand("holder", "who may write a system");
    group.require_subcommand();
    Command look = group.add_subcommand("show", "its newest term");
    look.add_option("SYSTEM", options->system, "the system's name").required();
    look.add_option("--owner", options->owner, "the partner whose system it is");
    look.add_option("--out", options->file, "write the signed record to FILE");
    look.add_flag("--json", context.json, "report as JSON");
    look.footer("Example: holdfast holder show epr");
    on(look, holder_show);
    Command take = group.add_subcommand("learn", "take in a term that another node took");
    take.add_option("FILE", options->file, "the record, from holder show --out there").required();
    take.add_flag("--json", context.json, "report as JSON");
    take.footer("Example: holdfast holder learn epr.term");
    on(take, holder_learn);
    Command lead_verb = app.add_subcommand("relay", "lead a system's users to where it runs now");
    auto system = lead_verb.add_option("SYSTEM", options->system, "the system's name");
    auto to = lead_verb.add_option("--to", options->partner, "the partner that runs it");
    auto off = lead_verb.add_flag("--off", options->off, "lead them nowhere");
    to.excludes(off).needs(system);
    off.needs(system);
    lead_verb.add_flag("--json", context.json, "report as JSON");
    lead_verb.footer(
        "Without --to and --off it shows where users are led, and how that goes.\n"
        "Example: holdfast relay epr --to Trumpton");
    on(lead_verb, relay);
}

}  // namespace holdfast::agent::cli
