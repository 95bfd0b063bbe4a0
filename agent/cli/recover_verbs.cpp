// recover: an empty machine becomes a node of its trust again.
#include "agent/cli/context.h"
#include "agent/cli/passphrase.h"
#include "agent/cli/watch.h"
#include "agent/recover/recover.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

constexpr std::size_t damage_shown_max = 20;

struct RecoverOptions {
    std::string kit;
    std::string passphrase_file;
    std::string from;
    std::string node;
    std::string listen;
    std::string address;
    std::string console;
};

RecoverSettings settings_of(const RecoverOptions& options) {
    RecoverSettings settings;
    settings.host = options.from;
    settings.node_name = options.node;
    if (!options.listen.empty()) settings.peer = PeerSettings{options.listen, options.address};
    if (!options.console.empty()) settings.console = ConsoleSettings{options.console};
    return settings;
}

Result<RecoverReport> recover_watched(const Home& home, const RecoverOptions& options) {
    const Buffer text = HF_TRY(read_file(options.kit, vault::kit_bytes_max));
    const vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)).within(options.kit));
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase of the recovery kit"));
    const vault::KitSecrets secrets = HF_TRY(vault::open_kit(kit, passphrase));
    const RecoverSettings settings = settings_of(options);
    replicator::PullProgress progress;
    return watch(
        "recover " + printable(kit.name), progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes_done, 0,
                      fmt::format("{} of {} packs", progress.packs_done.load(),
                                  progress.packs_all.load()));
        },
        [&] {
            return recover_node(home, kit, secrets, settings, system_clock(),
                                vault::system_random(), progress);
        });
}

Json to_json(const RecoverReport& report) {
    Json out{{"trust", report.trust.hex()},   {"node", report.node},
             {"was_done", report.was_done},   {"revoked", report.revoked},
             {"snapshots", report.snapshots}, {"packs", report.pulled.packs},
             {"bytes", report.pulled.bytes},  {"systems", report.systems},
             {"persons", report.persons},     {"partners", report.partners},
             {"damage", Json::array()},       {"warnings", report.warnings}};
    for (const vault::Damage& one : report.pulled.damage) {
        out["damage"].push_back({{"object", one.object}, {"what", one.what}});
    }
    return out;
}

std::string names_of(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : ", ") + printable(word);
    return out.empty() ? "none" : out;
}

void print(const RecoverReport& report) {
    if (report.was_done) {
        fmt::print("This is {} already: an earlier run had done all but the last step.\n",
                   report.node);
        return;
    }
    fmt::print("This is now {} of the trust. Revoked: {}.\n", report.node,
               names_of(report.revoked));
    fmt::print("  vault      {} snapshots; {} packs, {} fetched now\n", report.snapshots,
               report.pulled.packs, human_bytes(report.pulled.bytes));
    fmt::print("  systems    {}\n", names_of(report.systems));
    fmt::print("  people     {} certificates\n", report.persons);
    fmt::print("  partners   {}\n", names_of(report.partners));
    fmt::print(
        "\nNext: holdfast verify --read-data; start the node; then leave papers with each partner\n"
        "anew (holdfast papers PARTNER), since those that the lost node signed open nothing now.\n"
        "What this trust kept for others was lost with the old node: their next transfer brings\n"
        "it again, and they should know.\n");
}

int recover(const Context& context, const RecoverOptions& options) {
    auto report = recover_watched(context.home(), options);
    if (!report) return fail(report.error());
    if (context.json) {
        fmt::print("{}\n", json_text(to_json(*report)));
    } else {
        print(*report);
    }
    for (const std::string& warning : report->warnings) warn(printable(warning));
    const auto& damage = report->pulled.damage;
    for (std::size_t i = 0; i < damage.size() && i < damage_shown_max; ++i) {
        warn(damage[i].object + ": " + printable(damage[i].what));
    }
    if (!damage.empty()) {
        return fail(
            {Errc::Corrupt, fmt::format("{} objects are damaged or missing at {}; all else is here "
                                        "(holdfast verify names the snapshots that need them)",
                                        damage.size(), options.from)});
    }
    return report->warnings.empty() ? Done : DoneWithWarnings;
}

}  // namespace

void add_recover_verbs(Command app, Context& context) {
    auto options = std::make_shared<RecoverOptions>();
    Command verb = app.add_subcommand(
        "recover", "make this empty machine a node of its trust again, from a partner's copy");
    verb.add_option("--kit", options->kit, "the recovery kit").required().type_name("FILE");
    verb.add_option("--from", options->from, "a partner that the kit names")
        .required()
        .type_name("PARTNER");
    verb.add_option("--passphrase-file", options->passphrase_file,
                    "take the kit's passphrase from FILE instead of asking")
        .type_name("FILE");
    verb.add_option("--node", options->node, "this node's name (default the next node-N)");
    verb.add_option("--listen", options->listen, "ADDRESS:PORT for partners");
    verb.add_option("--address", options->address, "HOST:PORT that partners dial")
        .needs("--listen");
    verb.add_option("--console", options->console, "ADDRESS:PORT of the web console");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "All nodes that the trust had are revoked. Killed or cut off: run it again, it goes on.\n"
        "Exit code 1 with damaged objects named: the node is made, without them.\n"
        "Example: holdfast recover --kit /media/usb/recovery-kit.json --from Trumpton --listen "
        "0.0.0.0:8420");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return recover(context, *options); };
    });
}

}  // namespace holdfast::agent::cli
