// custodian, recovery: secrets that several people keep together.
#include "agent/cli/after_snapshot.h"
#include "agent/cli/kit_verbs.h"
#include "agent/cli/old_seals.h"
#include "agent/cli/partner.h"
#include "agent/cli/passphrase.h"
#include "agent/cli/replicate.h"
#include "agent/cli/report.h"
#include "agent/failover/tenancy.h"
#include "agent/node/node.h"
#include "agent/people/custody_files.h"
#include "agent/people/hand_over.h"
#include "agent/people/renew_recovery.h"
#include "vault/base/file.h"
#include "vault/keys/key_file.h"
#include "vault/keys/locked_file.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct CustodyOptions {
    std::string name;
    std::string key_file;
    std::string passphrase_file;
    std::string new_passphrase_file;
    std::string owner;
    std::string system;
    std::string out;
    std::string kit;
    std::size_t threshold = 2;
    std::vector<std::string> shares;
    std::vector<std::string> without;
};

Result<void> make_custodian(const Home& home, const CustodyOptions& options) {
    if (path_exists(options.key_file)) {
        return Error{Errc::Conflict, options.key_file + " is there already"};
    }
    HF_TRY(load_node(home));
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase for " + options.name));
    vault::Random& random = vault::system_random();
    const vault::BoxKey key = vault::BoxKey::make(random);
    const vault::LockedKey locked = HF_TRY(vault::lock_custodian_key(
        key, options.name, system_clock().wall_ms(), passphrase, vault::PasswordCost(), random));
    HF_TRY(write_file_durably(options.key_file, as_view(vault::locked_key_text(locked))));
    return add_custodian(home, {options.name, key.public_key});
}

int custodian_add(const Context& context, const CustodyOptions& options) {
    if (auto made = make_custodian(context.home(), options); !made) return fail(made.error());
    report(context, {{"name", options.name}, {"file", options.key_file}},
           fmt::format("{} can be given shares. The key is in {}; it belongs to {} alone.",
                       options.name, options.key_file, options.name));
    return Done;
}

int custodian_list(const Context& context) {
    auto all = load_custodians(context.home());
    if (!all) return fail(all.error());
    Json out = Json::array();
    for (const vault::Custodian& one : *all) {
        out.push_back({{"name", one.name}, {"key", one.key.hex()}});
        if (!context.json) fmt::print("{:<24} {}\n", printable(one.name), one.key.brief());
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return Done;
}

Result<vault::BoxKey> open_key(const CustodyOptions& options) {
    const Buffer text = HF_TRY(read_file(options.key_file, vault::locked_key_bytes_max));
    const vault::LockedKey locked = HF_TRY(
        vault::parse_locked_key(as_text(text), vault::KeyUse::Custodian).within(options.key_file));
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase of " + locked.name));
    return vault::open_custodian_key(locked, passphrase);
}

/// Of a partner's system: for this node's eyes. Of the recovery secret: in clear, for people.
Result<Buffer> opened_share(const Home& home, const CustodyOptions& options) {
    if (options.owner.empty()) {
        const Node node = HF_TRY(open_node(home));
        const vault::Custody custody = HF_TRY(load_custody(node));
        const auto share = HF_TRY(vault::open_share(custody.set, HF_TRY(open_key(options))));
        const std::string text = share_json(share);
        return Buffer(text.begin(), text.end());
    }
    const TrustId owner = HF_TRY(find_partner(home, options.owner));
    const auto store = HF_TRY(vault::PosixStore::open(tenancy_vault(home, owner)));
    const vault::Roster roster = HF_TRY(vault::read_roster(store, owner));
    const auto envelope = HF_TRY(find_envelope(home, owner, options.system, roster));
    const auto share = HF_TRY(vault::open_share(envelope.set, HF_TRY(open_key(options))));
    return vault::hand_over(share, envelope.host_key);
}

int custodian_share(const Context& context, const CustodyOptions& options) {
    auto share = opened_share(context.home(), options);
    if (!share) return fail(share.error());
    auto written = write_file_durably(options.out, *share);
    if (!written) return fail(written.error());
    const bool in_clear = options.owner.empty();
    report(context, {{"file", options.out}, {"in_clear", in_clear}},
           fmt::format("{} is the share{}.", options.out,
                       in_clear ? "; it is a secret in clear: hand it on yourself, then delete it"
                                : ", for this node's run of " + options.system));
    return Done;
}

Result<vault::BoxKey> combine(const Node& node, const CustodyOptions& options) {
    const vault::Custody custody = HF_TRY(load_custody(node));
    std::vector<vault::OpenedShare> shares;
    for (const std::string& file : options.shares) {
        const Buffer text = HF_TRY(read_file(file, share_file_bytes_max));
        shares.push_back(HF_TRY(parse_share_json(as_text(text)).within(file)));
    }
    return vault::recover(custody, node.vault->roster(), shares);
}

int custodian_combine(const Context& context, const CustodyOptions& options) {
    auto node = open_node(context.home());
    if (!node) return fail(node.error());
    auto recovery = combine(*node, options);
    if (!recovery) return fail(recovery.error());
    std::string text = "The recovery key is whole. It opens:";
    Json opens = Json::array();
    for (const auto& [id, domain] : node->vault->domains()) {
        if (!vault::open_domain(domain.record, *recovery)) continue;
        opens.push_back(domain.record.name);
        text += "\n  " + printable(domain.record.name);
    }
    if (!options.out.empty()) {
        auto written = vault::write_key_file(options.out, {&recovery->secret});
        if (!written) return fail(written.error());
        text += "\n" + options.out +
                " is the recovery key, in clear: keep it no longer than you need it.";
    }
    report(context, {{"opens", opens}, {"file", options.out}}, text);
    return Done;
}

struct OpenedKit {
    vault::Kit kit;
    vault::KitSecrets secrets;
};

Result<OpenedKit> open_kit_at(const Home& home, const CustodyOptions& options) {
    const std::string path = options.kit.empty() ? home.kit + "/recovery-kit.json" : options.kit;
    const Buffer text = HF_TRY(read_file(path, vault::kit_bytes_max));
    vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)).within(path));
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase of the recovery kit"));
    vault::KitSecrets secrets = HF_TRY(vault::open_kit(kit, passphrase));
    return OpenedKit{std::move(kit), std::move(secrets)};
}

