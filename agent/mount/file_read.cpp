// FileSystem's reading.
#include "agent/mount/file_system.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace holdfast::agent {

int FileSystem::find_for_data(NodeId id, Node** out) {
    *out = nodes_.find(id);
    if (*out == nullptr) return ESTALE;
    if ((*out)->is_folder()) return EISDIR;
    return (*out)->is_regular() ? 0 : EINVAL;
}

int FileSystem::plan_read(NodeId id, std::uint64_t offset, std::uint64_t bytes, ReadPlan* plan) {
    const std::lock_guard lock(mutex_);
    Node* node = nullptr;
    if (const int error = find_for_data(id, &node); error != 0) return error;
    *plan = {};
    plan->ordinal = node->ordinal;
    const Content* content = node->content();
    if (content != nullptr) plan->cuts = content->cuts;
    std::uint64_t end = offset + std::min(bytes, node->size - std::min(offset, node->size));
    const auto add = [&](std::uint64_t to, decltype(Part::from) from) {
        if (to <= offset) return;
        plan->parts.push_back({offset, to - offset, from});
        offset = to;
    };
    while (offset < end) {
        std::uint64_t alike = end;
        bool upper = false;
        if (content != nullptr) {
            const std::uint64_t block = offset / block_bytes;
            const auto stretch =
                content->dirty.stretch_at(block, (end - 1) / block_bytes - block + 1);
            alike = std::min(end, (block + stretch.count) * block_bytes);
            upper = stretch.held;
        }
        if (upper) {
            add(alike, Part::Upper);
        } else {
            add(std::min(alike, node->lower_size), Part::Lower);
            add(alike, Part::Zeros);
        }
    }
    return 0;
}

int FileSystem::read(NodeId id, std::uint64_t offset, std::span<std::uint8_t> out,
                     std::size_t* filled) {
    for (;;) {
        ReadPlan plan;
        if (const int error = plan_read(id, offset, out.size(), &plan); error != 0) return error;
        bool moved = false;
        const int error = read_parts(id, plan, offset, out, &moved);
        if (moved) continue;  // Truncated meanwhile: what was planned is no longer there.
        if (error != 0) return error;
        *filled = 0;
        for (const Part& part : plan.parts) *filled += part.bytes;
        bytes_read_ += *filled;
        return 0;
    }
}

int FileSystem::read_parts(NodeId id, const ReadPlan& plan, std::uint64_t offset,
                           std::span<std::uint8_t> out, bool* moved) {
    for (const Part& part : plan.parts) {
        const auto to = out.subspan(part.offset - offset, part.bytes);
        if (part.from == Part::Zeros) std::memset(to.data(), 0, to.size());
        if (part.from == Part::Lower) {
            const int error = read_lower(plan.ordinal, id, part.offset, to);
            if (error != 0) return error;
        }
        if (part.from == Part::Upper) {
            const auto file = overlay_->data_file(id, false);
            const ssize_t n =
                file ? ::pread(file->get(), to.data(), to.size(), static_cast<off_t>(part.offset))
                     : -1;
            if (n >= 0 && static_cast<std::size_t>(n) == to.size()) continue;
            const int error = n < 0 ? errno : EIO;
            {
                const std::lock_guard lock(mutex_);
                Node* node = nodes_.find(id);
                *moved = node != nullptr && node->content() != nullptr &&
                         node->content()->cuts != plan.cuts;
            }
            if (*moved) return 0;
            log_("read " + path_of(id) + " at " + std::to_string(part.offset) +
                 ": the overlay's data/" + std::to_string(id) + ": " + std::strerror(error));
            return EIO;
        }
    }
    return 0;
}

int FileSystem::read_lower(std::uint64_t ordinal, NodeId id, std::uint64_t offset,
                           std::span<std::uint8_t> out) {
    const Result<std::size_t> n = lower_.read(ordinal, offset, out);
    if (n && *n == out.size()) {
        bytes_fetched_ += out.size();
        return 0;
    }
    ++lower_failures_;
    log_("read " + path_of(id) + " at " + std::to_string(offset) + ": " +
         (n ? "the snapshot's file ends before its size" : n.error().message));
    return EIO;
}

/// What a block holds before its first write. With the node's write lock held.
int FileSystem::fill_from_lower(NodeId id, std::uint64_t offset, std::span<std::uint8_t> out) {
    std::memset(out.data(), 0, out.size());
    std::uint64_t ordinal = no_ordinal;
    std::uint64_t lower_size = 0;
    {
        const std::lock_guard lock(mutex_);
        const Node* node = nodes_.find(id);
        if (node == nullptr) return ESTALE;
        ordinal = node->ordinal;
        lower_size = node->lower_size;
    }
    if (offset >= lower_size) return 0;
    return read_lower(ordinal, id, offset, out.first(std::min(out.size(), lower_size - offset)));
}

}  // namespace holdfast::agent
