// FileSystem's writing: blocks into data files, and what that needs at their edges.
#include "agent/mount/file_system.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t round_down(std::uint64_t bytes) {
    return bytes / block_bytes * block_bytes;
}
constexpr std::uint64_t round_up(std::uint64_t bytes) {
    return round_down(bytes + block_bytes - 1);
}

/// Writes the parts one behind the other. Answers 0 or an errno.
int write_parts(const Fd& fd, std::uint64_t offset, std::array<View, 3> parts) {
    for (std::size_t first = 0; first < parts.size();) {
        if (parts[first].empty()) {
            ++first;
            continue;
        }
        std::array<iovec, 3> vectors{};
        std::size_t count = 0;
        for (std::size_t i = first; i < parts.size(); ++i) {
            vectors[count++] = {const_cast<std::uint8_t*>(parts[i].data()), parts[i].size()};
        }
        const ssize_t n = ::pwritev(fd.get(), vectors.data(), static_cast<int>(count),
                                    static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        offset += static_cast<std::uint64_t>(n);
        for (auto left = static_cast<std::size_t>(n); left > 0;) {
            const std::size_t step = std::min(left, parts[first].size());
            parts[first] = parts[first].subspan(step);
            left -= step;
            if (parts[first].empty()) ++first;
            if (first == parts.size()) break;
        }
    }
    return 0;
}

}  // namespace

FileSystem::Ends FileSystem::plan_ends(Node& node, std::uint64_t offset, std::uint64_t bytes) {
    const Content& content = node.with_extras().content;
    const std::uint64_t end = offset + bytes;
    const std::uint64_t first = offset / block_bytes;
    const std::uint64_t last = bytes == 0 ? first : (end - 1) / block_bytes;
    Ends out{};
    out.size = node.size;
    out.cut_position = content.cut_position;
    out.fill_head = bytes > 0 && offset % block_bytes != 0 && !content.dirty.contains(first);
    out.fill_tail = bytes > 0 && end % block_bytes != 0 && !content.dirty.contains(last);
    out.begin = out.fill_head ? round_down(offset) : offset;
    out.end = out.fill_tail ? round_up(end) : end;
    out.zero_old_end = offset > node.size && node.size % block_bytes != 0 &&
                       content.dirty.contains(node.size / block_bytes);
    for (std::uint64_t block = first; bytes > 0 && block <= last; ++block) {
        if (!content.dirty.contains(block)) ++out.fresh;
    }
    return out;
}

/// Makes the data file fit for what is to be put at `offset`. With the node's write lock held.
int FileSystem::prepare_ends(NodeId id, const Ends& ends, std::uint64_t offset) {
    if (ends.cut_position > overlay_->journal().durable()) {
        const int error = overlay_->journal().sync(ends.cut_position);
        if (error != 0) return error;
    }
    if (!ends.zero_old_end) return 0;
    const Buffer zeros(std::min(round_up(ends.size), offset) - ends.size);
    const auto file = overlay_->data_file(id, false);
    if (!file) return errno;
    return write_parts(*file, ends.size, {View(zeros), View(), View()});
}

void FileSystem::mark_written(NodeId id, Node& node, std::uint64_t offset, std::uint64_t bytes,
                              bool grow) {
    Content& content = node.with_extras().content;
    const std::uint64_t before = content.dirty.count();
    const std::uint64_t first = offset / block_bytes;
    const std::uint64_t last = (offset + bytes - 1) / block_bytes;
    content.dirty.insert({first, last - first + 1}, content.pending);
    dirty_blocks_ += content.dirty.count() - before;
    if (!content.has_file) content.has_file = content.file_is_new = true;
    content.unsynced = true;
    if (grow) node.size = std::max(node.size, offset + bytes);
    node.mtime_ns = node.ctime_ns = now_ns();
    node.changed = node.times_unsynced = true;
    unsynced_.insert(id);
}

int FileSystem::write(NodeId id, std::uint64_t offset, View data) {
    if (!overlay_) return EROFS;
    if (data.empty()) return 0;
    if (offset > file_bytes_max || data.size() > file_bytes_max - offset) return EFBIG;
    if (overlay_->journal().tight()) free_space();
    int error = try_write(id, offset, data);
    if (error == ENOSPC && free_space()) error = try_write(id, offset, data);
    if (error == 0) bytes_written_ += data.size();
    return error;
}

int FileSystem::try_write(NodeId id, std::uint64_t offset, View data) {
    const std::lock_guard writing(write_lock(id));
    Ends ends{};
    {
        const std::lock_guard lock(mutex_);
        Node* node = nullptr;
        if (const int error = find_for_data(id, &node); error != 0) return error;
        ends = plan_ends(*node, offset, data.size());
    }
    const std::uint64_t end = offset + data.size();
    const bool grows = ends.fresh > 0 || end > ends.size;
    if (grows && overlay_->journal().tight()) return ENOSPC;
    if (const int error = prepare_ends(id, ends, offset); error != 0) return error;
    Buffer head(offset - ends.begin);
    Buffer tail(ends.end - end);
    if (!head.empty()) {
        if (const int error = fill_from_lower(id, ends.begin, head); error != 0) return error;
    }
    if (!tail.empty()) {
        if (const int error = fill_from_lower(id, end, tail); error != 0) return error;
    }
    const auto file = overlay_->data_file(id, true);
    if (!file) return errno;
    const int error = write_parts(*file, ends.begin, {View(head), data, View(tail)});
    if (error != 0) return error;
    const std::lock_guard lock(mutex_);
    if (Node* node = nodes_.find(id)) mark_written(id, *node, offset, data.size(), true);
    return 0;
}

