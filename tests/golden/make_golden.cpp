// make_golden DIR [NAME…]: makes the golden vaults anew, with the program of today. Needs root.
//
// They were made once, by the program that first wrote format 1, and are committed: a later program
// must read them. Make them anew only beside a new version of the format; keep the old ones.
//
// node: opening_keys = "node"; two days, so two epochs; the tree of golden_tree.h and its change.
//
// locked: opening_keys = "locked"; roster 2 with another officer; a custody record, two of three;
// two sources; an index chunk; two chains, of which the second goes on from the first.
//
// carried: a chain that began anew twice; two snapshots stand, of which one is known from the carry
// alone, one was forgotten, and the entries before the first carry are gone.
//
// Each has vault/, kit.json, passphrase.txt, and for each snapshot expected/ID[.SOURCE].txt in the
// lines of description.h; `locked` has custodian-N.key (base64) too.
#include "agent/backup/backup.h"
#include "agent/backup/source_copy.h"
#include "agent/backup/tree_sink.h"
#include "agent/node/init.h"
#include "agent/node/node.h"
#include "agent/people/renew_recovery.h"
#include "tests/golden/description.h"
#include "tests/golden/golden_tree.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/crypto/base64.h"
#include "vault/keys/custody.h"
#include "vault/keys/kit.h"
#include "vault/prune/carry_over.h"
#include "vault/prune/erase.h"

#include <cstdio>
#include <filesystem>
#include <set>

using namespace holdfast;
using namespace holdfast::agent;
namespace fs = std::filesystem;

namespace {

constexpr const char* passphrase = "golden-vaults-are-public";
constexpr std::int64_t first_day_ms = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

class SetClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return wall; }
    std::int64_t steady_ns() const override { return wall * 1'000'000; }
    std::int64_t wall = first_day_ms;
};

/// A node in a folder that passes; what is golden of it is copied out at the end.
struct Maker {
    std::string scratch;
    Home home;
    SetClock clock;
    TrustId trust;
    AgentKeys keys;

    Result<void> begin(const std::string& trust_name) {
        home = Home::at(scratch + "/home");
        InitSettings settings;
        settings.trust_name = trust_name;
        settings.node_name = "golden-1";
        settings.passphrase = vault::Secret::copy_of(as_view(passphrase));
        settings.kit_memory_bytes = 8 << 20;
        trust = HF_TRY(init_node(home, std::move(settings), clock, vault::system_random())).trust;
        keys = HF_TRY(read_agent_keys(home.keys));
        return {};
    }
    Result<std::unique_ptr<vault::Vault>> open() {
        return vault::Vault::open({home.vault, home.state, home.keys}, keys.for_vault(), trust,
                                  clock, vault::system_random());
    }
    Result<vault::KitSecrets> kit_secrets() const {
        const Buffer text =
            HF_TRY(read_file(home.kit + "/recovery-kit.json", vault::kit_bytes_max));
        const vault::Kit kit = HF_TRY(vault::parse_kit(as_text(text)));
        return vault::open_kit(kit, vault::Secret::copy_of(as_view(passphrase)));
    }
};

Result<void> write_text(const std::string& path, const std::string& text) {
    HF_TRY(make_folders(path.substr(0, path.rfind('/')), 0755));
    return write_file_durably(path, as_view(text), 0644);
}

Result<void> expect(const std::string& golden, const std::string& snapshot,
                    const std::string& tree) {
    std::string text;
    for (const std::string& line : test::describe_tree(tree)) text += line + "\n";
    return write_text(golden + "/expected/" + snapshot + ".txt", text);
}

Result<void> keep(const Maker& maker, const std::string& golden, const std::string& kit) {
    fs::copy(maker.home.vault, golden + "/vault", fs::copy_options::recursive);
    fs::copy(kit + "/recovery-kit.json", golden + "/kit.json");
    return write_text(golden + "/passphrase.txt", std::string(passphrase) + "\n");
}
Result<void> keep(const Maker& maker, const std::string& golden) {
    return keep(maker, golden, maker.home.kit);
}

Result<SystemSettings> system_of(const std::string& name, const std::string& opening_keys,
                                 const std::vector<std::string>& folders) {
    std::string text =
        "name = \"" + name + "\"\ntitle = \"Golden\"\nopening_keys = \"" + opening_keys + "\"\n";
    for (const std::string& folder : folders) {
        text += "\n[[source]]\nname = \"" + folder.substr(folder.rfind('/') + 1) +
                "\"\nkind = \"files\"\npath = \"" + folder + "\"\n";
    }
    return parse_system(text, name + ".toml");
}

