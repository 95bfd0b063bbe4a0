// Handles: where an inode that the kernel named is now.
#pragma once

#include "agent/source/journal/change_set.h"
#include "vault/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::agent::journal {

struct HandlePlace {
    /// Its path as this process sees it; none: it has one, and the kernel cannot tell which.
    std::optional<std::string> path;
    std::uint64_t links = 0;
};

/// None: it is gone. `folder` is open on the same file system. Errors: Denied, Io.
Result<std::optional<HandlePlace>> place_of(int folder, std::string_view handle);

/// The handle of the file at `path`, which may be a link below /proc; none if it is gone. The form
/// is NotedName's. Errors: Denied, Io.
Result<std::optional<std::string>> handle_of(const std::string& path);

/// The path that an open descriptor has now. Errors: Io.
Result<std::string> path_of(int fd);

}  // namespace holdfast::agent::journal
