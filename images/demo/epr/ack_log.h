// AckLog: the transactions that the database has acknowledged, kept outside of it.
//
//   log  = head line*
//   head = "# holdfast-demo-epr seed " S " megabytes " M LF
//   line = k " " wall_ms LF
//
// A line is written only after COMMIT was acknowledged. Where numbers go back, the database was
// replaced by an earlier state of itself, and the writer went on from there. A transaction that was
// committed without the acknowledgement arriving has no line. A last line without its LF was
// torn by a crash and does not count.
#pragma once

#include "vault/base/file.h"
#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::demo {

struct Ack {
    std::uint64_t k;
    std::int64_t wall_ms;
};

struct AckHistory {
    std::uint64_t seed = 0;
    std::uint64_t megabytes = 0;
    std::vector<Ack> acks;
    std::uint64_t bytes = 0;  // Up to the end of the last whole line.
};

/// Errors: NotFound, Io, Invalid (not such a log; the message names the line).
Result<AckHistory> read_acks(const std::string& path);

/// The acknowledgements that a return to the state at `n` takes back: those after n, up to the line
/// where the writer began anew at n + 1, or to the log's end.
std::vector<Ack> acks_beyond(const AckHistory& history, std::uint64_t n);

class AckLog {
public:
    /// Opens to append, or makes it. Errors: Invalid (it is another data set's log), Io, Full.
    static Result<AckLog> open(const std::string& path, std::uint64_t seed,
                               std::uint64_t megabytes);
    /// In the file when it returns; on the disk after sync(), or some hundred later.
    Result<void> append(Ack ack);
    Result<void> sync();

private:
    AckLog(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    Fd fd_;
    std::string path_;
    unsigned unsynced_ = 0;
};

}  // namespace holdfast::demo
