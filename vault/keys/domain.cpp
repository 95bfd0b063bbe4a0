#include "vault/keys/domain.h"

#include "vault/keys/json_fields.h"
#include "vault/keys/seal.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::string_view domain_type = "domain";
constexpr std::string_view opening_tag = "domain opening";
constexpr std::string_view naming_tag = "domain naming";
constexpr std::uint64_t only_number = 1;

OpeningKeys read_opening_keys(Fields& in) {
    const std::string text = in.text("opening_keys");
    if (text == "locked") return OpeningKeys::Locked;
    if (text != "node") in.fail("opening_keys", "expected node or locked");
    return OpeningKeys::Node;
}

DomainRecord read_domain(Fields in) {
    DomainRecord domain;
    domain.id = in.id<DomainId>("domain");
    domain.name = in.text("name");
    domain.time = in.time("time");
    domain.opening_keys = read_opening_keys(in);
    domain.opening_key = in.id<PublicKey>("opening_key");
    domain.opening_wrapped = in.base64("opening_wrapped", domain_wrapped_max);
    domain.naming_wrapped = in.base64("naming_wrapped", domain_wrapped_max);
    domain.features_required = in.texts("features_required", domain_features_max);
    domain.features_optional = in.texts("features_optional", domain_features_max);
    domain.seal = read_seal(in);
    return domain;
}

Result<void> check_signer(const Record& record, const Roster& roster, DomainRecord& domain) {
    const auto signed_it = [&](const RosterNode& node) {
        return signed_by(record, node.ledger_key);
    };
    const auto node = std::ranges::find_if(roster.nodes, signed_it);
    if (node == roster.nodes.end()) {
        return Error{Errc::Denied, "domain " + domain.name +
                                       ": its record is signed by no node of roster " +
                                       std::to_string(roster.number)};
    }
    domain.signer = node->ledger_key;
    domain.signer_state = node->state;
    return {};
}

// Version 1 knows no feature, so whatever is required is too much.
Result<void> check_features(const DomainRecord& domain) {
    if (domain.features_required.empty()) return {};
    return Error{Errc::Invalid, "domain " + domain.name + " requires the feature " +
                                    domain.features_required.front() +
                                    ", which this program does not know: update it"};
}

}  // namespace

Result<NewDomain> make_domain(const std::string& name, OpeningKeys opening_keys,
                              const UnderRecovery& under, const SigningKey& ledger_key,
                              std::int64_t now_ms, Random& random) {
    if (name.empty() || name.size() > name_bytes_max) {
        return Error{Errc::Invalid, "a domain's name has 1 to 256 bytes"};
    }
    NewDomain made{random.id<DomainId>(), {BoxKey::make(random), Secret(32)}, {}};
    random.fill({made.keys.naming.data(), made.keys.naming.size()});
    DomainRecord domain;
    domain.id = made.id;
    domain.name = name;
    domain.opening_keys = opening_keys;
    made.object = renew_domain(domain, made.keys, under, ledger_key, now_ms);
    return made;
}

Buffer renew_domain(const DomainRecord& domain, const DomainKeys& keys, const UnderRecovery& under,
                    const SigningKey& ledger_key, std::int64_t now_ms) {
    const View id = domain.id.view();
    const Buffer opening = wrap(opening_tag, id, keys.opening.secret.view(), under.key);
    const Buffer naming = wrap(naming_tag, id, keys.naming.view(), under.key);
    const bool on_node = domain.opening_keys == OpeningKeys::Node;
    Json body{{"domain", domain.id.hex()},
              {"name", domain.name},
              {"time", now_ms},
              {"opening_keys", on_node ? "node" : "locked"},
              {"opening_key", keys.opening.public_key.hex()},
              {"opening_wrapped", to_base64(opening)},
              {"naming_wrapped", to_base64(naming)},
              {"features_required", domain.features_required},
              {"features_optional", domain.features_optional}};
    if (!under.seal.empty()) body["seal"] = under.seal;
    Record record{std::string(domain_type), {}, only_number, json_text(body), {}};
    sign(record, ledger_key);
    return encode(record);
}

Result<DomainRecord> parse_domain(View object, const DomainId& expected, const Roster& roster) {
    const Record record = HF_TRY(parse_record(object));
    HF_TRY(expect(record, domain_type, Digest{}));
    JsonText body = HF_TRY(JsonText::parse(record.body, "domain"));
    DomainRecord domain = read_domain(body.top());
    HF_TRY(body.check());
    if (domain.id != expected || record.number != only_number) {
        return Error{Errc::Corrupt, "domain " + expected.brief() + ": its record is another one's"};
    }
    HF_TRY(check_signer(record, roster, domain));
    HF_TRY(check_features(domain));
    return domain;
}

Result<DomainKeys> open_domain(const DomainRecord& domain, const BoxKey& recovery) {
    const std::string where = "domain " + domain.name;
    Secret opening = HF_TRY(
        unwrap(opening_tag, domain.id.view(), domain.opening_wrapped, recovery).within(where));
    Secret naming =
        HF_TRY(unwrap(naming_tag, domain.id.view(), domain.naming_wrapped, recovery).within(where));
    if (opening.size() != 32 || naming.size() != 32) {
        return Error{Errc::Corrupt, where + ": a wrapped key of wrong length"};
    }
    DomainKeys keys{BoxKey::from_secret(std::move(opening)), std::move(naming)};
    if (keys.opening.public_key != domain.opening_key) {
        return Error{Errc::Corrupt, where + ": the wrapped opening key is not the one it names"};
    }
    return keys;
}

}  // namespace holdfast::vault
