// List folder: what a snapshot has at and below a path, reading only the leaves that hold it.
#pragma once

#include "vault/snapshot/tree_reader.h"

#include <functional>
#include <string_view>

namespace holdfast::agent {

using VisitItem = std::function<Result<void>(const vault::Item&)>;

/// The item at `path` (if it is no folder), or what the folder there holds, in path order:
/// with `deep` all, else its own entries, and leaves that lie wholly in folders below are not read.
/// Errors: NotFound, those of TreeReader::leaf(), visit's own.
Result<void> list_folder(const vault::TreeReader& tree, std::string_view path, bool deep,
                         const VisitItem& visit);

}  // namespace holdfast::agent
