#include "agent/people/renew_recovery.h"

#include "agent/people/custody_files.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/keys/seal.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace holdfast::agent {
namespace {

constexpr std::size_t pending_bytes_max = 16 << 10;
constexpr int rounds_max = 10;

/// What a renewal has decided, from its first step to its last: STATE/renewal.json.
struct Pending {
    std::string seal;
    PublicKey recovery_key;
    KitFiles files;
};

std::string pending_path(const Home& home) {
    return home.state + "/renewal.json";
}

Result<void> keep_pending(const Home& home, const Pending& pending) {
    const Json json{{"seal", pending.seal},
                    {"recovery_key", pending.recovery_key.hex()},
                    {"kit", pending.files.kit},
                    {"passphrase", pending.files.passphrase}};
    return write_file_durably(pending_path(home), as_view(json_text(json, 2)));
}

Result<std::optional<Pending>> find_pending(const Home& home) {
    const std::string path = pending_path(home);
    if (!path_exists(path)) return std::optional<Pending>();
    const Buffer text = HF_TRY(read_file(path, pending_bytes_max));
    const Json json = HF_TRY(parse_object(as_text(text), path));
    Pending pending;
    pending.seal = text_in(json, "seal");
    pending.recovery_key = HF_TRY(PublicKey::from_text(text_in(json, "recovery_key")).within(path));
    pending.files = {text_in(json, "kit"), text_in(json, "passphrase")};
    if (!vault::is_seal(pending.seal)) return Error{Errc::Corrupt, path + ": no seal"};
    return std::optional(std::move(pending));
}

class Renewing {
public:
    Renewing(const Home& home, const vault::Kit& kit, const vault::KitSecrets& secrets,
             RenewSettings settings, std::int64_t now_ms, vault::Random& random)
        : home_(home),
          kit_(kit),
          secrets_(secrets),
          settings_(std::move(settings)),
          now_ms_(now_ms),
          random_(random) {}

    Result<RenewedRecovery> run();

private:
    Result<void> begin(const vault::Roster& roster);
    Result<void> open_new_kit();
    Result<vault::Secret> new_passphrase() const;
    Result<void> wrap_all(Node& node);
    Result<void> publish(Node& node);
    Result<void> finish();
    Result<void> share_again(const Node& node);
    Result<void> find_old_envelopes(const Node& node);

    const Home& home_;
    const vault::Kit& kit_;
    const vault::KitSecrets& secrets_;
    RenewSettings settings_;
    std::int64_t now_ms_;
    vault::Random& random_;
    Pending pending_;
    std::optional<vault::KitSecrets> new_secrets_;
    RenewedRecovery done_;
};

Result<RenewedRecovery> Renewing::run() {
    Node node = HF_TRY(open_node(home_));
    auto pending = HF_TRY(find_pending(home_));
    if (pending) {
        pending_ = *std::move(pending);
        HF_TRY(
            open_new_kit().within("the renewal that was begun goes on with " + pending_.files.kit));
    } else {
        HF_TRY(begin(node.vault->roster()));
    }
    done_.files = pending_.files;
    if (node.vault->roster().seal != pending_.seal) HF_TRY(wrap_all(node));
    HF_TRY(finish());
    return std::move(done_);
}

Result<void> Renewing::begin(const vault::Roster& roster) {
    if (kit_.trust != roster.trust || secrets_.trust.public_key != roster.trust_key ||
        secrets_.recovery.public_key != roster.recovery_key) {
        return Error{Errc::Denied,
                     "the kit is another trust's, or older than the roster: find the newest"};
    }
    vault::BoxKey recovery = vault::BoxKey::make(random_);
    pending_.seal = vault::make_seal(random_);
    pending_.recovery_key = recovery.public_key;
    NewKit made{
        roster.trust,
        roster.name,
        {vault::SigningKey::from_seed(secrets_.trust.seed.clone()),
         vault::SigningKey::from_seed(secrets_.next_trust.seed.clone()), std::move(recovery)},
        kit_.partners,
        settings_.passphrase ? std::optional(settings_.passphrase->clone()) : std::nullopt,
        kit_.lock.cost.memory_bytes};
    pending_.files = HF_TRY(write_kit_files(settings_.out, made, now_ms_, random_));
    new_secrets_ = std::move(made.secrets);
    fault_point("new kit written");
    HF_TRY(keep_pending(home_, pending_));
    fault_point("renewal begun");
    return {};
}

Result<vault::Secret> Renewing::new_passphrase() const {
    if (settings_.passphrase) return settings_.passphrase->clone();
    return settings_.read_passphrase(pending_.files.passphrase)
        .within("the new kit's passphrase (--new-passphrase-file)");
}

Result<void> Renewing::open_new_kit() {
    const Buffer text = HF_TRY(read_file(pending_.files.kit, vault::kit_bytes_max));
    const vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)));
    const vault::Secret passphrase = HF_TRY(new_passphrase());
    new_secrets_ = HF_TRY(vault::open_kit(kit, passphrase));
    if (new_secrets_->recovery.public_key == pending_.recovery_key) return {};
    return Error{Errc::Denied, "it is another kit than the renewal made"};
}