Result<vault::Custody> make_recovery_custody(const Home& home, const CustodyOptions& options) {
    const Node node = HF_TRY(open_node(home));
    const OpenedKit opened = HF_TRY(open_kit_at(home, options));
    return share_recovery(node, opened.secrets, options.threshold, system_clock().wall_ms());
}

Result<HandOver> hand_over(const Home& home, const CustodyOptions& options) {
    OpenedKit opened = HF_TRY(open_kit_at(home, options));
    std::optional<vault::Secret> passphrase;
    if (!options.new_passphrase_file.empty()) {
        passphrase = HF_TRY(read_passphrase(options.new_passphrase_file));
    }
    return hand_over_trust_key(home, opened.kit, std::move(opened.secrets), options.out,
                               std::move(passphrase), system_clock().wall_ms(),
                               vault::system_random());
}

int recovery_hand_over(const Context& context, const CustodyOptions& options) {
    auto done = hand_over(context.home(), options);
    if (!done) return fail(done.error());
    std::string text =
        fmt::format("Roster {}: the next trust key has taken over.\nThe new recovery kit is {}",
                    done->roster, done->files.kit);
    if (!done->files.passphrase.empty()) text += ", its passphrase " + done->files.passphrase;
    text += ".\nKeep the two apart, and off this machine. ";
    text += done->custody
                ? fmt::format("The custodians have new shares (custody {}).\n", *done->custody)
                : std::string("\n");
    text +=
        "Destroy every copy of the old kit: it signs nothing from now on, but still opens "
        "content.\n"
        "Bring it to the partners: holdfast replicate";
    report(context,
           {{"roster", done->roster},
            {"kit", done->files.kit},
            {"passphrase_file", done->files.passphrase},
            {"custody", done->custody ? Json(*done->custody) : Json()}},
           text);
    return Done;
}

Result<RenewedRecovery> renew(const Home& home, const CustodyOptions& options) {
    const OpenedKit opened = HF_TRY(open_kit_at(home, options));
    RenewSettings settings;
    settings.out = options.out;
    if (!options.new_passphrase_file.empty()) {
        settings.passphrase = HF_TRY(read_passphrase(options.new_passphrase_file));
    }
    settings.read_passphrase = [](const std::string& file) { return read_passphrase(file); };
    settings.bring = [&] { return bring_to_partners(home, options.without); };
    return renew_recovery(home, opened.kit, opened.secrets, std::move(settings),
                          system_clock().wall_ms(), vault::system_random());
}

