// Sink: where a source pours what it reads. The backup pipeline implements it; tests collect in
// memory.
//
// Thread rule: one source thread calls; add() and the content calls may block for backpressure.
#pragma once

#include "vault/base/result.h"
#include "vault/snapshot/entry.h"

#include <cstdint>
#include <string>

namespace holdfast::agent {

/// What the content is like: how it is cut into chunks.
enum class Shape {
    Stream,  // Cut where the content says (insertions move later bytes).
    Pages,   // Changed in place, page by page: databases, disk images. Cut into fixed pieces.
};

/// The content of one file, kept until its entry is added. 0: no content.
using ContentHandle = std::uint64_t;

/// Something could not be read and is missing, or is not as it should be; the snapshot goes on.
struct Warning {
    std::string path;
    std::string what;
};

class Sink {
public:
    virtual ~Sink() = default;

    /// Starts the content of one file; calls nest never. Errors: those of the vault.
    virtual Result<ContentHandle> begin_content(Shape shape) = 0;
    /// The next bytes. Errors: those of the vault (Full, Io).
    virtual Result<void> write(View data) = 0;
    /// The next `length` bytes are a hole: read as zeros, not stored.
    virtual Result<void> hole(std::uint64_t length) = 0;
    /// The next `length` bytes of the content are those that the file `path` has at `offset` in the
    /// snapshot before. Answers how many of them, from the first on, were taken from there: whole
    /// pieces of 64 KiB, or all. The rest is to be read. One file in one content, offsets rising.
    /// Errors: those of the vault.
    virtual Result<std::uint64_t> same_range(const std::string& path, std::uint64_t offset,
                                             std::uint64_t length) = 0;
    virtual Result<void> end_content() = 0;
    /// Forgets the content begun last: the source failed while reading it.
    virtual void drop_content() = 0;

    /// Adds an entry, in strictly rising path order (compare_paths). `content` is 0 for entries
    /// without any. Errors: Invalid (out of order, a path over the limit), those of the vault.
    virtual Result<void> add(vault::Entry entry, ContentHandle content) = 0;
    /// Asks whether the snapshot before has this regular file unchanged: same path, size, mtime,
    /// ctime and inode. If so it is added with the content it had (and the new entry's metadata),
    /// and the answer is true; else nothing happened. Errors: as add().
    /// The entry comes without xattrs: those of before are kept, since an xattr cannot change
    /// without ctime. A path that was a later hard link before (so without content) is changed.
    virtual Result<bool> add_unchanged(const vault::Entry& entry) = 0;
    virtual void warn(Warning warning) = 0;
};

}  // namespace holdfast::agent