Result<void> make_node_vault(Maker& maker, const std::string& golden) {
    HF_TRY(maker.begin("Golden Node"));
    const std::string tree = maker.scratch + "/documents";
    test::make_golden_tree(tree);
    const SystemSettings system = HF_TRY(system_of("share", "node", {tree}));
    for (int day = 0; day < 2; ++day) {
        auto vault = HF_TRY(maker.open());
        if (day == 1) test::change_golden_tree(tree);
        const auto taken = HF_TRY(take_snapshot(*vault, system, maker.clock, {}));
        HF_TRY(expect(golden, taken.record.id.hex(), tree));
        maker.clock.wall += day_ms + 1000;
    }
    return keep(maker, golden);
}

/// take_snapshot(), with an index chunk for whatever has none.
Result<vault::SnapshotRecord> snapshot_with_index(vault::Vault& vault, const SystemSettings& system,
                                                  const Clock& clock) {
    const auto writing = HF_TRY(vault.begin_writing(system.name, vault::OpeningKeys::Locked));
    vault::SnapshotContext context = vault.context(writing, 1);
    context.uncovered_packs_max = 0;
    vault::SnapshotWriter writer(context);
    BackupProgress progress;
    vault::Manifest manifest;
    for (const SourceSettings& source : system.sources) {
        writer.begin_source(source.name, std::string(source.kind()), source_place(source));
        TreeSink sink(writer, source.name, nullptr, manifest.warnings);
        const std::string facts =
            HF_TRY(copy_source(source, sink, {system.name, "", "", progress}));
        HF_TRY(sink.finish());
        HF_TRY(writer.end_source(facts));
    }
    manifest.system = system.name;
    manifest.time = clock.wall_ms();
    manifest.program = "holdfast 0.1.0";
    manifest.plan = system.text;
    const auto written = HF_TRY(writer.finish(std::move(manifest)));
    return vault.commit(writing, written, system.name, clock.wall_ms(), 0);
}

/// Roster 2, and the recovery key split among three custodians, two of whom suffice.
Result<void> put_records(const Maker& maker, vault::Vault& vault, const std::string& golden) {
    const vault::KitSecrets secrets = HF_TRY(maker.kit_secrets());
    vault::Roster roster = vault::next_roster(vault.roster(), maker.clock.wall);
    roster.officers.push_back(
        {"A. N. Officer", vault::SigningKey::make(vault::system_random()).public_key});
    const Buffer object = HF_TRY(vault::sign_roster(roster, secrets.trust));
    HF_TRY(vault.store().put(vault::roster_name(2), object));
    std::vector<vault::Custodian> custodians;
    for (int i = 1; i <= 3; ++i) {
        const vault::BoxKey key = vault::BoxKey::make(vault::system_random());
        custodians.push_back({"Custodian " + std::to_string(i), key.public_key});
        HF_TRY(write_text(golden + "/custodian-" + std::to_string(i) + ".key",
                          vault::to_base64(key.secret.view()) + "\n"));
    }
    const vault::Roster newest = HF_TRY(vault::parse_roster(object));
    const Buffer custody = HF_TRY(vault::make_custody(newest, 1, secrets.recovery, custodians, 2,
                                                      secrets.trust, maker.clock.wall));
    return vault.store().put("custody/0000000000000001", custody);
}

/// The last entry is away for a moment, as on a disk that was put back: the node opens a second
/// chain, which names the first one's head.
Result<void> open_second_chain(Maker& maker) {
    std::string last, away = maker.scratch + "/last entry";
    for (const auto& item : fs::recursive_directory_iterator(maker.home.vault + "/ledger")) {
        if (item.is_regular_file()) last = std::max(last, item.path().native());
    }
    fs::rename(last, away);
    auto vault = HF_TRY(maker.open());
    const auto opened = HF_TRY(vault->chain().make_sound());
    HF_ASSERT(opened);
    fs::rename(away, last);
    return {};
}

Result<void> make_locked_vault(Maker& maker, const std::string& golden) {
    HF_TRY(maker.begin("Golden Locked"));
    const std::string letters = maker.scratch + "/letters", lists = maker.scratch + "/lists";
    for (const std::string& folder : {letters, lists}) HF_TRY(make_folders(folder, 0755));
    HF_TRY(write_text(letters + "/to the GP.txt", "Dear colleague,\n"));
    HF_TRY(write_text(lists + "/waiting", "nobody\n"));
    const SystemSettings system = HF_TRY(system_of("notes", "locked", {letters, lists}));
    const auto snapshot = [&](vault::Vault& vault, bool index) -> Result<void> {
        const auto id = index ? HF_TRY(snapshot_with_index(vault, system, maker.clock)).id
                              : HF_TRY(take_snapshot(vault, system, maker.clock, {})).record.id;
        HF_TRY(expect(golden, id.hex() + ".letters", letters));
        return expect(golden, id.hex() + ".lists", lists);
    };
    {
        auto vault = HF_TRY(maker.open());
        HF_TRY(put_records(maker, *vault, golden));
        HF_TRY(snapshot(*vault, false));
    }
    HF_TRY(open_second_chain(maker));
    maker.clock.wall += 3'600'000;
    HF_TRY(write_text(letters + "/a second.txt", "Dear patient,\n"));
    auto vault = HF_TRY(maker.open());
    HF_TRY(snapshot(*vault, true));
    return keep(maker, golden);
}

