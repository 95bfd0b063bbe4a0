#include "agent/source/files/copy.h"

#include "agent/source/files/scanner.h"
#include "vault/base/file.h"

#include <fcntl.h>

namespace holdfast::agent::files {

Result<FilesFacts> copy_tree(const FilesSettings& settings, Sink& sink, const Progress& progress) {
    if (!settings.folder.starts_with('/')) {
        return Error{Errc::Invalid, "the folder \"" + settings.folder +
                                        "\" must be given with its whole path, from / on"};
    }
    std::vector<Glob> excludes = HF_TRY(parse_globs(settings.excludes).within("excludes"));
    Fd root = HF_TRY(open_file(settings.folder, O_RDONLY | O_DIRECTORY));
    return Scanner(settings, std::move(excludes), sink, progress).run(std::move(root));
}

}  // namespace holdfast::agent::files
