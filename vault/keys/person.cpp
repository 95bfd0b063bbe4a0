#include "vault/keys/person.h"

#include "vault/base/clock.h"
#include "vault/keys/json_fields.h"

#include <algorithm>
#include <array>

namespace holdfast::vault {
namespace {

constexpr std::string_view person_type = "person";
constexpr std::array<Role, 5> all_roles{Role::Viewer, Role::Operator, Role::Approver, Role::Admin,
                                        Role::Officer};

std::vector<Role> read_roles(Fields& in) {
    std::vector<Role> roles;
    for (const std::string& text : in.texts("roles", all_roles.size())) {
        const auto at = std::ranges::find(all_roles, text, role_name);
        if (at == all_roles.end() || std::ranges::find(roles, *at) != roles.end()) {
            in.fail("roles", "expected viewer, operator, approver, admin, officer, each once");
            return {};
        }
        roles.push_back(*at);
    }
    std::ranges::sort(roles);
    return roles;
}

PersonCertificate read_person(Fields in) {
    PersonCertificate one;
    one.person = in.id<PersonId>("person");
    one.number = in.number("number");
    one.trust = in.id<TrustId>("trust");
    one.name = in.text("name");
    one.key = in.id<PublicKey>("key");
    one.roles = read_roles(in);
    const std::string state = in.text("state");
    if (state != "active" && state != "disabled") in.fail("state", "expected active or disabled");
    one.disabled = state != "active";
    one.time = in.time("time");
    one.valid_from = in.time("valid_from");
    one.valid_to = in.time("valid_to");
    return one;
}

std::string body_of(const PersonCertificate& one) {
    Json roles = Json::array();
    for (const Role role : one.roles) roles.push_back(role_name(role));
    return json_text({{"person", one.person.hex()},
                      {"number", one.number},
                      {"trust", one.trust.hex()},
                      {"name", one.name},
                      {"key", one.key.hex()},
                      {"roles", std::move(roles)},
                      {"state", one.disabled ? "disabled" : "active"},
                      {"time", one.time},
                      {"valid_from", one.valid_from},
                      {"valid_to", one.valid_to}});
}

Error denied(const PersonCertificate& one, const std::string& why) {
    return {Errc::Denied, one.name + " " + why};
}

}  // namespace

std::string_view role_name(Role role) {
    switch (role) {
        case Role::Viewer:
            return "viewer";
        case Role::Operator:
            return "operator";
        case Role::Approver:
            return "approver";
        case Role::Admin:
            return "admin";
        case Role::Officer:
            return "officer";
    }
    HF_ASSERT(false);
    return {};
}

bool PersonCertificate::has(Role role) const {
    return std::ranges::find(roles, role) != roles.end();
}

Result<Buffer> certify(const PersonCertificate& certificate, const SigningKey& officer) {
    const PersonCertificate& one = certificate;
    if (one.name.empty() || one.name.size() > name_bytes_max || one.number == 0 ||
        one.valid_to <= one.valid_from || (one.roles.empty() && !one.disabled)) {
        return Error{Errc::Invalid,
                     "a certificate needs a name, a number, a role, and an end after its start"};
    }
    Record record{std::string(person_type), addressed_to(one.trust), one.number, body_of(one), {}};
    sign(record, officer);
    return encode(record);
}

Result<PersonCertificate> parse_certificate(View object, const Roster& roster) {
    const Record record = HF_TRY(parse_record(object));
    HF_TRY(expect(record, person_type, addressed_to(roster.trust)));
    JsonText body = HF_TRY(JsonText::parse(record.body, "person"));
    PersonCertificate one = read_person(body.top());
    HF_TRY(body.check());
    if (one.number != record.number || one.number == 0 || one.trust != roster.trust) {
        return Error{Errc::Corrupt, "person " + one.name + ": body and record disagree"};
    }
    const bool certified = std::ranges::any_of(
        roster.officers, [&](const Officer& officer) { return signed_by(record, officer.key); });
    if (!certified) {
        return Error{Errc::Denied, "person " + one.name + ": certified by no officer of roster " +
                                       std::to_string(roster.number)};
    }
    return one;
}

Result<void> People::add(const PersonCertificate& certificate, std::int64_t seen_ms) {
    for (const auto& [person, history] : persons_) {
        for (const auto& [number, seen] : history) {
            if (person != certificate.person && seen.certificate.key == certificate.key) {
                return Error{Errc::Conflict, "the key of " + certificate.name + " is " +
                                                 seen.certificate.name + "'s"};
            }
        }
    }
    if (persons_.size() >= persons_max && !persons_.contains(certificate.person)) {
        return Error{Errc::Full, "over " + std::to_string(persons_max) + " persons"};
    }
    const auto [at, added] =
        persons_[certificate.person].emplace(certificate.number, Seen{certificate, seen_ms});
    if (added || at->second.certificate == certificate) return {};
    return Error{Errc::Conflict, "person " + certificate.name +
                                     ": two different certificates of number " +
                                     std::to_string(certificate.number)};
}

const People::History* People::history_of(const PublicKey& key) const {
    for (const auto& [person, history] : persons_) {
        if (history.rbegin()->second.certificate.key == key) return &history;
    }
    return nullptr;
}

const PersonCertificate* People::by_key(const PublicKey& key) const {
    const History* history = history_of(key);
    return history == nullptr ? nullptr : &history->rbegin()->second.certificate;
}

// Goes back from the newest certificate while key and approver's role were there without a gap.
std::int64_t People::standing_since(const History& history) {
    auto at = history.rbegin();
    std::int64_t since = std::max(at->second.certificate.time, at->second.seen_ms);
    for (auto older = std::next(at); older != history.rend(); at = older, ++older) {
        const PersonCertificate& before = older->second.certificate;
        const PersonCertificate& after = at->second.certificate;
        if (before.disabled || before.key != after.key || !before.has(Role::Approver) ||
            before.valid_to < after.time) {
            break;
        }
        since = std::max(before.time, older->second.seen_ms);
    }
    return since;
}

Result<void> People::may(const PublicKey& key, Role role, std::int64_t now_ms) const {
    const History* history = history_of(key);
    if (history == nullptr) {
        return Error{Errc::Denied, "the key " + key.brief() + " is no known person's"};
    }
    const PersonCertificate& one = history->rbegin()->second.certificate;
    if (one.disabled) return denied(one, "is disabled");
    if (now_ms < one.valid_from) {
        return denied(one, "is not certified before " + format_time(one.valid_from));
    }
    if (now_ms >= one.valid_to) {
        return denied(one, "was certified until " + format_time(one.valid_to));
    }
    if (!one.has(role)) return denied(one, "is no " + std::string(role_name(role)));
    const std::int64_t from = standing_since(*history) + approval_wait_ms;
    if (role == Role::Approver && now_ms < from) {
        return denied(one, "is new as an approver and can approve from " + format_time(from));
    }
    return {};
}

Result<std::vector<PersonCertificate>> People::two_persons(const Record& record,
                                                           std::int64_t now_ms) const {
    std::vector<PersonCertificate> signers;
    std::string refused;
    bool approved = false;
    for (const RecordSignature& one : record.signatures) {
        if (!signed_by(record, one.signer)) continue;
        const Result<void> approver = may(one.signer, Role::Approver, now_ms);
        if (!approver && !may(one.signer, Role::Operator, now_ms)) {
            refused += "; " + approver.error().message;
            continue;
        }
        approved = approved || approver;
        const PersonCertificate* person = by_key(one.signer);
        const bool again =
            std::ranges::find(signers, person->person, &PersonCertificate::person) != signers.end();
        if (!again) signers.push_back(*person);
    }
    if (approved && signers.size() >= 2) return signers;
    return Error{Errc::Denied, "two persons must sign, one of them an approver" + refused};
}

}  // namespace holdfast::vault
