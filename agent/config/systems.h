// The systems of a node: the files in its systems folder, one per system.
//
// A file is replaced whole or not at all, and only by text that parses. Names are checked before
// they become paths. Thread rule: any; two writers of one name must not run at once.
#pragma once

#include "agent/config/home.h"
#include "agent/config/system_settings.h"

#include <vector>

namespace holdfast::agent {

constexpr std::size_t systems_max = 1'000;

enum class Replace { No, Yes };

/// Checks the file `source_file` and copies it to systems/NAME.toml, NAME being the one it states.
/// Errors: NotFound, Invalid (its mistakes), Conflict (NAME is there, and `replace` is No), Io.
Result<SystemSettings> install_system(const Home& home, const std::string& source_file,
                                      Replace replace = Replace::No);

/// The names, sorted; none if there is no folder yet. Errors: Invalid (a .toml file whose name is
/// no system's name; over systems_max), Io.
Result<std::vector<std::string>> list_systems(const Home& home);

/// Errors: NotFound, Invalid (the name; the file's mistakes; it states another name), Io.
Result<SystemSettings> load_system(const Home& home, const std::string& name);

/// Removes the settings; snapshots stay. Errors: NotFound, Invalid (the name), Io.
Result<void> remove_system(const Home& home, const std::string& name);

/// For `snapshot --path DIR NAME`: the system `name` with `folder` (absolute) as its one source.
/// Writes systems/NAME.toml if it is absent. Errors: Invalid (the name, the folder), Conflict (the
/// system is there with other sources), Io.
Result<SystemSettings> write_system_for_path(const Home& home, const std::string& name,
                                             const std::string& folder);

}  // namespace holdfast::agent
