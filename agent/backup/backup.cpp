#include "agent/backup/backup.h"

#include "agent/backup/source_copy.h"
#include "agent/backup/tree_sink.h"
#include "vault/base/fault.h"

#include <memory>
#include <optional>

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
        return before;
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
    std::map<std::string, std::string> facts_;
    std::unique_ptr<vault::ChunkReader> chunks_;
    std::map<std::string, vault::TreeReader> trees_;
};

}  // namespace

vault::OpeningKeys mode_of(const SystemSettings& system) {
    return system.opening_keys == OpeningKeys::Node ? vault::OpeningKeys::Node
                                                    : vault::OpeningKeys::Locked;
}

Result<BackupResult> take_snapshot(vault::Vault& vault, const SystemSettings& system,
                                   const Clock& clock, const BackupSettings& settings) {
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
    vault::SnapshotWriter writer(vault.context(writing, settings.workers));
    for (const SourceSettings& source : system.sources) {
        writer.begin_source(source.name, std::string(source.kind()), source_place(source));
        TreeSink sink(writer, source.name, before.tree(source.name), result.warnings);
        const std::string facts_before = before.facts(source.name);
        const std::string facts = HF_TRY(
            copy_source(source, sink, {system.name, facts_before, settings.scratch, progress})
                .within("source " + source.name));
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

}  // namespace holdfast::agent
