// Lines: a long answer on stdout, as text or as the elements of one JSON array, without keeping it.
//
// Paths are written as they are, but for a terminal, where control characters become '?'.
#pragma once

#include "agent/cli/context.h"
#include "vault/base/bytes.h"
#include "vault/base/json.h"

#include <string>
#include <string_view>

namespace holdfast::agent::cli {

class Lines {
public:
    /// `json`: add() takes elements, and close() ends the array.
    explicit Lines(bool json) : json_(json) {}

    /// Errors: Io.
    Result<void> add_line(std::string_view text);
    Result<void> add(const Json& element);
    /// Bytes as they are, with nothing added. Errors: Io.
    Result<void> add_raw(View bytes);
    /// Writes what is left. Errors: Io.
    Result<void> close();

private:
    Result<void> put(std::string_view text);
    Result<void> flush();

    bool json_;
    bool first_ = true;
    std::string waiting_;
};

}  // namespace holdfast::agent::cli