Result<bool> remove_old(const Home& home) {
    const Node node = HF_TRY(open_node(home));
    return remove_old_seals(home, *node.vault);
}

int recovery_renew(const Context& context, const CustodyOptions& options) {
    auto done = renew(context.home(), options);
    if (!done) return fail(done.error());
    replicate_soon(context.home());
    const auto removed = remove_old(context.home());
    if (!removed) return fail(removed.error());
    std::string text = fmt::format(
        "Roster {}: the new recovery key is in force; {} systems' keys and {} epochs "
        "were wrapped anew.\nThe new recovery kit is {}",
        done->roster, done->renewed.domains, done->renewed.epochs, done->files.kit);
    if (!done->files.passphrase.empty()) text += ", its passphrase " + done->files.passphrase;
    text += ".\nKeep the two apart, and off this machine. ";
    text += done->custody
                ? fmt::format("The custodians have new shares (custody {}).", *done->custody)
                : std::string();
    text +=
        *removed
            ? "\nThe old kit and old shares open nothing here any more."
            : "\nSomething still reads here by what the old kit opens; a later prune removes it.";
    text +=
        "\nPartners keep what the old kit opens beside the new: destroy every copy of the old kit, "
        "and of old shares.";
    for (const std::string& one : done->envelopes) {
        text += "\nSend new papers (holdfast papers): the envelope opens nothing any more: " + one;
    }
    report(context,
           {{"roster", done->roster},
            {"kit", done->files.kit},
            {"passphrase_file", done->files.passphrase},
            {"domains", done->renewed.domains},
            {"epochs", done->renewed.epochs},
            {"custody", done->custody ? Json(*done->custody) : Json()},
            {"old_removed", *removed},
            {"envelopes", done->envelopes}},
           text);
    return done->envelopes.empty() ? Done : DoneWithWarnings;
}

int custodian_remove(const Context& context, const CustodyOptions& options) {
    auto removed = remove_custodian(context.home(), options.name);
    if (!removed) return fail(removed.error());
    report(
        context, {{"name", options.name}},
        fmt::format("{} gets no share from now on. Share the recovery secret out anew: holdfast "
                    "recovery custody. What {} holds of the old shares stays good beside other old "
                    "ones.",
                    printable(options.name), printable(options.name)));
    return Done;
}

int recovery_custody(const Context& context, const CustodyOptions& options) {
    auto made = make_recovery_custody(context.home(), options);
    if (!made) return fail(made.error());
    const std::size_t custodians = made->set.shares.size();
    report(
        context,
        {{"record", made->number}, {"threshold", made->set.threshold}, {"custodians", custodians}},
        fmt::format("Custody record {}: any {} of {} custodians open everything together.",
                    made->number, made->set.threshold, custodians));
    return Done;
}

void add_passphrase(Command verb, CustodyOptions& options) {
    verb.add_option("--passphrase-file", options.passphrase_file,
                    "take the passphrase from FILE instead of asking");
}

void add_custodian_group(Command app, Context& context) {
    Command group = app.add_subcommand("custodian", "people who keep shares of secrets");
    group.require_subcommand();
    auto options = std::make_shared<CustodyOptions>();
    const auto on = [&](Command verb, int (*run)(const Context&, const CustodyOptions&)) {
        verb.add_flag("--json", context.json, "report as JSON");
        verb.callback([&context, options, run] {
            context.verb = [&context, options, run] { return run(context, *options); };
        });
    };
    Command add = group.add_subcommand("add", "make a custodian's key");
    add.add_option("NAME", options->name, "the custodian's name").required();
    add.add_option("--key-file", options->key_file, "where the key is written").required();
    add_passphrase(add, *options);
    add.footer("Example: holdfast custodian add \"Eve Hall\" --key-file eve.key");
    on(add, custodian_add);
    Command remove = group.add_subcommand("remove", "give a custodian no more shares");
    remove.add_option("NAME", options->name, "the custodian's name").required();
    remove.footer("Example: holdfast custodian remove \"Eve Hall\"");
    on(remove, custodian_remove);
    Command list = group.add_subcommand("list", "list the custodians");
    list.footer("Example: holdfast custodian list");
    on(list, [](const Context& own, const CustodyOptions&) { return custodian_list(own); });
    Command share = group.add_subcommand("share", "open the own share");
    share.add_option("--key-file", options->key_file, "the custodian's key").required();
    share.add_option("--owner", options->owner, "of a partner's system: the partner")
        .needs(share.add_option("--system", options->system, "and the system"));
    share.add_option("--out", options->out, "where the share is written").required();
    add_passphrase(share, *options);
    share.footer(
        "Without --owner it is the share of this trust's recovery secret.\n"
        "Example: holdfast custodian share --key-file eve.key --owner 3fa1... --system epr --out "
        "eve.share");
    on(share, custodian_share);
    Command join = group.add_subcommand("combine", "bring shares of the recovery secret together");
    join.add_option("SHARE", options->shares, "share files").required();
    join.add_option("--out", options->out, "write the recovery key to FILE").type_name("FILE");
    join.footer("Example: holdfast custodian combine eve.share frank.share");
    on(join, custodian_combine);
}

}  // namespace

