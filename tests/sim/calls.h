// Calls: this process's own calls for files below one folder, seen, written down, and failed.
//
// calls.cpp stands in front of libc for the whole program, libraries included: SQLite's calls are
// seen as ours are. What is below no watched folder passes through untouched, but for syncs: they
// are made nowhere in this program, since nobody turns the machine off. SQLite's shared memory
// (-shm) is mapped and rebuilt after a crash; so it is passed over.
#pragma once

#include "tests/sim/disk.h"

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::sim {

enum class FaultKind {
    Fail,         // The call fails; the next ones do not.
    FailForEver,  // It fails, and so do all that follow.
    Short,        // A read or write does half of what was asked.
};

struct Fault {
    std::uint64_t at = 0;  // The number of the call that is struck, from 1; 0: none is.
    FaultKind kind = FaultKind::Fail;
    /// ENOSPC strikes what may need room, EIO all calls.
    int error = EIO;
};

/// One at a time. Any thread may make calls meanwhile.
class Calls {
public:
    /// `folder` is there. What is in it becomes the first changes, all synced.
    explicit Calls(const std::string& folder);
    ~Calls();
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;

    /// Counts from here.
    void arm(const Fault& fault);
    void disarm() { arm({}); }
    /// Calls since arm() that the fault's kind and error concern.
    std::uint64_t count() const;
    bool struck() const;

    /// All changes so far; nobody is making calls.
    const std::vector<Change>& changes() const;
};

}  // namespace holdfast::sim
