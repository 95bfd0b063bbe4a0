// Documents: the folder beside the database: letters/ and images/.
#pragma once

#include "images/demo/epr/dataset.h"
#include "images/demo/epr/letter.h"
#include "vault/base/result.h"

#include <cstdint>
#include <string>

namespace holdfast::demo {

struct Written {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

/// Errors: Conflict, if `folder` exists and holds anything; Io.
Result<void> expect_empty(const std::string& folder);

/// Writes the loaded letters and images and syncs the file system once.
/// Errors: Full, Io; what was written stays, see remove_documents.
Result<Written> write_documents(const Dataset& data, const std::string& folder);

/// Takes back what write_documents wrote.
void remove_documents(const std::string& folder);

/// Writes one letter durably, whole or not at all.
Result<void> write_letter(const Letter& letter, const std::string& folder);

}  // namespace holdfast::demo