Result<void> make_carried_vault(Maker& maker, const std::string& golden) {
    HF_TRY(maker.begin("Golden Carried"));
    const std::string tree = maker.scratch + "/letters";
    const SystemSettings system = HF_TRY(system_of("notes", "node", {tree}));
    const auto vault = HF_TRY(maker.open());
    const auto write = [&](const std::string& text, bool kept) -> Result<void> {
        HF_TRY(write_text(tree + "/letter.txt", text));
        maker.clock.wall += 3'600'000;
        const auto id = HF_TRY(take_snapshot(*vault, system, maker.clock, {})).record.id;
        if (kept) return expect(golden, id.hex(), tree);
        return vault->forget({id});
    };
    vault::CarrySettings anew;
    anew.entries_min = 1;
    HF_TRY(write("Dear colleague,\n", true));
    HF_TRY(vault::carry_ledger_over(*vault, anew));
    HF_TRY(write("Dear nobody,\n", false));
    HF_TRY(vault::carry_ledger_over(*vault, anew));
    HF_TRY(write("Dear patient,\n", true));
    const auto later = HF_TRY(maker.open());
    HF_TRY(vault::carry_ledger_over(*later, anew));
    HF_TRY(vault::erase_unneeded(*vault, {}));
    return keep(maker, golden);
}

/// Two domains, of which this node opens one, under a second recovery key; what the first one
/// opened is gone.
Result<void> make_renewed_vault(Maker& maker, const std::string& golden) {
    HF_TRY(maker.begin("Golden Renewed"));
    const std::string tree = maker.scratch + "/letters";
    const SystemSettings open = HF_TRY(system_of("notes", "node", {tree}));
    const SystemSettings locked = HF_TRY(system_of("secrets", "locked", {tree}));
    const auto snapshot = [&](const SystemSettings& system) -> Result<void> {
        const auto vault = HF_TRY(maker.open());
        maker.clock.wall += 3'600'000;
        const auto taken = HF_TRY(take_snapshot(*vault, system, maker.clock, {}));
        return expect(golden, taken.record.id.hex(), tree);
    };
    HF_TRY(write_text(tree + "/letter.txt", "Dear colleague,\n"));
    HF_TRY(snapshot(open));
    HF_TRY(snapshot(locked));
    const std::string kit = maker.scratch + "/new kit";
    const Buffer text =
        HF_TRY(read_file(maker.home.kit + "/recovery-kit.json", vault::kit_bytes_max));
    RenewSettings settings;
    settings.out = kit;
    settings.passphrase = vault::Secret::copy_of(as_view(passphrase));
    settings.bring = [] { return Result<void>(); };
    const vault::Kit before = HF_TRY(vault::parse_kit(as_text(text)));
    const vault::KitSecrets secrets = HF_TRY(maker.kit_secrets());
    HF_TRY(renew_recovery(maker.home, before, secrets, std::move(settings), maker.clock.wall,
                          vault::system_random()));
    const auto renewed = HF_TRY(maker.open());
    HF_TRY(vault::remove_other_seals(*renewed));
    HF_TRY(write_text(tree + "/letter.txt", "Dear patient,\n"));
    HF_TRY(snapshot(open));
    return keep(maker, golden, kit);
}

struct Golden {
    const char* name;
    Result<void> (*make)(Maker& maker, const std::string& golden);
};
constexpr Golden goldens[] = {{"node", make_node_vault},
                              {"locked", make_locked_vault},
                              {"carried", make_carried_vault},
                              {"renewed", make_renewed_vault}};

Result<void> make_one(const std::string& folder, const Golden& golden) {
    char scratch[] = "/tmp/holdfast-golden-XXXXXX";
    HF_ASSERT(mkdtemp(scratch) != nullptr);
    Maker maker;
    maker.scratch = scratch;
    HF_TRY(make_folders(folder + "/" + golden.name, 0755));
    auto made = golden.make(maker, folder + "/" + golden.name);
    fs::remove_all(scratch);
    return made;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: make_golden DIR [NAME...]\n");
        return 2;
    }
    const std::set<std::string> wanted(argv + 2, argv + argc);
    for (const Golden& golden : goldens) {
        if (!wanted.empty() && !wanted.contains(golden.name)) continue;
        const auto made = make_one(argv[1], golden);
        if (made) continue;
        std::fprintf(stderr, "make_golden: %s: %s\n", golden.name, made.error().message.c_str());
        return 1;
    }
    return 0;
}
