#include "agent/people/sign_in.h"

#include "agent/node/init.h"
#include "agent/node/node.h"
#include "agent/people/people_book.h"
#include "agent/people/sign_in_limits.h"
#include "agent/people/sign_in_request.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::ScratchFolder;
using vault::Role;
using vault::Secret;

namespace {

class HandClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return now; }
    std::int64_t steady_ns() const override { return now * 1'000'000; }
    std::int64_t now = 1'790'000'000'000;
};

const vault::PasswordCost cheap{1, 8192, {}};

class SignInHome {
public:
    SignInHome() : home(Home::at(scratch_.path() + "/home")) {
        InitSettings settings;
        settings.trust_name = "T";
        settings.passphrase = Secret::copy_of(as_view("p"));
        settings.kit_memory_bytes = 8192;
        REQUIRE(init_node(home, std::move(settings), clock, vault::system_random()));
        auto opened = open_node(home);
        REQUIRE(opened);
        node = std::move(*opened);
    }
    vault::PersonCertificate add(const std::string& name, const std::string& passphrase) {
        const auto key = vault::SigningKey::make(vault::system_random());
        const auto made =
            add_person(home, node.vault->roster(), node.keys.office,
                       {name, {Role::Operator}, key.public_key}, clock, vault::system_random());
        REQUIRE(made);
        REQUIRE(keep_sign_in(home, *made, lock(key, name, passphrase)));
        return *made;
    }
    vault::LockedKey lock(const vault::SigningKey& key, const std::string& name,
                          const std::string& passphrase) {
        auto locked =
            vault::lock_person_key(key, name, clock.now, Secret::copy_of(as_view(passphrase)),
                                   cheap, vault::system_random());
        REQUIRE(locked);
        return std::move(*locked);
    }
    Result<SignedIn> check(const std::string& name, const std::string& passphrase) {
        return check_sign_in(home, name, Secret::copy_of(as_view(passphrase)), cheap, clock.now);
    }

    HandClock clock;
    ScratchFolder scratch_;
    Home home;
    Node node;
};

Result<SignInRequest> take(std::string_view text) {
    Buffer body(text.begin(), text.end());
    return take_sign_in_request(body);
}

}  // namespace

