#include "tests/sim/lab.h"

#include "agent/backup/backup.h"
#include "agent/browse/content.h"
#include "agent/browse/snapshot_trees.h"
#include "agent/config/node_settings.h"
#include "agent/node/init.h"
#include "agent/node/node_keys.h"
#include "agent/people/renew_recovery.h"
#include "agent/restore/restore.h"
#include "vault/base/file.h"
#include "vault/base/temporary.h"
#include "vault/keys/kit.h"
#include "vault/ledger/list.h"
#include "vault/pack/pack_writer.h"
#include "vault/prune/carry_over.h"
#include "vault/prune/erase.h"
#include "vault/prune/repack.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace holdfast::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view lab_passphrase = "a lab's passphrase";
constexpr unsigned repair_rounds_max = 8;
constexpr std::chrono::hours old_enough{48};

vault::RepairSource copy_at(const std::string& folder) {
    vault::RepairSource source;
    source.name = "copy";
    source.object = [folder](const std::string& name, std::uint64_t bytes_max) -> Result<Buffer> {
        return HF_TRY(vault::PosixStore::open(folder)).get_all(name, bytes_max);
    };
    source.leaf = [folder](const PackId& pack, std::uint64_t leaf) -> Result<vault::ProvenLeaf> {
        const auto store = HF_TRY(vault::PosixStore::open(folder));
        const Buffer file = HF_TRY(store.get_all(vault::pack_name(pack), vault::pack_bytes_max));
        const auto leaves = vault::merkle_leaves_of_file(file);
        if (leaf >= leaves.size()) return Error{Errc::Corrupt, "it has no such leaf"};
        const std::uint64_t at = leaf * vault::merkle_leaf_bytes;
        const View bytes = View(file).subspan(
            at, std::min<std::size_t>(vault::merkle_leaf_bytes, file.size() - at));
        return vault::ProvenLeaf{file.size(), Buffer(bytes.begin(), bytes.end()),
                                 vault::prove_range(leaves, leaf, 1)};
    };
    return source;
}

}  // namespace

