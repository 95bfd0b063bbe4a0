#include "agent/people/people_book.h"

#include "agent/node/init.h"
#include "agent/node/node.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::agent;
using holdfast::test::ScratchFolder;
using vault::Role;

namespace {

class FixedClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return now; }
    std::int64_t steady_ns() const override { return now * 1'000'000; }
    std::int64_t now = 1'790'000'000'000;
};

class PeopleHome {
public:
    PeopleHome() : home(Home::at(scratch_.path() + "/home")) {
        InitSettings settings;
        settings.trust_name = "T";
        settings.passphrase = vault::Secret::copy_of(as_view("p"));
        settings.kit_memory_bytes = 8192;
        REQUIRE(init_node(home, std::move(settings), clock, vault::system_random()));
        auto opened = open_node(home);
        REQUIRE(opened);
        node = std::move(*opened);
    }
    Result<vault::PersonCertificate> add(const std::string& name, std::vector<Role> roles) {
        const auto key = vault::SigningKey::make(vault::system_random());
        return add_person(home, node.vault->roster(), node.keys.office,
                          {name, std::move(roles), key.public_key}, clock, vault::system_random());
    }
    PeopleBook book() {
        auto loaded = PeopleBook::load(home, node.vault->roster());
        INFO((loaded ? "" : loaded.error().message));
        REQUIRE(loaded);
        return std::move(*loaded);
    }

    FixedClock clock;
    ScratchFolder scratch_;
    Home home;
    Node node;
};

}  // namespace

TEST_CASE("founders can approve at once, later persons after a day", "[people]") {
    PeopleHome trust;
    const auto ada = trust.add("Ada", {Role::Approver});
    REQUIRE(ada);
    CHECK(trust.book().people().may(ada->key, Role::Approver, trust.clock.now));
    trust.clock.now += 1000;
    REQUIRE(end_founding(trust.home, trust.clock.now));
    trust.clock.now += 1000;
    REQUIRE(end_founding(trust.home, trust.clock.now));  // Changes nothing.
    const auto ben = trust.add("Ben", {Role::Approver});
    REQUIRE(ben);
    const PeopleBook book = trust.book();
    CHECK(book.people().may(ada->key, Role::Approver, trust.clock.now));
    CHECK_FALSE(book.people().may(ben->key, Role::Approver, trust.clock.now));
    CHECK(
        book.people().may(ben->key, Role::Approver, trust.clock.now + vault::approval_wait_ms + 1));
}

TEST_CASE("a disabled person may nothing", "[people]") {
    PeopleHome trust;
    const auto ada = trust.add("Ada", {Role::Approver, Role::Operator});
    REQUIRE(ada);
    REQUIRE(disable_person(trust.home, trust.node.vault->roster(), trust.node.keys.office, "Ada",
                           trust.clock));
    CHECK_FALSE(trust.book().people().may(ada->key, Role::Operator, trust.clock.now));
    CHECK_FALSE(disable_person(trust.home, trust.node.vault->roster(), trust.node.keys.office,
                               "Ada", trust.clock));
}

TEST_CASE("a name belongs to one person", "[people]") {
    PeopleHome trust;
    REQUIRE(trust.add("Ada", {Role::Viewer}));
    const auto again = trust.add("Ada", {Role::Viewer});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == Errc::Conflict);
    CHECK_FALSE(trust.book().named("Eve"));
}

TEST_CASE("a certificate that was altered is named, not passed over", "[people]") {
    PeopleHome trust;
    const auto ada = trust.add("Ada", {Role::Viewer});
    REQUIRE(ada);
    const std::string folder = trust.home.people + "/" + ada->person.hex();
    const std::string path = folder + "/1-" + std::to_string(trust.clock.now) + ".person";
    auto object = read_file(path, 1 << 20);
    REQUIRE(object);
    (*object)[100] ^= 1;
    REQUIRE(write_file_durably(path, *object));
    const auto loaded = PeopleBook::load(trust.home, trust.node.vault->roster());
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.find(path) != std::string::npos);
}

TEST_CASE("a partner's persons come from its papers", "[people]") {
    PeopleHome trust;
    const auto ada = trust.add("Ada", {Role::Approver});
    REQUIRE(ada);
    const std::string papers = trust.scratch_ / "papers";
    REQUIRE(make_folders(papers));
    const auto records = person_records(trust.home);
    REQUIRE(records);
    REQUIRE(records->size() == 1);
    REQUIRE(write_file_durably(papers + "/a", records->front()));
    REQUIRE(write_file_durably(papers + "/b", as_view("no certificate")));
    const auto book = PeopleBook::load_papers(papers, trust.node.vault->roster());
    REQUIRE(book);
    CHECK(book->all().size() == 1);
}