TEST_CASE("the right passphrase signs a person in, with their roles", "[people]") {
    SignInHome trust;
    const auto ada = trust.add("Ada", "right");
    const auto who = trust.check("Ada", "right");
    REQUIRE(who);
    CHECK(who->name == "Ada");
    CHECK(who->person == ada.person);
    CHECK(who->roles == std::vector{Role::Operator});
    CHECK(still_signed_in(trust.home, ada.person, trust.clock.now));
    struct stat about {};
    const std::string copy = trust.home.people + "/" + ada.person.hex() + "/sign-in.key";
    REQUIRE(::stat(copy.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("an unknown, a disabled and a copyless person are refused like a wrong passphrase",
          "[people]") {
    SignInHome trust;
    trust.add("Ada", "right");
    const auto ben = trust.add("Ben", "right");
    REQUIRE(disable_person(trust.home, trust.node.vault->roster(), trust.node.keys.office, "Ben",
                           trust.clock));
    const auto cy = trust.add("Cy", "right");
    REQUIRE(forget_sign_in(trust.home, cy));
    const auto wrong = trust.check("Ada", "wrong");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == Errc::Denied);
    for (const char* name : {"Nobody", "Ben", "Cy", ""}) {
        const auto refused = trust.check(name, "right");
        INFO(name);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == wrong.error().code);
        CHECK(refused.error().message == wrong.error().message);
    }
    CHECK_FALSE(still_signed_in(trust.home, ben.person, trust.clock.now));
}

TEST_CASE("an ended certificate is told to who knows the passphrase, and to nobody else",
          "[people]") {
    SignInHome trust;
    const auto ada = trust.add("Ada", "right");
    trust.clock.now += certificate_valid_ms;
    CHECK(trust.check("Ada", "right").error().message.find("renew") != std::string::npos);
    CHECK(trust.check("Ada", "wrong").error().message.find("renew") == std::string::npos);
    CHECK_FALSE(still_signed_in(trust.home, ada.person, trust.clock.now));
}

TEST_CASE("a copy is kept only of the key that the person is certified with", "[people]") {
    SignInHome trust;
    const auto ada = trust.add("Ada", "right");
    const auto other = vault::SigningKey::make(vault::system_random());
    CHECK(keep_sign_in(trust.home, ada, trust.lock(other, "Ada", "mine")).error().code ==
          Errc::Invalid);
    CHECK(trust.check("Ada", "right"));
    // A copy that was swapped on disk is no way in either.
    const auto forged = vault::locked_key_text(trust.lock(other, "Ada", "mine"));
    REQUIRE(write_file_durably(trust.home.people + "/" + ada.person.hex() + "/sign-in.key",
                               as_view(forged)));
    CHECK_FALSE(trust.check("Ada", "mine"));
}

TEST_CASE("a stranger costs the work of a wrong passphrase", "[people]") {
    SignInHome trust;
    trust.add("Ada", "right");
    // A cost that cannot be paid shows that it is paid: the refusal is then another one.
    const vault::PasswordCost unpayable{1, vault::password_memory_max + 1, {}};
    const auto refused = check_sign_in(trust.home, "Nobody", Secret::copy_of(as_view("x")),
                                       unpayable, trust.clock.now);
    REQUIRE_FALSE(refused);
    CHECK(check_sign_in(trust.home, "Ada", Secret::copy_of(as_view("right")), unpayable,
                        trust.clock.now));
}

TEST_CASE("the pause after wrong passphrases doubles up to a minute, for one name", "[people]") {
    HandClock clock;
    SignInLimits limits(clock);
    for (unsigned i = 0; i < free_tries; ++i) CHECK(limits.begin("Ada") == 0);
    std::int64_t expected = 1000;
    for (int i = 0; i < 8; ++i) {
        CHECK(limits.begin("Ada") == expected);
        CHECK(limits.begin("Ben") == 0);
        limits.succeeded("Ben");
        clock.now += expected - 1;
        CHECK(limits.begin("Ada") == 1);
        clock.now += 1;
        CHECK(limits.begin("Ada") == 0);
        expected = std::min(2 * expected, name_pause_ms_max);
    }
    limits.succeeded("Ada");
    CHECK(limits.begin("Ada") == 0);
}

TEST_CASE("tries side by side count before any of them is answered", "[people]") {
    HandClock clock;
    SignInLimits limits(clock);
    int let_in = 0;
    for (int i = 0; i < 50; ++i) let_in += limits.begin("Ada") == 0 ? 1 : 0;
    CHECK(let_in == free_tries);
}

TEST_CASE("guessing over many names is slowed as a whole", "[people]") {
    HandClock clock;
    SignInLimits limits(clock);
    int let_in = 0;
    for (int i = 0; i < 500; ++i) let_in += limits.begin("name " + std::to_string(i)) == 0 ? 1 : 0;
    CHECK(let_in == tries_max);
    CHECK(limits.begin("Ada") == try_leak_ms);
    clock.now += try_leak_ms;
    CHECK(limits.begin("Ada") == 0);
    limits.succeeded("Ada");
    CHECK(limits.begin("Ada") == 0);
}

TEST_CASE("a name that was left alone for an hour starts anew", "[people]") {
    HandClock clock;
    SignInLimits limits(clock);
    for (unsigned i = 0; i < free_tries; ++i) CHECK(limits.begin("Ada") == 0);
    clock.now += name_forgotten_ms;
    for (unsigned i = 0; i < free_tries; ++i) CHECK(limits.begin("Ada") == 0);
    CHECK(limits.begin("Ada") != 0);
}

TEST_CASE("a sign-in request is read with JSON's escapes", "[people]") {
    const auto one =
        take(" {\"passphrase\" : \"a\\\"\\\\\\/\\n\\u00e9\\ud83d\\ude00\", \"name\":\"Ada\"} \n");
    REQUIRE(one);
    CHECK(one->name == "Ada");
    CHECK(as_text(one->passphrase.view()) == "a\"\\/\n\xc3\xa9\xf0\x9f\x98\x80");
}

TEST_CASE("what is no sign-in request is refused, wiped and not told", "[people]") {
    for (const char* text :
         {"", "{", "[]", R"({"name":"A"})", R"({"name":"A","passphrase":5})",
          R"({"name":"A","passphrase":"secret"}x)", R"({"name":"A","passphrase":"secret)",
          R"({"name":"A","passphrase":"\ud83d"})", R"({"name":"A","passphrase":"\ude00"})",
          R"({"name":"A","passphrase":"\x"})", R"({"name":"A","passphrase":"secret","more":"x"})",
          R"({"name":"A","passphrase":""})"}) {
        Buffer body(std::string_view(text).begin(), std::string_view(text).end());
        const std::uint8_t* const memory = body.data();
        const std::size_t size = body.size();
        const auto refused = take_sign_in_request(body);
        INFO(text);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().message.find("secret") == std::string::npos);
        CHECK(body.empty());
        CHECK(std::all_of(memory, memory + size, [](std::uint8_t b) { return b == 0; }));
    }
    CHECK_FALSE(take("{\"name\":\"A\",\"passphrase\":\"" +
                     std::string(sign_in_passphrase_bytes_max + 1, 'x') + "\"}"));
    CHECK_FALSE(take("{\"name\":\"" + std::string(sign_in_name_bytes_max + 1, 'x') +
                     "\",\"passphrase\":\"x\"}"));
}
