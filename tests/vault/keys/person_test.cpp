#include "vault/keys/person.h"

#include "tests/vault/keys/trust.h"

using namespace holdfast;
using namespace holdfast::vault;
using test::now_ms;
using test::Trust;

namespace {

constexpr std::int64_t day = 24LL * 3600 * 1000;

struct Someone {
    SigningKey key = SigningKey::make(system_random());
    PersonCertificate certificate;

    Someone(const Trust& t, std::string name, std::vector<Role> roles) {
        certificate.person = system_random().id<PersonId>();
        certificate.trust = t.id;
        certificate.name = std::move(name);
        certificate.key = key.public_key;
        certificate.roles = std::move(roles);
        certificate.time = certificate.valid_from = now_ms;
        certificate.valid_to = now_ms + 365 * day;
    }

    PersonCertificate later(std::int64_t time) const {
        PersonCertificate next = certificate;
        ++next.number;
        next.time = time;
        return next;
    }
};

Buffer certified(const PersonCertificate& certificate, const SigningKey& officer) {
    Result<Buffer> object = certify(certificate, officer);
    REQUIRE(object);
    return *std::move(object);
}

Record order_of(const Trust& t, std::initializer_list<const Someone*> signers) {
    Record record{"release", addressed_to(t.id), 1, "{}", {}};
    for (const Someone* one : signers) sign(record, one->key);
    return record;
}

}  // namespace

TEST_CASE("a certificate comes back as an officer signed it", "[vault][keys]") {
    const Trust t;
    const Someone a(t, "Ada", {Role::Operator, Role::Approver});
    const Buffer object = certified(a.certificate, t.officer);
    const Result<PersonCertificate> read = parse_certificate(object, t.roster);
    REQUIRE(read);
    CHECK(*read == a.certificate);
    for (std::size_t i = 0; i < object.size(); ++i) {
        Buffer bad = object;
        bad[i] ^= 0x01;
        INFO("byte " << i);
        CHECK_FALSE(parse_certificate(bad, t.roster));
    }
}

TEST_CASE("a certificate that no officer of this trust signed is refused", "[vault][keys]") {
    const Trust t;
    const Trust other;
    const Someone a(t, "Ada", {Role::Approver});
    const auto code = [&](const SigningKey& signer, const Roster& roster) {
        return parse_certificate(certified(a.certificate, signer), roster).error().code;
    };
    CHECK(code(a.key, t.roster) == Errc::Denied);
    CHECK(code(t.first, t.roster) == Errc::Denied);
    CHECK(code(other.officer, t.roster) == Errc::Denied);
    CHECK(code(t.officer, other.roster) == Errc::Denied);
    const Roster without = *parse_roster(t.next(t.first, [](Roster& r) { r.officers.clear(); }));
    CHECK(code(t.officer, without) == Errc::Denied);
}

TEST_CASE("a person may do what the roles say, in the time they are for", "[vault][keys]") {
    const Trust t;
    const Someone a(t, "Ada", {Role::Operator});
    People people;
    CHECK(people.may(a.key.public_key, Role::Operator, now_ms).error().code == Errc::Denied);
    REQUIRE(people.add(a.certificate, now_ms));
    const PublicKey& key = a.key.public_key;
    CHECK(people.may(key, Role::Operator, now_ms));
    CHECK_FALSE(people.may(key, Role::Approver, now_ms + 10 * day));
    CHECK_FALSE(people.may(key, Role::Operator, now_ms - 1));
    CHECK_FALSE(people.may(key, Role::Operator, now_ms + 365 * day));
    CHECK(people.by_key(key)->name == "Ada");
}

TEST_CASE("a new approver waits a day, whatever date the certificate has", "[vault][keys]") {
    const Trust t;
    Someone a(t, "Ada", {Role::Approver});
    const PublicKey& key = a.key.public_key;
    People people;
    REQUIRE(people.add(a.certificate, now_ms + 5 * day));
    CHECK_FALSE(people.may(key, Role::Approver, now_ms + 6 * day - 1));
    CHECK(people.may(key, Role::Approver, now_ms + 6 * day));
    // Renewed with the same key and role: no wait.
    const PersonCertificate renewed = a.later(now_ms + 8 * day);
    REQUIRE(people.add(renewed, now_ms + 8 * day));
    CHECK(people.may(key, Role::Approver, now_ms + 8 * day));
}

