// Settings files: how the files below a home's folders are found, trusted and read.
#pragma once

#include "vault/base/bytes.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::agent::config {

/// A settings file's text. Errors: NotFound, Invalid (longer than `bytes_max`, no plain file), Io.
Result<std::string> read_text(const std::string& path, std::size_t bytes_max);

/// As read_text(), for files that may hold commands: if `reader` is root, the file and its folder
/// must be root's and writable by nobody else, and neither may be a symbolic link. What is checked
/// is what is read: both are open by then. Errors: as read_text(), Denied (with the command that
/// mends it).
Result<std::string> read_trusted_text(const std::string& path, std::size_t bytes_max, uid_t reader);

/// Names of the NAME.toml in `folder`, sorted; none if there is no folder. Errors: Invalid (a
/// .toml file that has no name; more than `count_max`), Io.
Result<std::vector<std::string>> names_in(const std::string& folder, std::size_t count_max);

/// A file NAME.toml states NAME. Errors: Invalid.
Result<void> check_stated_name(const std::string& stated, const std::string& name,
                               const std::string& path);

}  // namespace holdfast::agent::config
