// Journal: what changed below one folder since a moment that it named.
//
// It lives in one process and begins anew with it, under another id; so a token is good only as
// long as every change since then was seen. Whoever is told "unknown" reads the whole folder.
#pragma once

#include "agent/source/journal/change.h"
#include "agent/source/journal/watch.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent::journal {

/// `changes` in path order, none below a deep one; or why it cannot be told.
struct Changes {
    std::optional<std::vector<Change>> changes;
    std::string unknown;
};

class Journal {
public:
    /// Watches `folder` (absolute) from now on. Errors: as Watch::open().
    static Result<Journal> open(std::string folder);

    /// Ready to read when drain() has something to do.
    int fd() const { return watch_.fd(); }
    /// Errors: Io.
    Result<void> drain();

    /// Names the moment that is now. Errors: Io.
    Result<std::string> mark();
    /// What changed after `token`, with what may be changing unseen; forgets what came before it.
    /// Errors: Io, Denied.
    Result<Changes> since(std::string_view token);

private:
    Journal(std::string folder, std::string id, Watch watch)
        : folder_(std::move(folder)), id_(std::move(id)), watch_(std::move(watch)) {}

    Result<Watch::News> take_news();
    Result<void> thin();
    Result<std::string> hindrance(const std::string& path) const;
    Result<Changes> look_up(std::uint64_t moment, const std::string& root) const;

    std::string folder_;
    std::string id_;
    Watch watch_;
    ChangeSet noted_;
};

}  // namespace holdfast::agent::journal
