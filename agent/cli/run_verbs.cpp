// drill, failover, run, status: bringing systems back, through the node's agent.
#include "agent/cli/context.h"
#include "agent/cli/copies_view.h"
#include "agent/cli/partner.h"
#include "agent/cli/passphrase.h"
#include "agent/cli/run_view.h"
#include "agent/failover/holder.h"
#include "agent/json/json.h"
#include "agent/people/custody_files.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/crypto/base64.h"
#include "vault/keys/locked_file.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

namespace holdfast::agent::cli {
namespace {

constexpr std::size_t share_file_bytes_max = 16 << 10;

struct OrderOptions {
    std::string system;
    std::string snapshot;
    std::string owner;
    std::vector<std::string> shares;
};

struct ApproveOptions {
    std::int64_t run = 0;
    std::string name;
    std::string key_file;
    std::string passphrase_file;
    std::string attest;
    std::vector<std::string> shares;
};

/// A share of the recovery secret comes in clear, for people; here it is wrapped for this node.
Result<std::string> share_text(const Home& home, const std::string& file) {
    const Buffer share = HF_TRY(read_file(file, share_file_bytes_max));
    if (share.empty() || share[0] != '{') return vault::to_base64(share);
    const auto opened = HF_TRY(parse_share_json(as_text(share)).within(file));
    const AgentKeys keys = HF_TRY(read_agent_keys(home.keys));
    return vault::to_base64(vault::hand_over(opened, keys.box.public_key));
}

Result<std::string> order_run(const Home& home, ControlClient& agent, const char* path,
                              const OrderOptions& options) {
    std::string owner;
    if (!options.owner.empty()) owner = HF_TRY(find_partner(home, options.owner)).hex();
    Json body{{"system", options.system},
              {"snapshot", options.snapshot},
              {"owner", owner},
              {"shares", Json::array()}};
    for (const std::string& file : options.shares) {
        body["shares"].push_back(HF_TRY(share_text(home, file)));
    }
    return agent.post(path, dump(body));
}

int start_run(const Context& context, const char* path, const OrderOptions& options) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto ordered = order_run(context.home(), *agent, path, options);
    if (!ordered) return fail(ordered.error());
    return follow_run(context, *agent, *ordered);
}

int run_list(const Context& context) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto text = agent->get("/runs");
    if (!text) return fail(text.error());
    if (context.json) {
        fmt::print("{}\n", *text);
        return Done;
    }
    auto all = parse_object("{\"runs\":" + *text + "}", "the agent's answer");
    if (!all) return fail(all.error());
    for (const Json& run : list_in(*all, "runs")) {
        fmt::print("{:>5}  {:<24} {:<10} {}  {}\n", number_in(run, "id"), text_in(run, "name"),
                   text_in(run, "state"), text_in(run, "ordered"), text_in(run, "note"));
    }
    return Done;
}

int run_show(const Context& context, std::int64_t id) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto text = agent->get("/runs/" + std::to_string(id));
    if (!text) return fail(text.error());
    return show_run(context, *text);
}

int run_report(const Context& context, std::int64_t id) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto text = agent->get("/runs/" + std::to_string(id) + "/report");
    if (!text) return fail(text.error());
    auto report = parse_object(*text, "the agent's answer");
    if (!report) return fail(report.error());
    fmt::print("{}", context.json ? *text : text_in(*report, "text"));
    return Done;
}

int run_ask(const Context& context, std::int64_t id, const char* what) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto text = agent->post("/runs/" + std::to_string(id) + "/" + what, "{}");
    if (!text) return fail(text.error());
    const bool pause = std::string_view(what) == "pause";
    return pause ? show_run(context, *text) : follow_run(context, *agent, *text);
}

Result<vault::SigningKey> open_key(const ApproveOptions& options) {
    const Buffer text = HF_TRY(read_file(options.key_file, vault::locked_key_bytes_max));
    const vault::LockedKey locked = HF_TRY(
        vault::parse_locked_key(as_text(text), vault::KeyUse::Person).within(options.key_file));
    if (!options.name.empty() && locked.name != options.name) {
        return Error{Errc::Invalid, options.key_file + " is the key of " + locked.name +
                                        ", not of " + options.name};
    }
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase of " + locked.name));
    return HF_TRY(vault::open_person_key(locked, passphrase));
}

/// Signs here: the agent sees signatures, never a passphrase.
Result<std::string> approve(const Home& home, ControlClient& agent, const ApproveOptions& options) {
    const std::string path = "/runs/" + std::to_string(options.run);
    for (const std::string& file : options.shares) {
        Json body;
        body["share"] = HF_TRY(share_text(home, file));
        HF_TRY(agent.post(path + "/shares", dump(body)));
    }
    if (options.key_file.empty()) return agent.get(path);
    const Json order =
        HF_TRY(parse_object(HF_TRY(agent.get(path + "/order")), "the agent's answer"));
    vault::Record record =
        HF_TRY(vault::parse_record(HF_TRY(vault::from_base64(text_in(order, "record")))));
    const Holder holder = HF_TRY(parse_holder(record));
    const vault::SigningKey key = HF_TRY(open_key(options));
    vault::sign(record, key);
    Json body{{"record", vault::to_base64(vault::encode(record))}};
    if (!options.attest.empty()) {
        const Attestation words{holder_digest(record), text_in(order, "question"), options.attest,
                                system_clock().wall_ms()};
        vault::Record attestation = attestation_record(words, holder.host, holder.term);
        vault::sign(attestation, key);
        body["attestation"] = vault::to_base64(vault::encode(attestation));
    }
    return agent.post(path + "/approvals", dump(body));
}