int FileSystem::resize(NodeId id, std::uint64_t size) {
    if (!overlay_) return EROFS;
    if (size > file_bytes_max) return EFBIG;
    int error = try_resize(id, size);
    if (error == ENOSPC && free_space()) error = try_resize(id, size);
    return error;
}

int FileSystem::try_resize(NodeId id, std::uint64_t size) {
    const std::lock_guard writing(write_lock(id));
    Ends ends{};
    {
        const std::lock_guard lock(mutex_);
        Node* node = nullptr;
        if (const int error = find_for_data(id, &node); error != 0) return error;
        if (size > node->size) ends = plan_ends(*node, size, 0);
    }
    if (const int error = prepare_ends(id, ends, size); error != 0) return error;
    const std::lock_guard lock(mutex_);
    Node* node = nodes_.find(id);
    if (node == nullptr) return ESTALE;
    Content* content = node->content();
    const std::uint64_t before = content != nullptr ? content->dirty.count() : 0;
    const bool cuts = size < node->size && before > 0 && content->dirty.end() > size / block_bytes;
    commit_to(*node, Resized{id, size, now_ns()});
    if (!cuts) return 0;
    dirty_blocks_ -= before - content->dirty.count();
    // Without a name the node has no change of its own to wait for, but its removal may not be
    // durable yet: until it is, a crash would bring the name back, and the content must be there.
    content->cut_position = node->position;
    cut_[id] = node->position;
    return 0;
}

int FileSystem::allocate(NodeId id, int mode, std::uint64_t offset, std::uint64_t bytes) {
    if (const int error = refuse_growth(); error != 0) return error;
    if (bytes == 0) return EINVAL;
    if (offset > file_bytes_max || bytes > file_bytes_max - offset) return EFBIG;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0) {
        return EOPNOTSUPP;
    }
    int error = try_allocate(id, mode, offset, bytes);
    if (error == ENOSPC && free_space()) error = try_allocate(id, mode, offset, bytes);
    if (error != 0 || (mode & FALLOC_FL_KEEP_SIZE) != 0) return error;
    struct stat info {};
    if (const int gone = attributes(id, &info); gone != 0) return gone;
    const std::uint64_t end = offset + bytes;
    return end > static_cast<std::uint64_t>(info.st_size) ? resize(id, end) : 0;
}

int FileSystem::try_allocate(NodeId id, int mode, std::uint64_t offset, std::uint64_t bytes) {
    if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0) {
        return zero_range(id, offset, bytes);
    }
    const std::lock_guard writing(write_lock(id));
    {
        const std::lock_guard lock(mutex_);
        Node* node = nullptr;
        if (const int error = find_for_data(id, &node); error != 0) return error;
        Content& content = node->with_extras().content;
        if (!content.has_file) content.has_file = content.file_is_new = true;
    }
    const auto file = overlay_->data_file(id, true);
    if (!file) return errno;
    const std::uint64_t begin = round_down(offset);
    return ::fallocate(file->get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                       static_cast<off_t>(round_up(offset + bytes) - begin)) == 0
               ? 0
               : errno;
}

/// Clears what is in the file of the range. Whole blocks become holes of the data file.
int FileSystem::zero_range(NodeId id, std::uint64_t offset, std::uint64_t bytes) {
    struct stat info {};
    if (const int error = attributes(id, &info); error != 0) return error;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const std::uint64_t end = std::min(offset + bytes, size);
    if (offset >= end) return 0;
    // The file's last block counts as whole: nothing behind the end is ever seen.
    const std::uint64_t begin_whole = round_up(offset);
    const std::uint64_t end_whole = end == size ? round_up(end) : round_down(end);
    if (begin_whole >= end_whole) return write(id, offset, Buffer(end - offset));
    if (offset < begin_whole) {
        const int error = write(id, offset, Buffer(begin_whole - offset));
        if (error != 0) return error;
    }
    if (end_whole < end) {
        if (const int error = write(id, end_whole, Buffer(end - end_whole)); error != 0)
            return error;
    }
    const std::lock_guard writing(write_lock(id));
    Ends ends{};
    {
        const std::lock_guard lock(mutex_);
        Node* node = nullptr;
        if (const int error = find_for_data(id, &node); error != 0) return error;
        ends = plan_ends(*node, begin_whole, 0);
    }
    if (const int error = prepare_ends(id, ends, begin_whole); error != 0) return error;
    const auto file = overlay_->data_file(id, true);
    struct stat data {};
    if (!file || ::fstat(file->get(), &data) != 0) return errno;
    if (static_cast<std::uint64_t>(data.st_size) < end_whole &&
        ::ftruncate(file->get(), static_cast<off_t>(end_whole)) != 0) {
        return errno;
    }
    if (::fallocate(file->get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(begin_whole),
                    static_cast<off_t>(end_whole - begin_whole)) != 0) {
        return errno;
    }
    const std::lock_guard lock(mutex_);
    if (Node* node = nodes_.find(id)) {
        mark_written(id, *node, begin_whole, end_whole - begin_whole, false);
    }
    return 0;
}

}  // namespace holdfast::agent
