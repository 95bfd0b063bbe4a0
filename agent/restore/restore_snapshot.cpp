#include "agent/restore/restore_snapshot.h"

#include "vault/base/file.h"

namespace holdfast::agent {
namespace {

/// A source's name becomes a folder: foreign text must not lead elsewhere.
bool is_folder_name(const std::string& name) {
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

void add_facts(RestoreFacts& sum, RestoreFacts more, const std::string& prefix) {
    for (Warning& one : more.damaged) one.path = prefix + one.path;
    for (Warning& one : more.warnings) one.path = prefix + one.path;

    sum.entries += more.entries;
    sum.files += more.files;
    sum.folders += more.folders;
    sum.bytes += more.bytes;
    sum.damaged_paths += more.damaged_paths;
    for (Warning& one : more.damaged) sum.damaged.push_back(std::move(one));
    for (Warning& one : more.warnings) sum.warnings.push_back(std::move(one));
}

}  // namespace

Result<RestoreFacts> restore_snapshot(vault::VaultReader& reader,
                                      const vault::SnapshotRecord& record,
                                      const RestoreSettings& settings) {
    const vault::Manifest manifest = HF_TRY(reader.manifest(record));
    const auto chunks = reader.chunk_reader();
    const auto readers = [&] { return reader.chunk_reader(); };
    const bool several = manifest.sources.size() > 1;
    if (several) HF_TRY(check_target(settings.folder));
    HF_TRY(make_folders(settings.folder));  // So NotFound below can only mean "no path matches".
    RestoreFacts facts;
    std::size_t without_match = 0;
    for (const vault::SourceInfo& source : manifest.sources) {
        RestoreSettings of_source = settings;
        if (several) {
            if (!is_folder_name(source.name)) {
                return Error{Errc::Corrupt, "a source with an impossible name"};
            }
            of_source.folder = settings.folder + "/" + source.name;
        }
        const vault::TreeReader tree =
            HF_TRY(vault::TreeReader::open(source.tree, *chunks).within(source.name));
        auto restored = restore_tree(tree, readers, of_source);
        if (!restored && restored.error().code == Errc::NotFound && !settings.includes.empty()) {
            ++without_match;
            continue;
        }
        if (!restored) return std::move(restored).error();
        add_facts(facts, std::move(*restored), several ? source.name + "/" : "");
    }
    if (without_match == manifest.sources.size()) {
        return Error{Errc::NotFound, "no path of the snapshot matches --include"};
    }
    return facts;
}

}  // namespace holdfast::agent
