// init, doctor, system: making a node and telling it what to keep.
#include "agent/cli/context.h"
#include "agent/cli/doctor.h"
#include "agent/cli/passphrase.h"
#include "agent/config/systems.h"
#include "agent/node/init.h"
#include "vault/base/file.h"

#include <fmt/format.h>
#include "vault/base/json.h"

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct InitOptions {
    std::string trust;
    std::string name;
    std::string listen;
    std::string address;
    std::string console;
    std::string passphrase_file;
};

int init(const Context& context, const InitOptions& options) {
    InitSettings settings;
    settings.trust_name = options.trust;
    settings.node_name = options.name;
    if (!options.listen.empty()) settings.peer = PeerSettings{options.listen, options.address};
    if (!options.console.empty()) settings.console = ConsoleSettings{options.console};
    if (!options.passphrase_file.empty()) {
        auto passphrase = read_passphrase(options.passphrase_file);
        if (!passphrase) return fail(passphrase.error());
        settings.passphrase = std::move(*passphrase);
    }
    const Home home = context.home();
    auto made = init_node(home, std::move(settings), system_clock(), vault::system_random());
    if (!made) return fail(made.error());
    if (context.json) {
        const Json out{{"trust", made->trust.hex()},
                       {"kit", made->kit_file},
                       {"passphrase", made->passphrase_file}};
        fmt::print("{}\n", json_text(out));
        return Done;
    }
    fmt::print("This is now a node of {}.\n\n", options.trust);
    fmt::print("Recovery kit:  {}\n", made->kit_file);
    if (!made->passphrase_file.empty()) fmt::print("Passphrase:    {}\n", made->passphrase_file);
    fmt::print(
        "\nThe kit and its passphrase open everything, and nothing opens without them when "
        "this\nnode is lost. Copy both off this machine, to different places, and delete "
        "them here.\n");
    return Done;
}

void add_init(Command app, Context& context) {
    auto options = std::make_shared<InitOptions>();
    Command verb = app.add_subcommand("init", "make this machine a node of a new trust");
    verb.add_option("--trust", options->trust, "the trust's name").required().type_name("NAME");
    verb.add_option("--node", options->name, "this node's name (default node-1)");
    verb.add_option("--listen", options->listen, "ADDRESS:PORT for partners");
    verb.add_option("--address", options->address, "HOST:PORT that partners dial")
        .needs("--listen");
    verb.add_option("--console", options->console, "ADDRESS:PORT of the web console");
    verb.add_option("--passphrase-file", options->passphrase_file,
                    "take the kit's passphrase from FILE instead of making one");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer("Example: holdfast init --trust \"Camberwick Green\" --listen 0.0.0.0:8420");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return init(context, *options); };
    });
}

std::string sources_text(const SystemSettings& system) {
    std::string text;
    for (const SourceSettings& source : system.sources) {
        if (!text.empty()) text += ", ";
        text += fmt::format("{} ({})", source.name, source.kind());
    }
    return text;
}

Json to_json(const SystemSettings& system) {
    Json out{{"name", system.name},
             {"title", system.title},
             {"supplier", system.supplier},
             {"sources", Json::array()},
             {"has_plan", system.plan.has_value()}};
    for (const SourceSettings& source : system.sources) {
        out["sources"].push_back({{"name", source.name}, {"kind", source.kind()}});
    }
    return out;
}

int system_add(const Context& context, const std::string& file, bool replace) {
    auto added = install_system(context.home(), file, replace ? Replace::Yes : Replace::No);
    if (!added) return fail(added.error());
    if (context.json) {
        fmt::print("{}\n", json_text(to_json(*added)));
    } else {
        fmt::print("{}: {}\n", added->name, sources_text(*added));
    }
    return Done;
}

int system_check(const Context& context, const std::string& file) {
    auto text = read_file(file, system_file_bytes_max);
    if (!text) return fail(text.error());
    auto system = parse_system(std::string(as_text(*text)), file);
    if (!system) return fail(system.error());
    if (context.json) {
        fmt::print("{}\n", json_text(to_json(*system)));
    } else {
        fmt::print("{} is right: {}\n", file, sources_text(*system));
    }
    return Done;
}

int system_list(const Context& context) {
    const Home home = context.home();
    auto names = list_systems(home);
    if (!names) return fail(names.error());
    Json all = Json::array();
    for (const std::string& name : *names) {
        auto system = load_system(home, name);
        if (!system) return fail(system.error());
        all.push_back(to_json(*system));
        if (!context.json) fmt::print("{:<16} {}\n", name, sources_text(*system));
    }
    if (context.json) fmt::print("{}\n", json_text(all));
    return Done;
}

int system_show(const Context& context, const std::string& name) {
    auto system = load_system(context.home(), name);
    if (!system) return fail(system.error());
    if (context.json) {
        fmt::print("{}\n", json_text(to_json(*system)));
    } else {
        fmt::print("{}", system->text);
    }
    return Done;
}

int system_remove(const Context& context, const std::string& name) {
    auto removed = remove_system(context.home(), name);
    if (!removed) return fail(removed.error());
    if (!context.json) fmt::print("{} is no longer kept; its snapshots stay.\n", name);
    return Done;
}

void add_system(Command app, Context& context) {
    Command group = app.add_subcommand("system", "the clinical systems that this node keeps");
    group.require_subcommand();
    auto argument = std::make_shared<std::string>();
    auto replace = std::make_shared<bool>(false);
    const auto add = [&](const char* name, const char* what, const char* type, const char* example,
                         std::function<int()> run) {
        Command verb = group.add_subcommand(name, what);
        if (type != nullptr) verb.add_option(type, *argument, "").required();
        verb.add_flag("--json", context.json, "report as JSON");
        verb.footer(std::string("Example: holdfast system ") + example);
        verb.callback([&context, argument, run = std::move(run)] { context.verb = run; });
        return verb;
    };
    add("add", "check a settings file and take the system in", "FILE", "add epr.toml",
        [&context, argument, replace] { return system_add(context, *argument, *replace); })
        .add_flag("--replace", *replace, "replace the settings of a system that is there");
    add("check", "check a settings file, change nothing", "FILE", "check epr.toml",
        [&context, argument] { return system_check(context, *argument); });
    add("list", "list the systems", nullptr, "list", [&context] { return system_list(context); });
    add("show", "print a system's settings", "NAME", "show epr",
        [&context, argument] { return system_show(context, *argument); });
    add("remove", "keep a system no longer; its snapshots stay", "NAME", "remove epr",
        [&context, argument] { return system_remove(context, *argument); });
}

}  // namespace

void add_setup_verbs(Command app, Context& context) {
    add_init(app, context);
    add_system(app, context);
    Command verb = app.add_subcommand("doctor", "look for what would keep this node from working");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer("Example: holdfast doctor");
    verb.callback([&context] { context.verb = [&context] { return doctor(context); }; });
}

}  // namespace holdfast::agent::cli