/// Until a round finds nothing that partners may lack.
Result<void> Renewing::wrap_all(Node& node) {
    const vault::UnderRecovery under{pending_.recovery_key, pending_.seal};
    for (int i = 0; i < rounds_max; ++i) {
        {
            const Fd lock = HF_TRY(node.vault->lock_keys());
            const auto renewed =
                HF_TRY(vault::renew_keys(*node.vault, secrets_.recovery, under, now_ms_, random_));
            done_.renewed.domains += renewed.domains;
            done_.renewed.epochs += renewed.epochs;
            if (i > 0 && renewed.domains + renewed.epochs == 0) return publish(node);
        }
        HF_TRY(settings_.bring());
        fault_point("new seal brought");
    }
    return Error{Errc::Conflict, "new epochs come faster than the partners take them: try again"};
}

Result<void> Renewing::publish(Node& node) {
    const vault::Roster& roster = node.vault->roster();
    vault::Roster next = vault::next_roster(roster, now_ms_);
    next.recovery_key = pending_.recovery_key;
    next.seal = pending_.seal;
    const Buffer object = HF_TRY(vault::sign_roster(next, secrets_.trust));
    HF_TRY(vault::verify_successor(roster, HF_TRY(vault::parse_roster(object))));
    HF_TRY(node.vault->store().put(vault::roster_name(next.number), object));
    fault_point("new recovery key in force");
    return {};
}

Result<void> Renewing::finish() {
    Node node = HF_TRY(open_node(home_));
    done_.roster = node.vault->roster().number;
    HF_TRY(share_again(node));
    HF_TRY(find_old_envelopes(node));
    if (::unlink(pending_path(home_).c_str()) != 0) {
        return io_error(errno, "remove " + pending_path(home_));
    }
    return sync_folder(home_.state);
}

Result<void> Renewing::share_again(const Node& node) {
    const auto custody = load_custody(node);
    if (!custody && custody.error().code == Errc::NotFound) return {};
    if (!custody) return custody.error();
    // Perhaps once more than needed: no time says whose shares these are, clocks jump.
    const auto shared = HF_TRY(
        share_recovery(node, *new_secrets_, custody->set.threshold, now_ms_)
            .within("the new recovery key is in force, but not shared out (holdfast recovery "
                    "custody)"));
    done_.custody = shared.number;
    fault_point("custody made anew");
    return {};
}

Result<void> Renewing::find_old_envelopes(const Node& node) {
    for (const KeptEnvelope& one : HF_TRY(newest_envelopes(node))) {
        const auto domain = node.vault->domains().find(one.envelope.domain);
        const bool opens = domain != node.vault->domains().end() &&
                           domain->second.record.opening_key == one.envelope.opening_key;
        if (!opens) done_.envelopes.push_back(one.envelope.system + " at " + one.host.brief());
    }
    return {};
}

}  // namespace

Result<RenewedRecovery> renew_recovery(const Home& home, const vault::Kit& kit,
                                       const vault::KitSecrets& secrets, RenewSettings settings,
                                       std::int64_t now_ms, vault::Random& random) {
    return Renewing(home, kit, secrets, std::move(settings), now_ms, random).run();
}

}  // namespace holdfast::agent
