// run, status: how systems that are brought back are doing, here and at partners.
#include "agent/cli/context.h"
#include "agent/cli/copies_view.h"
#include "agent/cli/person_key.h"
#include "agent/cli/release.h"
#include "agent/cli/run_view.h"
#include "agent/cli/shares.h"
#include "agent/config/node_settings.h"
#include "agent/failover/holder.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/crypto/base64.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct RunOptions {
    std::int64_t run = 0;
    std::string at;
};

struct ApproveOptions : RunOptions {
    PersonKeyFile key;
    std::string attest;
    std::vector<std::string> shares;
    std::string release_file;
};

std::string path_of(const RunOptions& options) {
    return "/runs/" + std::to_string(options.run);
}

int run_list(const Context& context, const RunOptions& options) {
    auto place = RunPlace::open(context.home(), options.at);
    if (!place) return fail(place.error());
    auto text = place->get("/runs");
    if (!text) return fail(text.error());
    if (context.json) {
        fmt::print("{}\n", *text);
        return Done;
    }
    auto all = parse_object("{\"runs\":" + *text + "}", "the agent's answer");
    if (!all) return fail(all.error());
    for (const Json& run : list_in(*all, "runs")) {
        fmt::print("{:>5}  {:<24} {:<10} {:<12} {}  {}\n", number_in(run, "id"),
                   text_in(run, "name"), text_in(run, "state"), place->name(),
                   text_in(run, "ordered"), text_in(run, "note"));
    }
    return Done;
}

int run_show(const Context& context, const RunOptions& options) {
    auto place = RunPlace::open(context.home(), options.at);
    if (!place) return fail(place.error());
    auto text = place->get(path_of(options));
    if (!text) return fail(text.error());
    return show_run(context, *place, *text);
}

int run_report(const Context& context, const RunOptions& options) {
    auto place = RunPlace::open(context.home(), options.at);
    if (!place) return fail(place.error());
    auto text = place->get(path_of(options) + "/report");
    if (!text) return fail(text.error());
    auto report = parse_object(*text, "the agent's answer");
    if (!report) return fail(report.error());
    fmt::print("{}", context.json ? *text + "\n" : text_in(*report, "text"));
    return Done;
}

int run_ask(const Context& context, const RunOptions& options, const char* what) {
    auto place = RunPlace::open(context.home(), options.at);
    if (!place) return fail(place.error());
    auto text = place->post(path_of(options) + "/" + what, "{}");
    if (!text) return fail(text.error());
    return follow_run(context, *place, *text);
}

/// What came as this run's order is what this person means to sign, whoever answered.
Result<void> check_order(const Home& home, RunPlace& place, const Holder& holder) {
    const TrustId own = HF_TRY(load_node(home)).trust;
    const TrustId host = place.partner() ? place.partner()->trust : own;
    const bool ours = !place.partner() || holder.owner == own;
    if (holder.host == host && ours) return {};
    return Error{Errc::Denied,
                 "the order is not of a system of ours at " + place.name() + ": do not sign it"};
}

void tell_order(const Context& context, const RunPlace& place, const Holder& holder,
                const std::string& question) {
    if (context.json) return;
    fmt::print("You sign: {} is held by {} ({}) under term {}, from the copy of {}.\n",
               holder.system, holder.node, place.name(), holder.term,
               format_time(holder.snapshot_ms));
    if (!question.empty()) fmt::print("You attest, with --attest: {}\n", question);
    std::fflush(stdout);
}