int run_approve(const Context& context, const ApproveOptions& options) {
    auto agent = ControlClient::open(context.home().run);
    if (!agent) return fail(agent.error());
    auto run = approve(context.home(), *agent, options);
    if (!run) return fail(run.error());
    return follow_run(context, *agent, *run);
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
    return Done;
}

void add_orders(CLI::App& app, Context& context) {
    const auto add = [&](const char* name, const char* what, const char* path, const char* foot) {
        auto options = std::make_shared<OrderOptions>();
        CLI::App* verb = app.add_subcommand(name, what);
        verb->add_option("SYSTEM", options->system, "the system's name")->required();
        verb->add_option("--snapshot", options->snapshot,
                         "its id, or its beginning (default: newest)");
        verb->add_option("--owner", options->owner, "the partner whose system it is");
        verb->add_option("--share", options->shares, "a custodian's share, for a partner's system")
            ->type_name("FILE");
        verb->add_flag("--json", context.json, "report as JSON");
        verb->footer(foot);
        verb->callback([&context, options, path] {
            context.verb = [&context, options, path] { return start_run(context, path, *options); };
        });
    };
    add("drill", "prove that a system could be brought back; leaves nothing behind", "/drills",
        "A drill opens nothing, and no drill can become a failover.\nExample: holdfast drill epr");
    add("failover", "bring a system back in earnest", "/failovers",
        "It proves the copy first, then waits for two people (holdfast run approve).\n"
        "Example: holdfast failover epr");
}

void add_approve(CLI::App& group, Context& context) {
    auto options = std::make_shared<ApproveOptions>();
    CLI::App* verb =
        group.add_subcommand("approve", "sign a failover's order, as one of two people");
    verb->add_option("RUN", options->run, "its number")->required();
    verb->add_option("--as", options->name, "who signs; must be the key's owner")
        ->type_name("NAME");
    verb->add_option("--key-file", options->key_file, "the signer's own key")->type_name("FILE");
    verb->add_option("--passphrase-file", options->passphrase_file,
                     "take its passphrase from FILE instead of asking");
    verb->add_option("--attest", options->attest, "your word on the fence: what you saw or did")
        ->type_name("TEXT");
    verb->add_option("--share", options->shares, "bring a custodian's share (may stand alone)")
        ->type_name("FILE");
    verb->add_flag("--json", context.json, "report as JSON");
    verb->footer(
        "Example: holdfast run approve 4 --as \"Ada Marsh\" --key-file ada.key --attest \"Switched "
        "off, I stood beside it\"");
    verb->callback([&context, options] {
        if (options->key_file.empty() && options->shares.empty()) {
            throw CLI::RequiredError("--key-file FILE or --share FILE");
        }
        context.verb = [&context, options] { return run_approve(context, *options); };
    });
}

void add_run(CLI::App& app, Context& context) {
    CLI::App* group = app.add_subcommand("run", "drills and failovers: see, sign, steer");
    group->require_subcommand(1);
    auto id = std::make_shared<std::int64_t>(0);
    const auto add = [&](const char* name, const char* what, bool with_id,
                         std::function<int()> run) {
        CLI::App* verb = group->add_subcommand(name, what);
        if (with_id) verb->add_option("RUN", *id, "its number")->required();
        verb->add_flag("--json", context.json, "report as JSON");
        verb->callback([&context, id, run = std::move(run)] { context.verb = run; });
    };
    add("list", "list runs, the newest first", false, [&context] { return run_list(context); });
    add("show", "one run, step by step", true, [&context, id] { return run_show(context, *id); });
    add("report", "print a run's report", true,
        [&context, id] { return run_report(context, *id); });
    add("pause", "stop after the present step", true,
        [&context, id] { return run_ask(context, *id, "pause"); });
    add("resume", "go on; a failed step is tried again", true,
        [&context, id] { return run_ask(context, *id, "resume"); });
    add("abort", "undo all of it; not possible once users were let in", true,
        [&context, id] { return run_ask(context, *id, "abort"); });
    add("stop", "stop a system that a failover opened; what was written stays", true,
        [&context, id] { return run_ask(context, *id, "stop"); });
    add_approve(*group, context);
}

}  // namespace

void add_run_verbs(CLI::App& app, Context& context) {
    add_orders(app, context);
    add_run(app, context);
    CLI::App* verb = app.add_subcommand("status", "systems, how ready they are, what runs here");
    verb->add_flag("--json", context.json, "report as JSON");
    verb->footer("Example: holdfast status");
    verb->callback([&context] { context.verb = [&context] { return status(context); }; });
}

}  // namespace holdfast::agent::cli