Files sample_files(unsigned version) {
    Files files;
    files["ward/allergies.txt"] = "penicillin " + std::string(3000, 'p') + std::to_string(version);
    files["ward/notes.txt"] = test::random_bytes(5000, version);
    files["images/old.dcm"] = test::random_bytes(90'000, 1);
    files["images/new.dcm"] = test::random_bytes(60'000, 100 + version);
    files["empty"] = "";
    return files;
}

Lab::Lab(std::uint64_t seed) : home_(agent::Home::at(folder())), random_(seed) {
    scratch_.folder("source");
    system_.name = "share";
    system_.title = "Share";
    system_.sources.push_back(
        {"files", agent::FilesSourceSettings{scratch_ / "source", {}, false}});
    system_.text = "name = \"share\"\n";
    set_files(sample_files(0));
}

Result<void> Lab::init() {
    agent::InitSettings settings;
    settings.trust_name = "Northvale";
    settings.kit_memory_bytes = 8 << 10;
    settings.passphrase = vault::Secret::copy_of(as_view(lab_passphrase));
    HF_TRY(agent::init_node(home_, std::move(settings), clock, random_));
    return {};
}

void Lab::set_files(const Files& files) {
    const std::string root = scratch_ / "source";
    std::error_code failed;
    for (const auto& item : fs::directory_iterator(root)) fs::remove_all(item.path(), failed);
    HF_ASSERT(!failed);
    for (const auto& [path, content] : files) {
        fs::create_directories(fs::path(root + "/" + path).parent_path(), failed);
        HF_ASSERT(!failed);
        scratch_.file("source/" + path, content);
    }
    files_ = files;
}

Result<std::unique_ptr<vault::Vault>> Lab::open_vault() const {
    const agent::NodeSettings settings = HF_TRY(agent::load_node(home_));
    const agent::AgentKeys keys = HF_TRY(agent::read_agent_keys(home_.keys));
    return vault::Vault::open({home_.vault, home_.state, home_.keys}, keys.for_vault(),
                              settings.trust, clock, random_);
}

Result<void> Lab::open() const {
    HF_TRY(open_vault());
    return {};
}

Result<std::set<SnapshotId>> Lab::snapshots() const {
    const auto vault = HF_TRY(open_vault());
    std::set<SnapshotId> ids;
    for (const vault::SnapshotRecord& record : vault->reader().snapshots()) ids.insert(record.id);
    return ids;
}

Result<vault::SnapshotRecord> Lab::snapshot() {
    clock.wall += 1000;
    const auto vault = HF_TRY(open_vault());
    system_.opening_keys = locked ? agent::OpeningKeys::Locked : agent::OpeningKeys::Node;
    auto result = HF_TRY(agent::take_snapshot(*vault, system_, clock, {}));
    if (!result.warnings.empty()) {
        const vault::SnapshotWarning& first = result.warnings.front();
        return Error{Errc::Invalid, "a warning: " + first.path + ": " + first.what};
    }
    return std::move(result.record);
}

Result<void> Lab::forget(const std::vector<SnapshotId>& snapshots) {
    return HF_TRY(open_vault())->forget(snapshots);
}

Result<void> Lab::erase() {
    const auto vault = HF_TRY(open_vault());
    HF_TRY(vault::erase_unneeded(*vault, {}));
    return {};
}

Result<void> Lab::repack() {
    const auto vault = HF_TRY(open_vault());
    vault::RepackSettings settings;
    settings.unused_percent_max = 0;
    const auto report = HF_TRY(vault::repack(*vault, settings));
    if (report.damage.empty()) return {};
    return Error{Errc::Io, report.damage.front().object + ": " + report.damage.front().what};
}

Result<void> Lab::carry_over() {
    const auto vault = HF_TRY(open_vault());
    vault::CarrySettings settings;
    settings.entries_min = 1;
    HF_TRY(vault::carry_ledger_over(*vault, settings));
    return {};
}

namespace {

struct OpenedKit {
    vault::Kit kit;
    vault::KitSecrets secrets;
};

Result<OpenedKit> open_kit_in(const std::string& folder) {
    const Buffer text = HF_TRY(read_file(folder + "/recovery-kit.json", vault::kit_bytes_max));
    vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)));
    auto secrets = HF_TRY(vault::open_kit(kit, vault::Secret::copy_of(as_view(lab_passphrase))));
    return OpenedKit{std::move(kit), std::move(secrets)};
}

/// With the recovery key alone, as a recovery would. Errors: Corrupt (it does not open all).
Result<void> open_all(const vault::Store& store, const vault::Roster& roster,
                      const vault::BoxKey& recovery) {
    std::vector<vault::Damage> damaged;
    std::map<DomainId, vault::DomainKeys> domains;
    for (const auto& record : HF_TRY(vault::read_domains(store, roster, damaged))) {
        domains.emplace(record.id, HF_TRY(vault::open_domain(record, recovery)));
    }
    if (!damaged.empty()) return Error{Errc::Corrupt, damaged.front().what};
    return store.list("epoch/", [&](const std::string& name) -> Result<void> {
        const auto sealed = HF_TRY(vault::sealed_name(name));
        if (sealed.seal != roster.seal) return {};
        const EpochId id{sealed.id.digest};
        const Buffer object = HF_TRY(store.get_all(name, vault::epoch_object_max));
        const auto info = HF_TRY(vault::parse_epoch(object, id));
        const auto domain = domains.find(info.domain);
        if (domain == domains.end()) return Error{Errc::Corrupt, name + " has no domain"};
        const auto epoch = HF_TRY(vault::open_epoch(info, &domain->second.opening, nullptr));
        if (!epoch.content.empty() && !epoch.map.empty()) return {};
        return Error{Errc::Corrupt, name + " does not open"};
    });
}

}  // namespace

