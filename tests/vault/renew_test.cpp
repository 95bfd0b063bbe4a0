#include "vault/renew.h"
#include "tests/vault/test_vault.h"
#include "vault/keys/seal.h"

#include <set>

using namespace holdfast;
using namespace holdfast::vault;
using test::random_bytes;
using test::TestVault;

namespace {

/// A renewal as the agent steers it, with keys of its own.
struct NextKey {
    BoxKey recovery = BoxKey::make(system_random());
    UnderRecovery under{recovery.public_key, make_seal(system_random())};
};

Result<Renewed> wrap_for(const TestVault& made, Vault& vault, const NextKey& next) {
    const auto lock = vault.lock_keys();
    REQUIRE(lock);
    return renew_keys(vault, made.trust().recovery, next.under, made.clock.wall, system_random());
}

void put_in_force(const TestVault& made, Vault& vault, const NextKey& next) {
    Roster roster = next_roster(vault.roster(), made.clock.wall);
    roster.recovery_key = next.under.key;
    roster.seal = next.under.seal;
    const auto object = sign_roster(roster, made.trust().first);
    REQUIRE(object);
    REQUIRE(vault.store().put(roster_name(roster.number), *object));
}

std::set<std::string> names(Vault& vault, const std::string& folder) {
    std::set<std::string> out;
    REQUIRE(vault.store().list(folder, [&](const std::string& name) {
        out.insert(name);
        return Result<void>();
    }));
    return out;
}

std::string snapshot_text(Vault& vault, const SnapshotRecord& record) {
    const auto manifest = vault.reader().manifest(record);
    return manifest ? "read" : manifest.error().message;
}

}  // namespace

