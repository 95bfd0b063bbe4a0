// Temporary files: what a file is called until it is whole, and what becomes of those whose writer
// was killed.
#pragma once

#include "vault/base/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace holdfast {

/// A name beside `path` that no other process or thread of this machine uses.
std::string temporary_beside(const std::string& path);

/// True for such a name, with its folders or without.
bool is_temporary(std::string_view path);

/// Calls `visit` for every regular file below `folder`, in rising order, with its path from there.
/// A folder that is missing is empty; what goes meanwhile may be visited or not. Errors: Denied,
/// Io, or visit's own.
Result<void> visit_files(const std::string& folder,
                         const std::function<Result<void>(const std::string&)>& visit);

/// Calls `visit` for the name of every folder in `folder`, in rising order. As visit_files().
Result<void> visit_folders(const std::string& folder,
                           const std::function<Result<void>(const std::string&)>& visit);

/// Removes temporary files below `folder` that are older than a day: their writers are gone.
/// Errors: Denied, Io.
Result<void> sweep_temporaries(const std::string& folder);

}  // namespace holdfast