Result<void> Lab::renew() {
    const std::string out = folder() + "/new-kit";
    const bool begun = path_exists(home_.state + "/renewal.json");
    const bool done = !HF_TRY(open_vault())->roster().seal.empty();
    if (begun || !done) {
        // What was made before the renewal remembered it is nobody's.
        std::error_code failed;
        if (!begun) fs::remove_all(out, failed);
        if (failed) return Error{Errc::Io, "remove " + out + ": " + failed.message()};
        const OpenedKit old = HF_TRY(open_kit_in(home_.kit));
        agent::RenewSettings settings;
        settings.out = out;
        settings.passphrase = vault::Secret::copy_of(as_view(lab_passphrase));
        settings.bring = [] { return Result<void>(); };
        HF_TRY(agent::renew_recovery(home_, old.kit, old.secrets, std::move(settings), clock.wall,
                                     random_));
    }
    const auto vault = HF_TRY(open_vault());
    const Fd lock = HF_TRY(vault->lock_keys());
    return vault::remove_other_seals(*vault);
}

Problems Lab::check_kit() const {
    Problems problems;
    const auto vault = open_vault();
    need(vault, "open", problems);
    if (!vault) return problems;
    for (const std::string& kit_folder : {home_.kit, folder() + "/new-kit"}) {
        const auto kit = open_kit_in(kit_folder);
        if (!kit) continue;  // Not made yet, or half: then it is not the one in force.
        if (kit->secrets.recovery.public_key != (*vault)->roster().recovery_key) continue;
        need(open_all((*vault)->store(), (*vault)->roster(), kit->secrets.recovery),
             "the kit in force", problems);
        return problems;
    }
    problems.push_back("no kit has the recovery key in force");
    return problems;
}

Result<vault::VerifyReport> Lab::verify() {
    const auto vault = HF_TRY(open_vault());
    const auto presence = HF_TRY(vault->enter());
    return verify(*vault);
}

Result<vault::VerifyReport> Lab::verify(vault::Vault& vault) const {
    std::vector<std::unique_ptr<vault::Naming>> owned;
    std::map<DomainId, const vault::Naming*> namings;
    for (const auto& [id, domain] : vault.domains()) {
        if (!domain.naming) continue;
        owned.push_back(std::make_unique<vault::Naming>(*domain.naming));
        namings.emplace(id, owned.back().get());
    }
    vault::VerifySettings settings;
    settings.read_data = true;
    settings.namings = &namings;
    settings.clock = &clock;
    return vault::verify(vault.reader(), settings);
}

Result<vault::RepairReport> Lab::repair(const std::string& copy) {
    vault::RepairReport all;
    for (unsigned round = 0; round < repair_rounds_max; ++round) {
        const auto found = HF_TRY(verify());
        const auto vault = HF_TRY(open_vault());
        vault::RepairSettings settings;
        settings.sources = {copy_at(copy)};
        settings.quarantine = home_.state + "/quarantine";
        auto done = HF_TRY(vault::repair(*vault, found.damage, settings));
        all.mended.insert(all.mended.end(), done.mended.begin(), done.mended.end());
        all.left = std::move(done.left);
        if (done.mended.empty()) break;
    }
    return all;
}

Result<void> Lab::restore(const std::string& folder, agent::Overwrite overwrite) {
    const auto vault = HF_TRY(open_vault());
    const auto presence = HF_TRY(vault->enter());
    const auto record = HF_TRY(vault->reader().latest(system_.name));
    const auto trees = HF_TRY(agent::SnapshotTrees::open(vault->reader(), record));
    agent::RestoreSettings settings;
    settings.folder = folder;
    settings.overwrite = overwrite;
    settings.workers = 1;
    const auto facts = HF_TRY(agent::restore_tree(
        trees.sources().front().tree, [&] { return vault->reader().chunk_reader(); }, settings));
    if (facts.damaged_paths == 0) return {};
    return Error{Errc::Io, facts.damaged.front().path + ": " + facts.damaged.front().what};
}

Result<void> Lab::record_fact() {
    HF_TRY(HF_TRY(open_vault())->record_fact(R"({"type":"lab"})"));
    return {};
}

