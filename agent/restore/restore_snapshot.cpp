#include "agent/restore/restore_snapshot.h"

#include "agent/restore/unfinished.h"
#include "vault/base/file.h"

namespace holdfast::agent {
namespace {

constexpr std::string_view files_kind = "files";

/// A source's name becomes a folder: foreign text must not lead elsewhere.
bool is_folder_name(const std::string& name) {
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

bool is_place(const std::string& path) {
    return path.starts_with('/') && path.find('\0') == std::string::npos;
}

void add_facts(RestoreFacts& sum, RestoreFacts more, const std::string& prefix) {
    for (Warning& one : more.damaged) one.path = prefix + one.path;
    for (Warning& one : more.warnings) one.path = prefix + one.path;

    sum.entries += more.entries;
    sum.files += more.files;
    sum.folders += more.folders;
    sum.bytes += more.bytes;
    sum.kept += more.kept;
    sum.damaged_paths += more.damaged_paths;
    for (Warning& one : more.damaged) sum.damaged.push_back(std::move(one));
    for (Warning& one : more.warnings) sum.warnings.push_back(std::move(one));
}

/// What is to become of what an earlier try has written. Errors: Conflict.
Result<Overwrite> begin(const RestoreSettings& settings, const vault::SnapshotRecord& record) {
    if (settings.overwrite != Overwrite::Refuse) return settings.overwrite;
    const auto earlier = HF_TRY(unfinished_restore(settings.folder));
    if (!settings.resume) {
        if (earlier) {
            return Error{Errc::Conflict, settings.folder + " holds a part of the snapshot " +
                                             earlier->snapshot.brief() +
                                             "; go on with --resume, or empty it"};
        }
        HF_TRY(check_target(settings.folder));
        HF_TRY(make_folders(settings.folder));
        HF_TRY(mark_unfinished(settings.folder, record.id));
        return Overwrite::Refuse;
    }
    if (!earlier) {
        return Error{Errc::Conflict, settings.folder + " holds no restore that did not end"};
    }
    if (earlier->snapshot != record.id) {
        return Error{Errc::Conflict, settings.folder + " holds a part of another snapshot, " +
                                         earlier->snapshot.brief()};
    }
    // The mark keeps the boot of the first try, until all of its files have been looked at.
    return earlier->same_boot ? Overwrite::IfChanged : Overwrite::Always;
}

class Restorer {
public:
    Restorer(vault::VaultReader& reader, const RestoreSettings& settings)
        : reader_(&reader), settings_(settings), chunks_(reader.chunk_reader()) {}

    Result<RestoreFacts> run(const vault::Manifest& manifest,
                             const std::vector<std::string>& folders) {
        std::size_t without_match = 0;
        for (std::size_t i = 0; i < folders.size(); ++i) {
            auto restored = restore_source(manifest.sources[i], folders[i]);
            if (!restored && restored.error().code == Errc::NotFound &&
                !settings_.includes.empty()) {
                ++without_match;
                continue;
            }
            if (!restored) return std::move(restored).error();
            const bool several = folders.size() > 1;
            add_facts(facts_, std::move(*restored),
                      several ? manifest.sources[i].name + "/" : std::string());
        }
        if (without_match == folders.size()) {
            return Error{Errc::NotFound, "no path of the snapshot matches --include"};
        }
        return std::move(facts_);
    }

private:
    Result<RestoreFacts> restore_source(const vault::SourceInfo& source,
                                        const std::string& folder) {
        RestoreSettings settings = settings_;
        settings.folder = folder;
        const vault::TreeReader tree =
            HF_TRY(vault::TreeReader::open(source.tree, *chunks_).within(source.name));
        return restore_tree(
            tree, [this] { return reader_->chunk_reader(); }, settings);
    }

    vault::VaultReader* reader_;
    RestoreSettings settings_;
    std::unique_ptr<vault::ChunkReader> chunks_;
    RestoreFacts facts_;
};

}  // namespace

Result<std::vector<std::string>> restore_folders(const vault::Manifest& manifest,
                                                 const RestoreSettings& settings) {
    std::vector<std::string> folders;
    for (const vault::SourceInfo& source : manifest.sources) {
        if (settings.in_place) {
            if (source.kind != files_kind) {
                return Error{Errc::Invalid, "source " + source.name + " is " + source.kind +
                                                ": only files can be restored in place; restore "
                                                "it with --to"};
            }
            if (!is_place(source.place)) {
                return Error{Errc::Corrupt, "source " + source.name + " of an impossible place"};
            }
            folders.push_back(source.place);
        } else if (manifest.sources.size() == 1) {
            folders.push_back(settings.folder);
        } else {
            if (!is_folder_name(source.name)) {
                return Error{Errc::Corrupt, "a source with an impossible name"};
            }
            folders.push_back(settings.folder + "/" + source.name);
        }
    }
    return folders;
}

Result<RestoreFacts> restore_snapshot(vault::VaultReader& reader,
                                      const vault::SnapshotRecord& record,
                                      const RestoreSettings& settings) {
    const vault::Manifest manifest = HF_TRY(reader.manifest(record));
    const auto folders = HF_TRY(restore_folders(manifest, settings));
    RestoreSettings each = settings;
    if (settings.in_place) {
        // So NotFound below can only mean "no path matches".
        for (const std::string& folder : folders) HF_TRY(make_folders(folder, 0755));
        return Restorer(reader, each).run(manifest, folders);
    }
    const bool leaves_mark = settings.overwrite == Overwrite::Refuse;
    each.overwrite = HF_TRY(begin(settings, record));
    HF_TRY(make_folders(settings.folder));
    auto facts = Restorer(reader, each).run(manifest, folders);
    const bool nothing_done = !facts && facts.error().code == Errc::NotFound;
    if (leaves_mark && (facts || nothing_done)) HF_TRY(unmark_unfinished(settings.folder));
    if (!facts && !nothing_done && leaves_mark) {
        return Error{facts.error().code, facts.error().message + "; --resume goes on with it"};
    }
    return facts;
}

}  // namespace holdfast::agent
