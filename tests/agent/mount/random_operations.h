// Random operations on a small tree, the same on any folder, and what can be seen of it after.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>

namespace holdfast::agent {

enum class Kind {
    Write,
    Append,
    Rewrite,  // O_TRUNC, then a write.
    Truncate,
    Punch,
    Unlink,
    MakeFolder,
    RemoveFolder,
    Rename,
    Exchange,
    Link,
    Symlink,
    Chmod,
    BigXattr,
    Sync,
    SyncData,
    SyncFolder,
};

struct Operation {
    Kind kind{};
    std::string path;
    std::string other;  // Of those with two paths.
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    unsigned seed = 0;  // Of the content, mode or value.

    std::string text() const;
    bool has_two_paths() const;
};

Operation random_operation(std::mt19937& random);

/// Answers 0 or the errno of the first call that failed.
int perform(const std::string& root, const Operation& operation);

struct Item {
    char type = 0;  // f, d or l.
    std::uint32_t mode = 0;
    std::uint64_t links = 0;
    std::uint64_t inode = 0;
    std::string content;  // Or a link's target.
};

using Seen = std::map<std::string, Item>;

Seen look(const std::string& root);

/// What names say: type, target, and which names are the same file. Equal for equal trees.
std::map<std::string, std::string> shape_of(const Seen& seen);

/// Makes `root`, an empty folder, look like `seen`, hard links included.
void rebuild(const std::string& root, const Seen& seen);

}  // namespace holdfast::agent