Result<Files> Lab::read(vault::Vault& vault, const vault::SnapshotRecord& record) const {
    const auto trees = HF_TRY(agent::SnapshotTrees::open(vault.reader(), record));
    const auto& tree = trees.sources().front().tree;
    Files files;
    std::vector<std::string> paths;
    HF_TRY(tree.walk([&](std::uint64_t, const vault::Item& item) -> Result<void> {
        if (item.entry.type == vault::FileType::Regular) paths.push_back(item.entry.path);
        return {};
    }));
    for (const std::string& path : paths) {
        std::string& content = files[path];
        HF_TRY(agent::pour_file(tree, trees.chunks(), path, [&](View bytes) -> Result<void> {
            content += as_text(bytes);
            return {};
        }));
    }
    return files;
}

Problems Lab::check(const Expect& expect) {
    Problems problems;
    const auto vault = open_vault();
    need(vault, "open", problems);
    if (vault) check(**vault, expect, problems);
    return problems;
}

Problems Lab::check_tidy(const Expect& expect) {
    Problems problems = half_written();
    const auto vault = open_vault();
    need(vault, "open", problems);
    if (vault) check(**vault, expect, problems);
    if (vault) find_unneeded(**vault, problems);
    return problems;
}

void Lab::check(vault::Vault& vault, const Expect& expect, Problems& problems) const {
    const auto presence = vault.enter();
    need(presence, "enter", problems);
    std::set<SnapshotId> seen;
    for (const vault::SnapshotRecord& record : vault.reader().snapshots()) {
        seen.insert(record.id);
        const Files* wanted = expect.coming ? &*expect.coming : nullptr;
        const auto there = expect.there.find(record.id);
        const auto leaving = expect.leaving.find(record.id);
        if (there != expect.there.end()) wanted = &there->second;
        if (leaving != expect.leaving.end()) wanted = &leaving->second;
        if (wanted == nullptr) {
            problems.push_back("snapshot " + record.id.brief() + " should not be there");
            continue;
        }
        if (locked) continue;  // Verify looks at all that can be seen without the key.
        const auto files = read(vault, record);
        need(files, "read snapshot " + record.id.brief(), problems);
        if (files && *files != *wanted) {
            problems.push_back("snapshot " + record.id.brief() + " holds other files");
        }
    }
    for (const auto& [id, files] : expect.there) {
        if (!seen.contains(id)) problems.push_back("snapshot " + id.brief() + " is lost");
    }
    const auto report = verify(vault);
    need(report, "verify", problems);
    if (!report) return;
    for (const vault::Damage& one : report->damage) {
        problems.push_back("verify: " + one.object + ": " + one.what);
    }
}

void Lab::find_unneeded(vault::Vault& vault, Problems& problems) const {
    std::set<std::string> needed;
    for (const vault::SnapshotRecord& record : vault.reader().snapshots()) {
        const auto packs = vault.reader().packs_of(record);
        need(packs, "list of " + record.id.brief(), problems);
        if (!packs) continue;
        for (const PackId& pack : *packs) needed.insert(vault::pack_name(pack));
    }
    const auto listed = vault.store().list("pack/", [&](const std::string& name) {
        if (needed.erase(name) == 0) problems.push_back(name + " is needed by nothing");
        return Result<void>{};
    });
    need(listed, "list packs", problems);
    for (const std::string& name : needed) problems.push_back(name + " is missing");
}

Problems Lab::half_written() const {
    Problems problems;
    for (const auto& item : fs::recursive_directory_iterator(folder())) {
        const std::string path = item.path();
        if (is_temporary(path)) problems.push_back(path + " was left behind");
    }
    return problems;
}

void Lab::age_temporaries() const {
    for (const auto& item : fs::recursive_directory_iterator(folder())) {
        if (!is_temporary(item.path().string())) continue;
        std::error_code failed;
        fs::last_write_time(item.path(), fs::file_time_type::clock::now() - old_enough, failed);
        HF_ASSERT(!failed);
    }
}

}  // namespace holdfast::sim