TEST_CASE("a reset key, a new role and a return from disabled wait a day", "[vault][keys]") {
    const Trust t;
    const Someone a(t, "Ada", {Role::Approver});
    const std::int64_t then = now_ms + 30 * day;
    const auto waits = [&](const PersonCertificate& first, const PersonCertificate& second) {
        People people;
        REQUIRE(people.add(first, now_ms));
        REQUIRE(people.add(second, then));
        CHECK_FALSE(people.may(second.key, Role::Approver, then + day - 1));
        CHECK(people.may(second.key, Role::Approver, then + day));
    };
    PersonCertificate reset = a.later(then);
    reset.key = SigningKey::make(system_random()).public_key;
    waits(a.certificate, reset);
    PersonCertificate before = a.certificate;
    before.roles = {Role::Operator};
    waits(before, a.later(then));
    before = a.certificate;
    before.disabled = true;
    waits(before, a.later(then));
}

TEST_CASE("a disabled or replaced key may nothing", "[vault][keys]") {
    const Trust t;
    const Someone a(t, "Ada", {Role::Operator});
    const PublicKey& key = a.key.public_key;
    PersonCertificate disabled = a.later(now_ms + day);
    disabled.disabled = true;
    People people;
    // The order in which they come does not matter.
    REQUIRE(people.add(disabled, now_ms));
    REQUIRE(people.add(a.certificate, now_ms));
    const Result<void> refused = people.may(key, Role::Operator, now_ms + day);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "Ada is disabled");
    PersonCertificate reset = a.certificate;
    reset.number = 3;
    reset.key = SigningKey::make(system_random()).public_key;
    REQUIRE(people.add(reset, now_ms));
    CHECK(people.by_key(key) == nullptr);
    CHECK(people.may(reset.key, Role::Operator, now_ms));
}

TEST_CASE("two certificates of one number, and one key for two persons, are told",
          "[vault][keys]") {
    const Trust t;
    const Someone a(t, "Ada", {Role::Operator});
    Someone b(t, "Bob", {Role::Operator});
    People people;
    REQUIRE(people.add(a.certificate, now_ms));
    REQUIRE(people.add(a.certificate, now_ms));
    PersonCertificate changed = a.certificate;
    changed.roles = {Role::Admin};
    CHECK(people.add(changed, now_ms).error().code == Errc::Conflict);
    b.certificate.key = a.certificate.key;
    CHECK(people.add(b.certificate, now_ms).error().code == Errc::Conflict);
}

TEST_CASE("two persons are two different ones, one of them an approver", "[vault][keys]") {
    const Trust t;
    const Someone approver(t, "Ada", {Role::Approver});
    const Someone other(t, "Bob", {Role::Approver});
    const Someone operator_a(t, "Cy", {Role::Operator});
    const Someone operator_b(t, "Di", {Role::Operator});
    const Someone viewer(t, "Ed", {Role::Viewer});
    const Someone stranger(t, "Fay", {Role::Approver});
    People people;
    for (const Someone* one : {&approver, &other, &operator_a, &operator_b, &viewer}) {
        REQUIRE(people.add(one->certificate, now_ms));
    }
    const std::int64_t later = now_ms + 2 * day;
    CHECK(people.two_persons(order_of(t, {&approver, &operator_a}), later)->size() == 2);
    CHECK(people.two_persons(order_of(t, {&other, &approver}), later));
    CHECK_FALSE(people.two_persons(order_of(t, {&approver}), later));
    CHECK_FALSE(people.two_persons(order_of(t, {&operator_a, &operator_b}), later));
    CHECK_FALSE(people.two_persons(order_of(t, {&approver, &viewer}), later));
    CHECK_FALSE(people.two_persons(order_of(t, {&approver, &stranger}), later));
    CHECK_FALSE(people.two_persons(order_of(t, {&approver, &operator_a}), now_ms));
    Record forged = order_of(t, {&approver, &stranger});
    forged.signatures[1].signer = other.key.public_key;
    CHECK(people.two_persons(forged, later).error().code == Errc::Denied);
}

TEST_CASE("a certificate without a name, role or time is not signed", "[vault][keys]") {
    const Trust t;
    const PersonCertificate good = Someone(t, "Ada", {Role::Viewer}).certificate;
    PersonCertificate bad = good;
    bad.name.clear();
    CHECK_FALSE(certify(bad, t.officer));
    bad = good;
    bad.roles.clear();
    CHECK_FALSE(certify(bad, t.officer));
    bad = good;
    bad.valid_to = bad.valid_from;
    CHECK_FALSE(certify(bad, t.officer));
}
