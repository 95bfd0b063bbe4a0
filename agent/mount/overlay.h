// Overlay: the folder that holds what was written over one snapshot.
//
//     journal      what changed, in order (journal.h)
//     data/N       content of node N, sparse; block i at byte i * 4096 of it. Which blocks count
//                  is told by the journal alone; the others hold nothing or remains.
//
// The folder itself is locked (flock) while a mount uses it. Data files are opened on demand, and
// a bounded number is kept open. Threads: any.
#pragma once

#include "agent/mount/change.h"
#include "agent/mount/journal.h"
#include "vault/base/file.h"

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace holdfast::agent {

class Overlay {
public:
    /// Opens the overlay in `folder`, or makes one for `snapshot_id`; gives each change it has
    /// journaled to `change`. Errors: Conflict (another process uses it, or it belongs to another
    /// snapshot), Corrupt, Io, Full, or those of `change`.
    static Result<std::unique_ptr<Overlay>> open(
        const std::string& folder, const std::string& snapshot_id, std::uint64_t compact_bytes,
        const std::function<Result<void>(const Change&)>& change);

    Journal& journal() { return *journal_; }
    const std::string& folder() const { return folder_; }

    /// Shared, because a descriptor that falls out of the cache must outlive the call using it.
    using DataFile = std::shared_ptr<const Fd>;

    /// The data file of `node`; made if `make`. Answers null with errno set if that fails.
    DataFile data_file(NodeId node, bool make);

    void remove_data_file(NodeId node);
    /// Answers 0 or an errno.
    int sync_data_folder();

    /// Removes the data files of nodes that `wanted` denies: their end was not journaled in time.
    Result<void> sweep(const std::function<bool(NodeId)>& wanted);

private:
    Overlay() = default;
    std::string data_path(NodeId node) const;

    std::string folder_;
    Fd lock_;
    Fd data_folder_;
    std::unique_ptr<Journal> journal_;

    struct Open {
        DataFile file;
        std::list<NodeId>::iterator age;
    };
    std::mutex mutex_;
    std::unordered_map<NodeId, Open> open_;
    std::list<NodeId> ages_;  // Least recently used first.
};

}  // namespace holdfast::agent