/// Signs here: agents see signatures, never a passphrase.
Result<std::string> sign(const Context& context, RunPlace& place, const ApproveOptions& options) {
    const std::string path = path_of(options);
    const Json order =
        HF_TRY(parse_object(HF_TRY(place.get(path + "/order")), "the agent's answer"));
    vault::Record record =
        HF_TRY(vault::parse_record(HF_TRY(vault::from_base64(text_in(order, "record")))));
    const Holder holder = HF_TRY(parse_holder(record));
    HF_TRY(check_order(context.home(), place, holder));
    tell_order(context, place, holder, text_in(order, "question"));
    const vault::SigningKey key = HF_TRY(open_person_key(options.key));
    vault::sign(record, key);
    Json body{{"record", vault::to_base64(vault::encode(record))}};
    if (!options.attest.empty()) {
        const Attestation words{holder_digest(record), text_in(order, "question"), options.attest,
                                system_clock().wall_ms(), text_in(order, "about")};
        vault::Record attestation = attestation_record(words, holder.host, holder.term);
        vault::sign(attestation, key);
        body["attestation"] = vault::to_base64(vault::encode(attestation));
    }
    return place.post(path + "/approvals", json_text(body));
}

Result<std::string> approve(const Context& context, RunPlace& place,
                            const ApproveOptions& options) {
    const std::string path = path_of(options);
    for (const std::string& file : options.shares) {
        Json body;
        body["share"] = HF_TRY(share_text(context.home(), place, file));
        HF_TRY(place.post(path + "/shares", json_text(body)));
    }
    if (!options.release_file.empty()) {
        const vault::NewRelease release = HF_TRY(read_release(options.release_file));
        const Json body{{"record", vault::to_base64(vault::encode(release.record))},
                        {"keys", vault::to_base64(release.sealed_keys)}};
        HF_TRY(place.post(path + "/release", json_text(body)));
    }
    if (options.key.path.empty()) return place.get(path);
    return sign(context, place, options);
}

int run_approve(const Context& context, const ApproveOptions& options) {
    auto place = RunPlace::open(context.home(), options.at);
    if (!place) return fail(place.error());
    auto run = approve(context, *place, options);
    if (!run) return fail(run.error());
    return follow_run(context, *place, *run);
}

void print_relays(const Json& system) {
    for (const Json& one : list_in(system, "relays")) {
        const bool listening = flag_in(one, "listening");
        fmt::print("{:<16} users at {} {} to {}{}\n", "", text_in(one, "listen"),
                   listening ? "are led" : "ARE NOT LED", printable(text_in(one, "place")),
                   listening ? fmt::format(", {} connected", number_in(one, "open"))
                             : ": " + printable(text_in(one, "problem")));
    }
}

/// What is kept here for partners.
void print_hosted(const Json& status) {
    for (const Json& one : list_in(status, "hosted")) {
        const std::string problem = text_in(one, "problem");
        const std::string quota = human_bytes(count_in(one, "quota_bytes"));
        fmt::print("{:<16} kept for {}: {} of {} agreed\n", "", printable(text_in(one, "owner")),
                   problem.empty() ? human_bytes(count_in(one, "bytes"))
                                   : "UNREADABLE (" + printable(problem) + ")",
                   quota);
    }
}

void print_system(const Json& system, std::int64_t now_ms) {
    const std::int64_t snapshot_ms = number_in(system, "snapshot_ms");
    const std::string age =
        snapshot_ms == 0 ? "no snapshot" : human_age(now_ms - snapshot_ms) + " old";
    fmt::print("{:<16} {:<14} {}\n", text_in(system, "name"), age, text_in(system, "readiness"));
    if (!text_in(system, "holder").empty()) {
        fmt::print("{:<16} {}\n", "", text_in(system, "holder"));
    }
    print_copies(system, now_ms);
    if (!text_in(system, "alarm").empty()) {
        fmt::print("{:<16} {}\n", "", text_in(system, "alarm"));
    }
    print_relays(system);
    const auto here = system.find("runs_here");
    if (here == system.end() || !here->is_object()) return;
    for (const Json& one : list_in(*here, "endpoints")) {
        fmt::print("{:<16} {} at {}{}\n", "", text_in(one, "name"), text_in(one, "address"),
                   flag_in(*here, "running") ? "" : " (NOT RUNNING)");
    }
}

