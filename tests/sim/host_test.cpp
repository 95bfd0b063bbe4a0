// What a host stores for an owner, with a fault at each of its calls and a cut after each of its
// changes: it is a complete older state of the owner's vault at every moment.
#include "agent/config/node_settings.h"
#include "replicator/tenancy/refusal.h"
#include "replicator/tenancy/tenancy.h"
#include "tests/sim/trial.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/standing.h"
#include "vault/pack/pack_writer.h"
#include "vault/vault_reader.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <iostream>

using namespace holdfast;
using namespace holdfast::sim;
using replicator::Tenancy;

namespace {

namespace fs = std::filesystem;

constexpr replicator::Terms wide{1, 1ULL << 40, 1'000'000, 1ULL << 40};
constexpr int list_passes_max = 40;

/// A host of which only the tenancy's files are there, and the owner's vault beside it.
class Host {
public:
    explicit Host(const Lab& owner) : lab_(2) {
        fs::create_directory(lab_.folder());
        take(owner);
        const auto roster = vault::parse_roster(rosters().front());
        REQUIRE(roster);
        owner_ = roster->trust;
    }

    /// The owner's vault as it is now is what is to be brought.
    void take(const Lab& owner) {
        fs::remove_all(from());
        fs::copy(owner.folder() + "/vault", from(), fs::copy_options::recursive);
    }

    const Lab& lab() const { return lab_; }

    Result<void> bring() {
        auto tenancy = HF_TRY(open());
        const auto store = HF_TRY(vault::PosixStore::open(from()));
        for (const char* folder : {"domain/", "epoch/", "pack/"}) {
            HF_TRY(store.list(folder, [&](const std::string& name) -> Result<void> {
                return put(*tenancy, store, name);
            }));
        }
        HF_TRY(bring_lists(*tenancy, store));
        return store.list("ledger/", [&](const std::string& name) -> Result<void> {
            return put(*tenancy, store, name);
        });
    }

    /// A complete older state, or none yet.
    Problems check() {
        Problems problems;
        Lab::need(open(), "open the tenancy", problems);
        auto store = vault::PosixStore::open(vault_folder());
        Lab::need(store, "open what is kept", problems);
        if (!store) return problems;
        const auto roster = vault::read_roster(*store, owner_);
        Lab::need(roster, "roster", problems);
        if (!roster) return problems;
        vault::Ledger ledger(*store, *roster);
        Lab::need(ledger.refresh(), "ledger", problems);
        for (const auto& [chain, error] : ledger.broken()) problems.push_back(error.message);
        vault::Standing standing;
        standing.refresh(ledger);
        for (const ListId& id : standing.live_lists(ledger)) {
            const auto list = ledger.list(id);
            Lab::need(list, "list " + id.brief(), problems);
            if (!list) continue;
            for (const PackId& pack : list->packs) {
                const auto file = store->get_all(vault::pack_name(pack), vault::pack_bytes_max);
                Lab::need(file, "pack " + pack.brief(), problems);
                if (file && vault::pack_id_of(*file) != pack) {
                    problems.push_back("pack " + pack.brief() + " is damaged");
                }
            }
        }
        return problems;
    }

    /// All of it is here, byte for byte, and nothing half.
    Problems check_whole() {
        Problems problems = check();
        for (const auto& item : fs::recursive_directory_iterator(from())) {
            if (!item.is_regular_file()) continue;
            const std::string name = fs::relative(item.path(), from());
            const auto ours = read_file(vault_folder() + "/" + name, vault::object_bytes_max);
            const auto theirs = read_file(item.path(), vault::object_bytes_max);
            Lab::need(ours, name, problems);
            if (ours && theirs && *ours != *theirs) problems.push_back(name + " is another");
        }
        for (const auto& item : fs::directory_iterator(lab_.folder() + "/tenancy/incoming")) {
            problems.push_back(item.path().string() + " was left behind");
        }
        const Problems half = lab_.half_written();
        problems.insert(problems.end(), half.begin(), half.end());
        return problems;
    }

