#include "vault/keys/kit.h"

#include "tests/vault/crypto/same.h"
#include "tests/vault/keys/trust.h"
#include "vault/crypto/base64.h"
#include "vault/crypto/hash.h"
#include "vault/keys/secret_json.h"

#include <algorithm>

using namespace holdfast;
using namespace holdfast::vault;
using test::cheap;
using test::passphrase;
using test::same;
using test::Trust;

namespace {

constexpr std::string_view typed_words = "7k2mq-00000-abcde-fghjk-1z1z1";

Kit kit_of(const Trust& t) {
    const KitSecrets secrets{SigningKey::from_seed(t.first.seed.clone()),
                             SigningKey::from_seed(t.second.seed.clone()),
                             BoxKey::from_secret(t.recovery.secret.clone())};
    Result<Kit> kit = make_kit(t.id, "Northvale", test::now_ms, secrets, passphrase(typed_words),
                               cheap(), system_random());
    REQUIRE(kit);
    return *std::move(kit);
}

bool opens_right(const Kit& kit, const Trust& t, std::string_view text) {
    const Result<KitSecrets> opened = open_kit(kit, passphrase(text));
    return opened && same(opened->trust.seed, t.first.seed) &&
           same(opened->next_trust.seed, t.second.seed) &&
           same(opened->recovery.secret, t.recovery.secret);
}

}  // namespace

TEST_CASE("a kit opens with its passphrase alone, with or without a newline", "[vault][keys]") {
    const Trust t;
    const Result<Kit> kit = parse_kit(kit_text(kit_of(t)));
    REQUIRE(kit);
    CHECK(kit->trust == t.id);
    CHECK(kit->name == "Northvale");
    CHECK(opens_right(*kit, t, typed_words));
    CHECK(opens_right(*kit, t, std::string(typed_words) + "\n"));
    CHECK(opens_right(*kit, t, std::string(typed_words) + "\r\n"));
}

TEST_CASE("a kit forgives what people mistake when a passphrase is read out", "[vault][keys]") {
    const Trust t;
    const Kit kit = kit_of(t);
    CHECK(opens_right(kit, t, "7K2MQ OOOOO ABCDE FGHJK IzLz1"));
    const Result<KitSecrets> wrong = open_kit(kit, passphrase("7k2mq-00000-abcde-fghjk-1z1z2"));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Errc::Denied);
}

TEST_CASE("a kit with any one byte changed never opens to other secrets", "[vault][keys]") {
    const Trust t;
    const std::string good = kit_text(kit_of(t));
    std::size_t refused = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 0x01);
        const Result<Kit> kit = parse_kit(bad);
        // A flipped digit can ask for more memory than a test should take; it is bounded elsewhere.
        if (kit && kit->lock.cost.memory_bytes > 1_MiB) continue;
        const Result<KitSecrets> opened =
            kit ? open_kit(*kit, passphrase(typed_words)) : Error{Errc::Corrupt, "not parsed"};
        if (!opened) {
            ++refused;
        } else {
            INFO("byte " << i);
            CHECK(opens_right(*kit, t, typed_words));
        }
    }
    // Trust id, salt, nonce and the locked part, at least.
    CHECK(refused > 64 + 24 + 32 + 200);
}

TEST_CASE("a kit's locked part does not pass for another trust's", "[vault][keys]") {
    const Trust t;
    Kit kit = kit_of(t);
    kit.trust = system_random().id<TrustId>();
    CHECK(open_kit(kit, passphrase(typed_words)).error().code == Errc::Denied);
}

TEST_CASE("a kit's partners are printed anew without the passphrase", "[vault][keys]") {
    const Trust t;
    Kit kit = *parse_kit(kit_text(kit_of(t)));
    kit.partners = {{"Southmere", "holdfast.southmere.example:7443", system_random().id<Digest>(),
                     system_random().id<TrustId>()}};
    const Result<Kit> again = parse_kit(kit_text(kit));
    REQUIRE(again);
    CHECK(again->partners == kit.partners);
    CHECK(opens_right(*again, t, typed_words));
}

