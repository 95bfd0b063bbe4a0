#include "agent/source/files/content.h"

#include "vault/base/units.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::agent::files {
namespace {

constexpr std::size_t read_bytes = 512_KiB;
constexpr int attempts_max = 3;
// A log or a disk image that never rests is not read three times over.
constexpr std::uint64_t read_again_bytes_max = 4_GiB;
constexpr std::uint64_t drop_cache_bytes_min = 8_MiB;
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t millisecond_ns = 1'000'000;
constexpr int tick_waits_max = 20;

/// Databases and disk images change in place and are made of pages, so their size is a multiple of
/// the page; 8 KiB is PostgreSQL's and SQL Server's, and a multiple of most others. Cut at fixed
/// places, a changed page costs one piece of 64 KiB, not one of 128 KiB on average. A file that is
/// like this by chance only loses what insertions in its midst would cost.
Shape shape_of(std::uint64_t size) {
    return size >= 1_MiB && size % 8_KiB == 0 ? Shape::Pages : Shape::Stream;
}

/// The clock that the kernel stamps files with.
std::int64_t stamp_clock_ns() {
    struct timespec now {};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec * second_ns + now.tv_nsec;
}

/// True once a later change of the file must get another ctime than `ctime`, which it had when
/// reading began at `began`.
bool settles(std::int64_t ctime, std::int64_t began) {
    if (ctime % second_ns == 0) return ctime + 2 * second_ns < began;
    if (ctime < began) return true;
    if (ctime > stamp_clock_ns() + tick_waits_max * millisecond_ns) return true;  // Not our clock.
    for (int i = 0; i < tick_waits_max; ++i) {
        if (stamp_clock_ns() > ctime) return true;
        const struct timespec wait { 0, millisecond_ns };
        nanosleep(&wait, nullptr);
    }
    return false;
}

bool same_content(const Status& a, const Status& b) {
    return a.stx_size == b.stx_size && time_ns(a.stx_mtime) == time_ns(b.stx_mtime) &&
           time_ns(a.stx_ctime) == time_ns(b.stx_ctime);
}

}  // namespace

Result<Content> ContentReader::read(int fd, vault::Entry& entry, FilesFacts& facts) {
    for (int i = 1;; ++i) {
        Status before{};
        Status after{};
        const std::int64_t began = stamp_clock_ns();
        if (const int failed = look_at(fd, before); failed != 0) return Content{0, failed};
        const Attempt got = HF_TRY(attempt(fd, before, facts));
        if (got.failed != 0) return Content{0, got.failed};
        const bool settled = settles(time_ns(before.stx_ctime), began);
        const int failed = look_at(fd, after);
        const bool changed =
            failed != 0 || !same_content(before, after) || got.bytes != before.stx_size;
        if (changed && i < attempts_max && before.stx_size <= read_again_bytes_max) {
            sink_->drop_content();
            continue;
        }
        HF_TRY(sink_->end_content());
        fill(entry, before, *owners_);
        entry.size = got.bytes;
        if (!settled) --entry.ctime_ns;
        if (drop_cache_ && got.bytes >= drop_cache_bytes_min) {
            posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        }
        return Content{got.handle, 0, changed};
    }
}

/// Leaves the content open, unless reading failed.
Result<ContentReader::Attempt> ContentReader::attempt(int fd, const Status& status,
                                                      FilesFacts& facts) {
    Attempt attempt;
    attempt.handle = HF_TRY(sink_->begin_content(shape_of(status.stx_size)));
    auto copied = copy_all(fd, status, attempt, facts);
    if (!copied || attempt.failed != 0) sink_->drop_content();
    if (!copied) return std::move(copied).error();
    return attempt;
}

Result<void> ContentReader::copy_all(int fd, const Status& status, Attempt& attempt,
                                     FilesFacts& facts) {
    const std::uint64_t size = status.stx_size;
    bool sparse = status.stx_blocks * 512 < size;
    while (attempt.bytes < size) {
        std::uint64_t end = size;
        if (sparse) {
            const off_t data = lseek(fd, static_cast<off_t>(attempt.bytes), SEEK_DATA);
            if (data < 0 && errno != ENXIO) {
                sparse = false;  // The file system does not tell.
                continue;
            }
            // ENXIO: nothing but a hole up to the end.
            const std::uint64_t start = data < 0 ? size : static_cast<std::uint64_t>(data);
            if (start > attempt.bytes) {
                HF_TRY(sink_->hole(std::min(start, size) - attempt.bytes));
                attempt.bytes = std::min(start, size);
            }
            const off_t hole = lseek(fd, static_cast<off_t>(attempt.bytes), SEEK_HOLE);
            if (hole > data && data >= 0) end = std::min(size, static_cast<std::uint64_t>(hole));
        }
        const std::uint64_t from = attempt.bytes;
        if (from < size) HF_TRY(copy_range(fd, end, attempt, facts));
        if (attempt.failed != 0 || attempt.bytes < end) return {};
    }
    return {};
}

/// Copies up to `end`, or to the end of the file if that comes first.
Result<void> ContentReader::copy_range(int fd, std::uint64_t end, Attempt& attempt,
                                       FilesFacts& facts) {
    buffer_.resize(read_bytes);
    while (attempt.bytes < end) {
        const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), end - attempt.bytes);
        const ssize_t got = pread(fd, buffer_.data(), wanted, static_cast<off_t>(attempt.bytes));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) attempt.failed = errno;
        if (got <= 0) return {};
        const auto count = static_cast<std::size_t>(got);
        HF_TRY(sink_->write(View(buffer_).first(count)));
        attempt.bytes += count;
        facts.read_bytes += count;
        if (count == buffer_.size()) HF_TRY(ticker_->tell(facts));
    }
    return {};
}

}  // namespace holdfast::agent::files
