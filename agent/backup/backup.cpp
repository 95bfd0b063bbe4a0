#include "agent/backup/backup.h"

#include "agent/backup/source_copy.h"
#include "agent/backup/tree_sink.h"
#include "agent/source/journal/socket.h"
#include "vault/base/damage.h"
#include "vault/base/fault.h"

#include <map>
#include <memory>
#include <optional>
#include <set>

namespace holdfast::agent {
namespace {

/// The tree of each source in the system's last snapshot, as far as it can be read here.
class Before {
public:
    /// Of the same domain only: chunks of another have other keys, and perhaps other secrets.
    static Before of(vault::Vault& vault, const std::string& system, const DomainId& domain) {
        Before before;
        const auto record = vault.reader().latest(system);
        if (!record || record->domain != domain) return before;
        auto manifest = vault.reader().manifest(*record);
        if (!manifest) return before;  // Locked or damaged: then everything is read.
        before.chunks_ = vault.reader().chunk_reader();
        for (const vault::SourceInfo& source : manifest->sources) {
            auto tree = vault::TreeReader::open(source.tree, *before.chunks_);
            if (!tree) continue;
            before.trees_.emplace(source.name, std::move(*tree));
            before.facts_.emplace(source.name, source.facts);
        }
        before.plan_ = manifest->plan;
        before.list_ = record->list;
        return before;
    }

    /// The packs that it stands on; none, and why, if a snapshot of `plan` may not rely on them
    /// unseen. Errors: Io.
    Result<std::optional<std::set<PackId>>> packs(vault::Vault& vault, const std::string& plan,
                                                  std::string& why) const {
        const std::optional<std::set<PackId>> none;
        why = trees_.empty() ? "there is no snapshot before, or it cannot be read" : "";
        if (why.empty() && plan_ != plan) why = "the system's settings have changed";
        if (!why.empty()) return none;
        const auto list = vault.reader().ledger().list(list_);
        std::set<PackId> packs;
        if (list) packs.insert(list->packs.begin(), list->packs.end());
        const bool sound = list && HF_TRY(vault.index().all_sound(packs));
        if (!sound) why = "the snapshot before stands on packs that are not sound";
        return sound ? std::optional(std::move(packs)) : none;
    }

    const vault::TreeReader* tree(const std::string& source) const {
        const auto found = trees_.find(source);
        return found == trees_.end() ? nullptr : &found->second;
    }

    /// Empty if there is no tree.
    std::string facts(const std::string& source) const {
        const auto found = facts_.find(source);
        return found == facts_.end() ? std::string() : found->second;
    }

private:
    std::string plan_;
    ListId list_;
    std::map<std::string, std::string> facts_;
    std::unique_ptr<vault::ChunkReader> chunks_;
    std::map<std::string, vault::TreeReader> trees_;
};

}  // namespace

vault::OpeningKeys mode_of(const SystemSettings& system) {
    return system.opening_keys == OpeningKeys::Node ? vault::OpeningKeys::Node
                                                    : vault::OpeningKeys::Locked;
}

namespace {

/// `refuted` is set if only a snapshot without journals can succeed.
Result<BackupResult> try_snapshot(vault::Vault& vault, const SystemSettings& system,
                                  const Clock& clock, const BackupSettings& settings,
                                  bool with_journals, bool& refuted) {
    BackupProgress unwatched;
    BackupProgress& progress = settings.progress != nullptr ? *settings.progress : unwatched;
    const std::int64_t now = clock.wall_ms();
    BackupResult result;
    const std::string chain = "ledger/" + vault.chain().id().hex();
    auto mended = HF_TRY(vault.chain().make_sound());
    if (mended) result.warnings.push_back({"", chain, std::move(*mended)});
    const auto writing = HF_TRY(vault.begin_writing(system.name, mode_of(system)));
    const Before before =
        settings.read_all ? Before() : Before::of(vault, system.name, writing.epoch.domain);
    std::string not_kept = "a file with several names was met, or the snapshot before is damaged";
    std::optional<std::set<PackId>> packs;
    if (with_journals) packs = HF_TRY(before.packs(vault, system.text, not_kept));
    if (settings.read_all) not_kept = "that was asked for";
    vault::SnapshotWriter writer(vault.context(writing, settings.workers));
    for (const SourceSettings& source : system.sources) {
        writer.begin_source(source.name, std::string(source.kind()), source_place(source));
        const vault::TreeReader* const tree = before.tree(source.name);
        TreeSink sink(writer, source.name, tree, result.warnings);
        const JournalTry journal{journal::socket_path(settings.run, system.name),
                                 now,
                                 tree,
                                 packs && tree != nullptr ? &sink : nullptr,
                                 not_kept,
                                 result.journals,
                                 refuted};
        const std::string facts_before = before.facts(source.name);
        const std::size_t journals = result.journals.size();
        auto copied = copy_source(
            source, sink, {system.name, facts_before, settings.scratch, progress, &journal});
        const bool kept = result.journals.size() > journals && result.journals.back().whole.empty();
        if (!copied && kept && is_damage(copied.error())) refuted = true;
        const std::string facts = HF_TRY(std::move(copied).within("source " + source.name));
        if (kept) writer.rely_on(*packs);
        HF_TRY(sink.finish());
        HF_TRY(writer.end_source(facts));
        result.sources.push_back(
            {source.name, std::string(source.kind()), source_place(source), facts, {}});
        result.unchanged += sink.counts().unchanged;
        result.read_bytes += sink.counts().read_bytes;
        fault_point("source copied");
    }
    vault::Manifest manifest;
    manifest.system = system.name;
    manifest.time = now;
    manifest.program = program_name;
    manifest.plan = system.text;
    manifest.warnings = result.warnings;
    const vault::WrittenSnapshot written = HF_TRY(writer.finish(std::move(manifest)));
    fault_point("packs stored, no ledger entry yet");
    result.record =
        HF_TRY(vault.commit(writing, written, system.name, now, result.warnings.size()));
    return result;
}

}  // namespace

Result<BackupResult> take_snapshot(vault::Vault& vault, const SystemSettings& system,
                                   const Clock& clock, const BackupSettings& settings) {
    bool refuted = false;
    auto taken = try_snapshot(vault, system, clock, settings, true, refuted);
    if (taken || !refuted) return taken;
    return try_snapshot(vault, system, clock, settings, false, refuted);
}

}  // namespace holdfast::agent