    std::string from() const { return lab_.beside("owner"); }
    std::string vault_folder() const { return Tenancy::vault_folder(lab_.folder() + "/tenancy"); }

private:
    std::vector<Buffer> rosters() const {
        std::vector<Buffer> out;
        const auto store = vault::PosixStore::open(from());
        REQUIRE(store);
        REQUIRE(store->list("roster/", [&](const std::string& name) -> Result<void> {
            out.push_back(HF_TRY(store->get_all(name, vault::record_bytes_max)));
            return {};
        }));
        return out;
    }

    Result<std::unique_ptr<Tenancy>> open() {
        auto tenancy =
            std::make_unique<Tenancy>(lab_.folder() + "/tenancy", owner_, TrustId{}, lab_.clock);
        HF_TRY(tenancy->load(rosters(), {}));
        return tenancy;
    }

    static Result<void> put(Tenancy& tenancy, const vault::PosixStore& store,
                            const std::string& name) {
        const Buffer object = HF_TRY(store.get_all(name, vault::object_bytes_max));
        if (!name.starts_with("pack/")) {
            HF_TRY(tenancy.put(name, object, wide));
            return {};
        }
        const PackId id{HF_TRY(vault::id_in_name(name)).digest};
        auto upload = HF_TRY(tenancy.start_pack(id, object.size(), wide));
        if (!upload) return {};
        HF_TRY(upload->add(object));
        HF_TRY(upload->finish());
        HF_TRY(tenancy.put_pack(std::move(*upload), wide));
        return {};
    }

    /// A list comes behind its base, whatever their names.
    static Result<void> bring_lists(Tenancy& tenancy, const vault::PosixStore& store) {
        for (int pass = 0; pass < list_passes_max; ++pass) {
            bool again = false;
            HF_TRY(store.list("list/", [&](const std::string& name) -> Result<void> {
                auto done = put(tenancy, store, name);
                const bool early =
                    !done && replicator::is_refusal(done.error(), replicator::Refusal::BaseMissing);
                again = again || early;
                return early ? Result<void>() : done;
            }));
            if (!again) return {};
        }
        return Error{Errc::Corrupt, "lists whose bases never come"};
    }

    Lab lab_;
    TrustId owner_;
};

void try_all(Host& host, const std::string& name) {
    const Step step{name, [&] { return host.bring(); }, [&] { return host.check(); },
                    [&] { return host.check_whole(); }};
    for (const auto& [what, outcome] : {std::pair("faults", try_faults(host.lab(), step)),
                                        std::pair("cuts", try_cuts(host.lab(), step, 1))}) {
        std::cout << name << ", " << what << ": " << outcome.counts.faults << " faults, "
                  << outcome.counts.cuts << " cuts\n";
        for (const std::string& one : outcome.problems) UNSCOPED_INFO(one);
        INFO(what);
        CHECK(outcome.problems.empty());
        CHECK(outcome.counts.faults + outcome.counts.cuts > 5);
    }
}

void snapshot(Lab& owner, unsigned version) {
    owner.set_files(sample_files(version));
    REQUIRE(owner.snapshot());
}

}  // namespace

TEST_CASE("a host takes an owner's vault", "[sim]") {
    Lab owner(1);
    REQUIRE(owner.init());
    snapshot(owner, 1);
    snapshot(owner, 2);
    Host host(owner);
    try_all(host, "host, all");
}

TEST_CASE("a host takes the next snapshot", "[sim]") {
    Lab owner(1);
    REQUIRE(owner.init());
    snapshot(owner, 1);
    Host host(owner);
    REQUIRE(host.bring());
    snapshot(owner, 2);
    host.take(owner);
    try_all(host, "host, next snapshot");
}

TEST_CASE("what a host has taken lasts", "[sim]") {
    Lab owner(1);
    REQUIRE(owner.init());
    snapshot(owner, 1);
    Host host(owner);
    std::vector<Change> changes;
    {
        Calls calls(host.lab().folder());
        REQUIRE(host.bring());
        changes = calls.changes();
    }
    Disk disk;
    for (const Change& change : changes) disk.apply(change);
    std::mt19937_64 random(1);
    put_in_place(disk.after_cut(Left::Nothing, random), host.lab());
    const Problems problems = host.check_whole();
    for (const std::string& one : problems) UNSCOPED_INFO(one);
    CHECK(problems.empty());
}