TEST_CASE("under a new recovery key everything opens, and the packs are the same", "[renew]") {
    TestVault made;
    const NextKey next;
    SnapshotRecord before;
    std::set<std::string> packs;
    {
        const auto vault = made.open();
        before = made.snapshot(*vault, {{"a", random_bytes(100'000, 1)}});
        packs = names(*vault, "pack/");
        const auto renewed = wrap_for(made, *vault, next);
        REQUIRE(renewed);
        CHECK(renewed->domains == names(*vault, "domain/").size() / 2);
        CHECK(renewed->epochs == names(*vault, "epoch/").size() / 2);
        put_in_force(made, *vault, next);
    }
    const auto vault = made.open();
    CHECK(names(*vault, "pack/") == packs);
    CHECK(snapshot_text(*vault, before) == "read");
    CHECK(made.verify(*vault).damage.empty());
    for (const auto& [id, domain] : vault->domains()) {
        CHECK(domain.record.seal == next.under.seal);
        CHECK(open_domain(domain.record, next.recovery));
        CHECK_FALSE(open_domain(domain.record, made.trust().recovery));
    }
    REQUIRE(remove_other_seals(*vault));
    for (const char* folder : {"domain/", "epoch/"}) {
        for (const std::string& name : names(*vault, folder)) {
            CHECK(sealed_name(name)->seal == next.under.seal);
        }
    }
    const auto again = made.open();
    CHECK(made.verify(*again).damage.empty());
    made.snapshot(*again, {{"a", random_bytes(100'000, 1)}, {"b", "new"}});
    CHECK(made.verify(*again).damage.empty());
}

TEST_CASE("nothing counts before a roster names the seal, and a second run does what is missing",
          "[renew]") {
    TestVault made;
    const NextKey next;
    const auto vault = made.open();
    const SnapshotRecord first = made.snapshot(*vault, {{"a", "one"}});
    REQUIRE(wrap_for(made, *vault, next));
    // As it was, and what is written is under the old seal.
    made.clock.wall += 25LL * 3600 * 1000;
    made.snapshot(*vault, {{"a", "two"}});
    const auto reopened = made.open();
    CHECK(made.verify(*reopened).damage.empty());
    CHECK(reopened->domains().begin()->second.record.seal.empty());
    const auto more = wrap_for(made, *vault, next);
    REQUIRE(more);
    CHECK(more->domains == 0);
    CHECK(more->epochs == 1);
    const auto none = wrap_for(made, *vault, next);
    REQUIRE(none);
    CHECK(none->epochs == 0);
    // Not in force: these are the other seal's, and all of the first are there.
    CHECK(*has_other_seals(*vault));
    REQUIRE(remove_other_seals(*vault));
    CHECK(made.verify(*made.open()).damage.empty());
    CHECK(snapshot_text(*made.open(), first) == "read");
}

TEST_CASE("a process that was there before writes under the seal in force", "[renew]") {
    TestVault made;
    const NextKey next;
    const auto longest = made.open();
    made.snapshot(*longest, {{"a", "one"}});
    {
        const auto vault = made.open();
        REQUIRE(wrap_for(made, *vault, next));
        put_in_force(made, *vault, next);
    }
    {
        const auto vault = made.open();
        REQUIRE(remove_other_seals(*vault));
    }
    made.clock.wall += 25LL * 3600 * 1000;
    made.snapshot(*longest, {{"a", "two"}});
    const auto made_domain = longest->need_domain("another", OpeningKeys::Locked);
    REQUIRE(made_domain);
    CHECK((*made_domain)->record.seal == next.under.seal);
    for (const std::string& name : names(*longest, "epoch/")) {
        CHECK(sealed_name(name)->seal == next.under.seal);
    }
    const auto vault = made.open();
    CHECK(made.verify(*vault).damage.empty());
    for (const auto& [id, domain] : vault->domains()) {
        CHECK(open_domain(domain.record, next.recovery));
    }
}

TEST_CASE("keys are not renewed while somebody writes, nor with another key", "[renew]") {
    TestVault made;
    const NextKey next;
    const auto vault = made.open();
    made.snapshot(*vault, {{"a", "one"}});
    {
        const auto writing = vault->begin_writing("share", OpeningKeys::Node);
        REQUIRE(writing);
        const auto other = made.open();
        const auto lock = other->lock_keys();
        REQUIRE_FALSE(lock);
        CHECK(lock.error().code == Errc::Conflict);
    }
    const auto lock = vault->lock_keys();
    REQUIRE(lock);
    const auto refused =
        renew_keys(*vault, next.recovery, next.under, made.clock.wall, system_random());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Denied);
    CHECK_FALSE(*has_other_seals(*vault));
}

TEST_CASE("what is missing under the seal in force keeps all of the others", "[renew]") {
    TestVault made;
    const NextKey next;
    {
        const auto vault = made.open();
        made.snapshot(*vault, {{"a", "one"}});
        REQUIRE(wrap_for(made, *vault, next));
        put_in_force(made, *vault, next);
    }
    const auto vault = made.open();
    std::string in_force;
    for (const std::string& name : names(*vault, "epoch/")) {
        if (!sealed_name(name)->seal.empty()) in_force = name;
    }
    const auto kept = vault->store().get_all(in_force, epoch_object_max);
    REQUIRE(kept);
    REQUIRE(vault->store().remove(in_force));
    const auto before = names(*vault, "domain/");
    const auto refused = remove_other_seals(*vault);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Corrupt);
    CHECK(names(*vault, "domain/") == before);
    REQUIRE(vault->store().put(in_force, *kept));
    REQUIRE(remove_other_seals(*vault));
}

TEST_CASE("a record under another seal's name does not count", "[renew]") {
    TestVault made;
    const auto vault = made.open();
    made.snapshot(*vault, {{"a", "one"}});
    const NextKey next;
    REQUIRE(wrap_for(made, *vault, next));
    put_in_force(made, *vault, next);
    // The first record, under the name of the renewed one.
    const DomainId id = vault->domains().begin()->first;
    const auto first = vault->store().get_all(domain_name(id), record_bytes_max);
    REQUIRE(first);
    REQUIRE(vault->store().replace(domain_name(id, next.under.seal), *first));
    std::vector<Damage> damaged;
    const auto roster = read_roster(vault->store(), made.trust().id);
    REQUIRE(roster);
    const auto records = read_domains(vault->store(), *roster, damaged);
    REQUIRE(records);
    REQUIRE(damaged.size() == 1);
    CHECK(damaged[0].object == domain_name(id, next.under.seal));
    CHECK(damaged[0].what.find("another seal") != std::string::npos);
}

TEST_CASE("names of seals are read as they are written", "[renew]") {
    const EpochId id = system_random().id<EpochId>();
    const std::string seal = make_seal(system_random());
    CHECK(is_seal(seal));
    for (const char* none : {"", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeG"}) {
        CHECK_FALSE(is_seal(none));
    }
    CHECK(sealed_name(epoch_name(id))->seal.empty());
    CHECK(sealed_name(epoch_name(id, seal))->seal == seal);
    CHECK(sealed_name(epoch_name(id, seal))->id.digest == id.digest);
    CHECK_FALSE(sealed_name(epoch_name(id) + "-"));
    CHECK_FALSE(sealed_name(epoch_name(id) + "-short"));
    CHECK_FALSE(sealed_name("epoch/x-" + seal));
}
