#include "agent/source/files/copy.h"

#include "agent/source/files/scanner.h"
#include "vault/base/file.h"

#include <fcntl.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace holdfast::agent::files {

namespace {

Result<Fd> open_root(const FilesSettings& settings) {
    if (!settings.folder.starts_with('/')) {
        return Error{Errc::Invalid, "the folder \"" + settings.folder +
                                        "\" must be given with its whole path, from / on"};
    }
    return open_file(settings.folder, O_RDONLY | O_DIRECTORY);
}

Result<std::vector<Glob>> excludes_of(const FilesSettings& settings) {
    return parse_globs(settings.excludes).within("excludes");
}

}  // namespace

Result<FilesFacts> copy_tree(const FilesSettings& settings, Sink& sink, const Progress& progress) {
    std::vector<Glob> excludes = HF_TRY(excludes_of(settings));
    Fd root = HF_TRY(open_root(settings));
    return Scanner(settings, std::move(excludes), sink, progress).run(std::move(root));
}

Result<bool> links_hold(const FilesSettings& settings, const FilesBefore& before,
                        std::vector<journal::Change>& changes) {
    const Fd root = HF_TRY(open_root(settings));
    std::set<std::string_view> linked;
    for (const LinkedName& link : before.links) {
        Status now{};
        if (look_at(root.get(), link.path.c_str(), now) != 0 || now.stx_nlink < 2 ||
            time_ns(now.stx_ctime) != link.ctime_ns) {
            return false;
        }
        linked.insert(link.path);
    }
    std::erase_if(changes, [&](const journal::Change& one) { return linked.contains(one.path); });
    return std::none_of(changes.begin(), changes.end(), [&](const journal::Change& one) {
        Status now{};
        return !one.path.empty() && look_at(root.get(), one.path.c_str(), now) == 0 &&
               !is_folder(now) && now.stx_nlink > 1;
    });
}

Result<std::optional<FilesFacts>> copy_changes(const FilesSettings& settings,
                                               const FilesBefore& before,
                                               const std::vector<journal::Change>& changes,
                                               Sink& sink, KeptTree& kept,
                                               const Progress& progress) {
    std::vector<Glob> excludes = HF_TRY(excludes_of(settings));
    Fd root = HF_TRY(open_root(settings));
    Scanner scanner(settings, std::move(excludes), sink, progress);
    return scanner.run_changes(std::move(root), before, changes, kept);
}

}  // namespace holdfast::agent::files
