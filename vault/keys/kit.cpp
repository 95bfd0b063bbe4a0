#include "vault/keys/kit.h"

#include "vault/crypto/hash.h"
#include "vault/keys/locked_json.h"
#include "vault/keys/secret_json.h"

namespace holdfast::vault {
namespace {

constexpr std::string_view kit_form = "recovery kit 1";

Buffer additional_of(const TrustId& trust) {
    return tagged("kit", {trust.view()});
}

KitPartner read_partner(Fields& in) {
    KitPartner partner;
    partner.name = in.text("name");
    partner.address = in.text("address");
    partner.tls_key = in.id<Digest>("tls_key");
    partner.trust = in.id<TrustId>("trust");
    return partner;
}

}  // namespace

Result<Kit> make_kit(const TrustId& trust, const std::string& name, std::int64_t now_ms,
                     const KitSecrets& secrets, const Secret& passphrase, const PasswordCost& cost,
                     Random& random) {
    if (name.empty() || name.size() > name_bytes_max) {
        return Error{Errc::Invalid, "a trust's name has 1 to 256 bytes"};
    }
    const Secret inner = secret_json({{"trust_secret", secrets.trust.seed.view()},
                                      {"next_trust_secret", secrets.next_trust.seed.view()},
                                      {"recovery_secret", secrets.recovery.secret.view()}});
    Kit kit{trust, name, now_ms, {}, {}};
    kit.lock = HF_TRY(lock_with(passphrase, cost, additional_of(trust), inner.view(), random));
    return kit;
}

std::string kit_text(const Kit& kit) {
    Json partners = Json::array();
    for (const KitPartner& one : kit.partners) {
        partners.push_back({{"name", one.name},
                            {"address", one.address},
                            {"tls_key", one.tls_key.hex()},
                            {"trust", one.trust.hex()}});
    }
    Json json = {
        {"holdfast", kit_form}, {"trust", kit.trust.hex()}, {"name", kit.name}, {"time", kit.time}};
    put_lock(json, kit.lock);
    json["partners"] = std::move(partners);
    return json_text(json, 2) + "\n";
}

Result<Kit> parse_kit(std::string_view text) {
    if (text.size() > kit_bytes_max) return Error{Errc::Corrupt, "not a recovery kit: too long"};
    JsonText json = HF_TRY(JsonText::parse(text, "recovery kit"));
    Fields in = json.top();
    if (in.text("holdfast") != kit_form) in.fail("holdfast", "expected \"recovery kit 1\"");
    Kit kit;
    kit.trust = in.id<TrustId>("trust");
    kit.name = in.text("name");
    kit.time = in.time("time");
    kit.lock = read_lock(in);
    kit.partners = in.list("partners", kit_partners_max, read_partner);
    HF_TRY(json.check());
    return kit;
}

Result<KitSecrets> open_kit(const Kit& kit, const Secret& passphrase) {
    const Secret inner =
        HF_TRY(unlock_with(passphrase, kit.lock, additional_of(kit.trust)).within("recovery kit"));
    Secret trust = HF_TRY(secret_field(inner, "trust_secret", 32));
    Secret next_trust = HF_TRY(secret_field(inner, "next_trust_secret", 32));
    Secret recovery = HF_TRY(secret_field(inner, "recovery_secret", 32));
    return KitSecrets{SigningKey::from_seed(std::move(trust)),
                      SigningKey::from_seed(std::move(next_trust)),
                      BoxKey::from_secret(std::move(recovery))};
}

}  // namespace holdfast::vault