int status(const Context& context) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto text = agent->get("/status");
    if (!text) return fail(text.error());
    auto all = parse_object(*text, "the agent's answer");
    if (!all) return fail(all.error());
    if (context.json) {
        fmt::print("{}\n", *text);
        return Done;
    }
    fmt::print("{}, node {}\n", text_in(*all, "name"), text_in(*all, "node"));
    for (const Json& system : list_in(*all, "systems")) {
        print_system(system, number_in(*all, "time_ms"));
    }
    print_hosted(*all);
    return Done;
}

void add_place(Command verb, RunOptions& options, bool with_id) {
    if (with_id) verb.add_option("RUN", options.run, "its number").required();
    verb.add_option("--at", options.at, "the partner where it runs (default: here)")
        .type_name("PARTNER");
}

void add_approve(Command group, Context& context) {
    auto options = std::make_shared<ApproveOptions>();
    Command verb = group.add_subcommand("approve", "sign a failover's order, as one of two people");
    add_place(verb, *options, true);
    verb.add_option("--as", options->key.name, "who signs; must be the key's owner")
        .type_name("NAME");
    verb.add_option("--key-file", options->key.path, "the signer's own key").type_name("FILE");
    verb.add_option("--passphrase-file", options->key.passphrase_file,
                    "take its passphrase from FILE instead of asking");
    verb.add_option("--attest", options->attest,
                    "your word on what the run asks: what you saw or did")
        .type_name("TEXT");
    verb.add_option("--share", options->shares, "bring a custodian's share (may stand alone)")
        .type_name("FILE");
    verb.add_option("--release", options->release_file,
                    "bring a release that two people signed (may stand alone)")
        .type_name("FILE");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Example: holdfast run approve 4 --as \"Ada Marsh\" --key-file ada.key --attest \"Switched "
        "off, I stood beside it\"");
    verb.callback([&context, options] {
        if (options->key.path.empty() && options->shares.empty() && options->release_file.empty()) {
            usage_error("--key-file FILE, --share FILE or --release FILE");
        }
        context.verb = [&context, options] { return run_approve(context, *options); };
    });
}

using RunVerb = int (*)(const Context&, const RunOptions&);

void add_run(Command app, Context& context) {
    Command group = app.add_subcommand("run", "drills and failovers: see, sign, steer");
    group.require_subcommand();
    const auto add = [&](const char* name, const char* what, bool with_id, RunVerb run) {
        auto options = std::make_shared<RunOptions>();
        Command verb = group.add_subcommand(name, what);
        add_place(verb, *options, with_id);
        verb.add_flag("--json", context.json, "report as JSON");
        verb.footer(
            fmt::format("Example: holdfast run {0}{1}\n         holdfast run {0}{1} --at "
                        "Trumpton",
                        name, with_id ? " 4" : ""));
        verb.callback([&context, options, run] {
            context.verb = [&context, options, run] { return run(context, *options); };
        });
    };
    add("list", "list runs, the newest first", false, run_list);
    add("show", "one run, step by step", true, run_show);
    add("report", "print a run's report", true, run_report);
    add("pause", "stop after the present step", true,
        [](const Context& own, const RunOptions& run) { return run_ask(own, run, "pause"); });
    add("resume", "go on; a failed step is tried again", true,
        [](const Context& own, const RunOptions& run) { return run_ask(own, run, "resume"); });
    add("abort", "undo all of it; not possible once users were let in", true,
        [](const Context& own, const RunOptions& run) { return run_ask(own, run, "abort"); });
    add("stop", "stop a system that a failover opened; what was written stays", true,
        [](const Context& own, const RunOptions& run) { return run_ask(own, run, "stop"); });
    add_approve(group, context);
}

}  // namespace

void add_run_verbs(Command app, Context& context) {
    add_run(app, context);
    Command verb = app.add_subcommand("status", "systems, how ready they are, what runs here");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer("Example: holdfast status");
    verb.callback([&context] { context.verb = [&context] { return status(context); }; });
}

}  // namespace holdfast::agent::cli