TEST_CASE("a kit that asks for absurd work is refused", "[vault][keys]") {
    const Trust t;
    Kit kit = kit_of(t);
    kit.lock.cost.memory_bytes = password_memory_max + 1;
    CHECK(open_kit(kit, passphrase(typed_words)).error().code == Errc::Invalid);
    kit = kit_of(t);
    kit.lock.cost.operations = password_operations_max + 1;
    CHECK(open_kit(kit, passphrase(typed_words)).error().code == Errc::Invalid);
    CHECK_FALSE(parse_kit(std::string(kit_bytes_max + 1, ' ')));
    CHECK_FALSE(parse_kit("[]"));
    CHECK_FALSE(parse_kit(""));
}

TEST_CASE("made passphrases are five groups of five, and never the same", "[vault][keys]") {
    const Secret a = make_passphrase(system_random());
    const Secret b = make_passphrase(system_random());
    CHECK(a.size() == 29);
    CHECK_FALSE(same(a, b));
    const std::string_view text = as_text(a.view());
    CHECK(std::ranges::count(text, '-') == 4);
    CHECK(text.find_first_of("iloIOLU") == std::string_view::npos);
}

TEST_CASE("a person's and a custodian's key file open with their passphrase", "[vault][keys]") {
    const SigningKey person = SigningKey::make(system_random());
    const BoxKey custodian = BoxKey::make(system_random());
    const Secret good = passphrase("correct horse");
    const std::string a = locked_key_text(
        *lock_person_key(person, "P", test::now_ms, good, cheap(), system_random()));
    const std::string b = locked_key_text(
        *lock_custodian_key(custodian, "C", test::now_ms, good, cheap(), system_random()));

    const LockedKey file = *parse_locked_key(a, KeyUse::Person);
    CHECK(file.key == person.public_key);
    CHECK(same(open_person_key(file, good)->seed, person.seed));
    CHECK(open_person_key(file, passphrase("correct house")).error().code == Errc::Denied);
    const LockedKey other = *parse_locked_key(b, KeyUse::Custodian);
    CHECK(same(open_custodian_key(other, good)->secret, custodian.secret));
    CHECK_FALSE(parse_locked_key(a, KeyUse::Custodian));
    CHECK_FALSE(parse_locked_key(b, KeyUse::Person));
}

TEST_CASE("a key file whose name of the key was changed is refused", "[vault][keys]") {
    const Secret good = passphrase("correct horse");
    LockedKey file =
        *lock_person_key(SigningKey::make(system_random()), "P", 1, good, cheap(), system_random());
    file.key = system_random().id<PublicKey>();
    CHECK(open_person_key(file, good).error().code == Errc::Denied);
}

TEST_CASE("a passphrase that is empty locks nothing", "[vault][keys]") {
    CHECK(lock_person_key(SigningKey::make(system_random()), "P", 1, passphrase("\n"), cheap(),
                          system_random())
              .error()
              .code == Errc::Invalid);
}

TEST_CASE("the locked part is read as any JSON writer lays it out", "[vault][keys]") {
    const Secret key = Secret::random(32);
    const Secret made = secret_json({{"a_secret", key.view()}, {"b", key.view().first(5)}});
    CHECK(same(*secret_field(made, "a_secret", 32), key));
    CHECK(secret_field(made, "b", 5));
    CHECK_FALSE(secret_field(made, "b", 6));
    CHECK_FALSE(secret_field(made, "c", 5));
    const std::string text = to_base64(key.view());
    const Secret spaced = passphrase("{ \"x\" : \"\" ,\n \"a\": \"" + text + "\" }\n");
    CHECK(same(*secret_field(spaced, "a", 32), key));
    for (const std::string& bad :
         {std::string("{\"a\":\"" + text + "\""), std::string("{\"a\":\"" + text + "\"}}"),
          std::string("{\"a\":\"\\u0041\"}"), std::string("{\"a\":1}"), std::string()}) {
        CHECK_FALSE(secret_field(passphrase(bad), "a", 32));
    }
}
