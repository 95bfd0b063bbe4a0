#include "agent/people/hand_over.h"

#include "agent/people/custody_files.h"
#include "vault/base/fault.h"

#include <utility>

namespace holdfast::agent {

Result<HandOver> hand_over_trust_key(const Home& home, const vault::Kit& kit,
                                     vault::KitSecrets secrets, const std::string& out,
                                     std::optional<vault::Secret> passphrase, std::int64_t now_ms,
                                     vault::Random& random) {
    const Node before = HF_TRY(open_node(home));
    const vault::Roster& roster = before.vault->roster();
    if (kit.trust != roster.trust || secrets.trust.public_key != roster.trust_key ||
        vault::trust_key_hash(secrets.next_trust.public_key) != roster.next_trust_key_hash) {
        return Error{Errc::Denied,
                     "the kit is another trust's, or older than the roster: find the newest"};
    }
    const auto custody = load_custody(before);
    if (!custody && custody.error().code != Errc::NotFound) return custody.error();
    vault::SigningKey after_next = vault::SigningKey::make(random);
    vault::Roster next = vault::next_roster(roster, now_ms);
    next.next_trust_key_hash = vault::trust_key_hash(after_next.public_key);
    const Buffer object = HF_TRY(vault::sign_roster(next, secrets.next_trust));
    HF_TRY(vault::verify_successor(roster, HF_TRY(vault::parse_roster(object))));
    NewKit made{roster.trust,
                roster.name,
                {std::move(secrets.next_trust), std::move(after_next), std::move(secrets.recovery)},
                kit.partners,
                std::move(passphrase),
                kit.lock.cost.memory_bytes};
    HandOver done;
    done.files = HF_TRY(write_kit_files(out, made, now_ms, random));
    fault_point("new kit written");
    HF_TRY(before.vault->store().put(vault::roster_name(next.number), object));
    done.roster = next.number;
    fault_point("trust key handed over");
    if (!custody) return done;
    const Node after = HF_TRY(open_node(home));
    const vault::Custody shared = HF_TRY(
        share_recovery(after, made.secrets, custody->set.threshold, now_ms)
            .within("the trust key is handed over, but the recovery secret is not shared out anew "
                    "(holdfast recovery custody)"));
    done.custody = shared.number;
    return done;
}

}  // namespace holdfast::agent
