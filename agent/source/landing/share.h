// Share: what lies in a landing folder, and which of it is whole.
//
// Others write here, over SMB, NFS or SFTP: a database server, or who has taken it over. So every
// step is an openat() of one name that follows no link, and what is whole is made immutable (as
// chattr +i does): from then on nobody changes, renames or removes it but root of this machine. Its
// folder can still be renamed, so a path is never taken for a file that was judged before.
//
// A file is whole if nobody has it open for writing, and either it has been left alone for a while
// or, where there are markers, its marker is there.
#pragma once

#include "vault/base/file.h"
#include "vault/base/glob.h"
#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::agent::landing {

struct ShareRules {
    std::string folder;  // Absolute; a link here is followed, none below it is.
    std::vector<Glob> excludes;
    std::int64_t quiet_ms = 0;
    std::string marker;     // ".done": FILE is whole once FILE.done is there. Empty: no markers.
    bool immutable = true;  // Make whole files immutable.
};

enum class FileState {
    Waiting,  // Not whole yet.
    Whole,
    Sealed,  // Whole and immutable.
};

struct LandedFile {
    std::string path;  // Below the folder.
    std::uint64_t bytes = 0;
    std::uint64_t inode = 0;
    std::int64_t mtime_ms = 0;
    FileState state = FileState::Waiting;
    std::string why;  // It waits, or could not be made immutable, because.
};

class Share {
public:
    /// Errors: NotFound, Denied, Io.
    static Result<Share> open(ShareRules rules);

    /// Every regular file, in path order. `seal`: makes whole ones immutable, where the rules say
    /// so. `now_ms`: the wall clock. Errors: Io, Invalid (too deep).
    Result<std::vector<LandedFile>> look(std::int64_t now_ms, bool seal) const;

    /// Removes a sealed file, if it is still where it was. Errors: NotFound, Conflict (another is
    /// in its place), Denied, Io.
    Result<void> remove(const LandedFile& judged) const;

private:
    struct Survey;
    Share(ShareRules rules, Fd root) : rules_(std::move(rules)), root_(std::move(root)) {}

    Result<void> look_into(int folder, const std::string& path, int depth, Survey& survey) const;
    LandedFile judge(int fd, std::string path, bool has_marker, const Survey& survey) const;

    ShareRules rules_;
    Fd root_;
};

}  // namespace holdfast::agent::landing
