// recovery unlock: a locked system's content can be read for a while.
#include "agent/cli/kit_verbs.h"
#include "agent/cli/passphrase.h"
#include "agent/cli/vault_at.h"
#include "agent/node/unlocked.h"
#include "agent/people/custody_files.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/keys/kit.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct UnlockOptions {
    std::string system;
    bool all = false;
    bool end = false;
    std::vector<std::string> shares;
    std::string kit;
    std::string passphrase_file;
    std::string from;
    std::uint32_t minutes = 30;
};

Result<vault::BoxKey> from_shares(VaultAt& at, const std::vector<std::string>& files) {
    const vault::Custody custody = HF_TRY(load_custody(at.reader().store(), at.roster()));
    std::vector<vault::OpenedShare> shares;
    for (const std::string& file : files) {
        const Buffer text = HF_TRY(read_file(file, share_file_bytes_max));
        shares.push_back(HF_TRY(parse_share_json(as_text(text)).within(file)));
    }
    return vault::recover(custody, at.roster(), shares);
}

Result<vault::BoxKey> from_kit(const VaultAt& at, const UnlockOptions& options) {
    const Buffer text = HF_TRY(read_file(options.kit, vault::kit_bytes_max));
    const vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)).within(options.kit));
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase of the recovery kit"));
    vault::KitSecrets secrets = HF_TRY(vault::open_kit(kit, passphrase));
    if (secrets.recovery.public_key == at.roster().recovery_key) {
        return std::move(secrets.recovery);
    }
    return Error{Errc::Denied, "the kit is another trust's, or older than the roster"};
}

/// The locked domains that were meant. Errors: NotFound.
Result<std::vector<const vault::DomainRecord*>> meant_domains(const VaultAt& at,
                                                              const UnlockOptions& options) {
    std::vector<const vault::DomainRecord*> out;
    for (const auto& [id, domain] : at.domains()) {
        if (domain.record.opening_keys != vault::OpeningKeys::Locked) continue;
        if (options.all || domain.record.name == options.system) out.push_back(&domain.record);
    }
    if (!out.empty()) return out;
    return Error{Errc::NotFound,
                 options.all ? "no system is locked" : options.system + " is no locked system"};
}

Result<std::vector<std::string>> lock_or_unlock(const Home& home, const UnlockOptions& options) {
    VaultAt at = HF_TRY(open_vault_at(home, options.from));
    const auto domains = HF_TRY(meant_domains(at, options));
    std::vector<std::string> names;
    for (const vault::DomainRecord* domain : domains) names.push_back(domain->name);
    if (options.end) {
        for (const auto* one : domains) HF_TRY(lock_domain(at.roster().trust, one->id));
        return names;
    }
    if (options.shares.empty() && options.kit.empty()) {
        return Error{Errc::Invalid, "give custodians' shares (--share FILE each), or --kit FILE"};
    }
    const vault::BoxKey recovery = options.kit.empty() ? HF_TRY(from_shares(at, options.shares))
                                                       : HF_TRY(from_kit(at, options));
    for (const vault::DomainRecord* domain : domains) {
        const vault::DomainKeys keys = HF_TRY(vault::open_domain(*domain, recovery));
        // The ledger tells of an unlock before anybody can read by it.
        if (at.node) {
            const Json fact{{"type", "unlock"},
                            {"system", domain->name},
                            {"minutes", options.minutes},
                            {"by", options.kit.empty() ? "shares" : "kit"}};
            HF_TRY(at.node->vault->record_fact(json_text(fact)));
        }
        HF_TRY(unlock_domain(at.roster().trust, domain->id, keys.opening, options.minutes * 60));
    }
    return names;
}

int unlock(const Context& context, const UnlockOptions& options) {
    auto names = lock_or_unlock(context.home(), options);
    if (!names) return fail(names.error());
    if (context.json) {
        fmt::print("{}\n", json_text({{"systems", *names}, {"unlocked", !options.end}}));
        return Done;
    }
    for (const std::string& name : *names) {
        if (options.end) {
            fmt::print("{} is locked again.\n", name);
        } else {
            fmt::print("{} can be read for {} minutes, by this user on this machine.\n", name,
                       options.minutes);
        }
    }
    return Done;
}

}  // namespace

void add_unlock_verb(Command recovery, Context& context) {
    auto options = std::make_shared<UnlockOptions>();
    Command verb =
        recovery.add_subcommand("unlock", "let a locked system's content be read for a while");
    auto system = verb.add_option("SYSTEM", options->system, "the system's name");
    verb.add_flag("--all", options->all, "all locked systems").excludes(system);
    verb.add_option("--share", options->shares, "a custodian's opened share (one each)")
        .type_name("FILE");
    verb.add_option("--kit", options->kit, "the recovery kit, instead of shares")
        .excludes("--share")
        .type_name("FILE");
    verb.add_option("--passphrase-file", options->passphrase_file,
                    "take the kit's passphrase from FILE instead of asking")
        .type_name("FILE");
    verb.add_option("--minutes", options->minutes, "how long (default 30, at most a day)")
        .between(1U, unlock_seconds_max / 60);
    verb.add_option("--from", options->from, "of what this partner holds, without the own vault")
        .type_name("PARTNER");
    verb.add_flag("--end", options->end, "lock again now");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "The keys stay in the kernel's memory and end by themselves; restore, mount and verify\n"
        "find them there.\n"
        "Example: holdfast recovery unlock letters --share eve.share --share frank.share");
    verb.callback([&context, options] {
        if (options->system.empty() && !options->all) {
            usage_error("SYSTEM or --all");
        }
        context.verb = [&context, options] { return unlock(context, *options); };
    });
}

}  // namespace holdfast::agent::cli
