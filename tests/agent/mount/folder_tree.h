// FolderTree: a Tree over a plain folder, so that a mount can be tested without a vault.
//
// The folder must not change meanwhile. Threads: any.
#pragma once

#include "agent/mount/tree.h"
#include "vault/base/file.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::agent {

class FolderTree : public Tree {
public:
    /// Errors: those of listing and stat.
    static Result<FolderTree> open(const std::string& folder);
    FolderTree(FolderTree&& other) noexcept
        : folder_(std::move(other.folder_)), entries_(std::move(other.entries_)) {}

    /// From now on reading `path` at or behind `offset` fails, as a damaged pack would.
    void fail_at(const std::string& path, std::uint64_t offset);

    Result<void> walk(const std::function<Result<void>(std::uint64_t, const vault::Entry&)>& visit)
        const override;
    Result<std::size_t> read(std::uint64_t ordinal, std::uint64_t offset,
                             std::span<std::uint8_t> out) const override;

private:
    explicit FolderTree(std::string folder) : folder_(std::move(folder)) {}

    std::string folder_;
    std::vector<vault::Entry> entries_;
    std::string failing_path_;
    std::uint64_t failing_offset_ = 0;
    mutable std::mutex mutex_;
    mutable std::map<std::uint64_t, Fd> open_;
};

}  // namespace holdfast::agent
