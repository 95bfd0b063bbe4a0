// Content: reads one open regular file into the sink, holes as holes, and notices if the file
// changes meanwhile.
//
// A change is seen by size, mtime or ctime. The kernel stamps with a clock that ticks every few
// milliseconds, so a file may be written, read here, and written again with the same stamp; the
// next snapshot would take it for unchanged. Hence a file whose ctime is not older than the tick in
// which reading began is looked at again when that tick is over, 4 ms at most on Debian. Where
// stamps are whole seconds waiting is no answer: the entry then gets a ctime that is one nanosecond
// off, and the next snapshot reads the file again.
#pragma once

#include "agent/source/files/status.h"
#include "agent/source/files/ticker.h"
#include "agent/source/sink.h"

namespace holdfast::agent::files {

struct Content {
    ContentHandle handle = 0;
    int failed = 0;        // Not 0: errno of a read that failed; no content then.
    bool changed = false;  // It changed each time it was read; what is there is of the last time.
};

class ContentReader {
public:
    ContentReader(Sink& sink, Owners& owners, Ticker& ticker, bool drop_cache)
        : sink_(&sink), owners_(&owners), ticker_(&ticker), drop_cache_(drop_cache) {}

    /// Reads `fd` and fills `entry` from its status; the entry's size is what was read.
    /// Errors: the sink's, Interrupted.
    Result<Content> read(int fd, vault::Entry& entry, FilesFacts& facts);

private:
    struct Attempt {
        ContentHandle handle = 0;
        std::uint64_t bytes = 0;
        int failed = 0;
    };
    Result<Attempt> attempt(int fd, const Status& status, FilesFacts& facts);
    Result<void> copy_all(int fd, const Status& status, Attempt& attempt, FilesFacts& facts);
    Result<void> copy_range(int fd, std::uint64_t end, Attempt& attempt, FilesFacts& facts);

    Sink* sink_;
    Owners* owners_;
    Ticker* ticker_;
    bool drop_cache_;
    Buffer buffer_;
};

}  // namespace holdfast::agent::files
