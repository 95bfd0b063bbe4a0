#include "agent/restore/restore_snapshot.h"

#include "agent/restore/unfinished.h"
#include "agent/source/postgres/log_files.h"
#include "agent/source/postgres/recovery.h"
#include "vault/base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

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

/// The source whose log `source` is; null: it is no log.
const vault::SourceInfo* streamed_by(const vault::Manifest& manifest,
                                     const vault::SourceInfo& source) {
    if (source.kind != postgres::log_kind) return nullptr;
    const auto of = std::ranges::find_if(manifest.sources, [&](const vault::SourceInfo& one) {
        return postgres::log_source_name(one.name) == source.name;
    });
    return of == manifest.sources.end() ? nullptr : &*of;
}

/// The log belongs to whoever owns the data folder. Errors: Io, Denied.
Result<void> give_log(const std::string& data_dir, const std::string& log) {
    struct stat owner {};
    if (::stat(data_dir.c_str(), &owner) != 0) return io_error(errno, "look at " + data_dir);
    std::error_code failed;
    std::vector<std::string> paths{log};
    for (const auto& item : std::filesystem::directory_iterator(log, failed)) {
        paths.push_back(item.path());
    }
    if (failed) return Error{Errc::Io, "read " + log + ": " + failed.message()};
    for (const std::string& path : paths) {
        if (::lchown(path.c_str(), owner.st_uid, owner.st_gid) != 0) {
            return io_error(errno, "give " + path + " to the server's user");
        }
    }
    return {};
}

/// Where a part was restored, or no whole data folder, there is nothing to set up.
Result<void> set_up_logs(const vault::Manifest& manifest, const std::vector<std::string>& folders,
                         const RestoreSettings& settings) {
    bool set_up = false;
    for (std::size_t i = 0; i < folders.size(); ++i) {
        if (streamed_by(manifest, manifest.sources[i]) == nullptr) continue;
        const std::string data_dir = folders[i].substr(0, folders[i].rfind('/'));
        if (!settings.includes.empty() || !path_exists(data_dir + "/PG_VERSION")) continue;
        HF_TRY(give_log(data_dir, folders[i]));
        HF_TRY(postgres::set_up_recovery(data_dir, postgres::log_folder, settings.until_ms));
        set_up = true;
    }
    if (set_up || !settings.until_ms) return {};
    return Error{Errc::Invalid, "this snapshot has no streamed log to stop in"};
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
    const auto logs = std::ranges::count_if(manifest.sources, [&](const auto& source) {
        return streamed_by(manifest, source) != nullptr;
    });
    const bool several = manifest.sources.size() - static_cast<std::size_t>(logs) > 1;
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
        } else {
            const vault::SourceInfo* const of = streamed_by(manifest, source);
            const std::string& name = of == nullptr ? source.name : of->name;
            if (!is_folder_name(name)) {
                return Error{Errc::Corrupt, "a source with an impossible name"};
            }
            std::string folder = several ? settings.folder + "/" + name : settings.folder;
            if (of != nullptr) folder += std::string("/") + postgres::log_folder;
            folders.push_back(std::move(folder));
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
    if (facts) HF_TRY(set_up_logs(manifest, folders, settings));
    const bool nothing_done = !facts && facts.error().code == Errc::NotFound;
    if (leaves_mark && (facts || nothing_done)) HF_TRY(unmark_unfinished(settings.folder));
    if (!facts && !nothing_done && leaves_mark) {
        return Error{facts.error().code, facts.error().message + "; --resume goes on with it"};
    }
    return facts;
}

}  // namespace holdfast::agent