void add_custody_verbs(Command app, Context& context) {
    add_custodian_group(app, context);
    auto options = std::make_shared<CustodyOptions>();
    Command group = app.add_subcommand("recovery", "the recovery secret, above all others");
    group.require_subcommand();
    Command verb =
        group.add_subcommand("custody", "share the recovery secret out among the custodians, anew");
    Command kit = group.add_subcommand("kit", "write our partners into the recovery kit");
    kit.add_option("--kit", options->kit, "the recovery kit (default: the one on this node)")
        .type_name("FILE");
    kit.add_flag("--json", context.json, "report as JSON");
    kit.footer("Example: holdfast recovery kit --kit /media/usb/recovery-kit.json");
    kit.callback([&context, options] {
        context.verb = [&context, options] { return recovery_kit(context, options->kit); };
    });
    add_unlock_verb(group, context);
    Command over = group.add_subcommand("hand-over", "make a new kit, and let it alone be valid");
    over.add_option("--kit", options->kit, "the kit of now (default: the one on this node)")
        .type_name("FILE");
    add_passphrase(over, *options);
    over.add_option("--out", options->out, "a folder for the new kit").type_name("DIR").required();
    over.add_option("--new-passphrase-file", options->new_passphrase_file,
                    "the new kit's passphrase (default: one is generated)")
        .type_name("FILE");
    over.add_flag("--json", context.json, "report as JSON");
    over.footer(
        "The trust key that the roster promised takes over. The old kit signs nothing afterwards;\n"
        "it still opens content, so destroy it.\n"
        "Example: holdfast recovery hand-over --kit /media/usb/recovery-kit.json --out /media/new");
    over.callback([&context, options] {
        context.verb = [&context, options] { return recovery_hand_over(context, *options); };
    });
    Command renewing =
        group.add_subcommand("renew", "a new recovery key, which alone opens content");
    renewing.add_option("--kit", options->kit, "the kit of now (default: the one on this node)")
        .type_name("FILE");
    add_passphrase(renewing, *options);
    renewing.add_option("--out", options->out, "a folder for the new kit")
        .type_name("DIR")
        .required();
    renewing
        .add_option("--new-passphrase-file", options->new_passphrase_file,
                    "the new kit's passphrase (default: one is generated)")
        .type_name("FILE");
    renewing
        .add_option("--without", options->without,
                    "do not wait for this partner: until it is reached, only the old kit opens "
                    "what it keeps")
        .type_name("PARTNER");
    renewing.add_flag("--json", context.json, "report as JSON");
    renewing.footer(
        "Wraps the keys of all systems and epochs anew, brings them to the partners, and then "
        "makes "
        "the\n"
        "new kit the valid one; packs stay as they are. Cut off, run it again. Exit code 3: "
        "envelopes at\n"
        "hosts open nothing any more, send new papers.\n"
        "Example: holdfast recovery renew --kit /media/usb/recovery-kit.json --out /media/new");
    renewing.callback([&context, options] {
        context.verb = [&context, options] { return recovery_renew(context, *options); };
    });
    verb.add_option("--threshold", options->threshold, "how many together open it (default 2)");
    verb.add_option("--kit", options->kit, "the recovery kit (default: the one on this node)")
        .type_name("FILE");
    add_passphrase(verb, *options);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Example: holdfast recovery custody --threshold 2 --kit /media/usb/recovery-kit.json");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return recovery_custody(context, *options); };
    });
}

}  // namespace holdfast::agent::cli
