#include "agent/source/image/nbd_export.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace holdfast::agent::image {
namespace {

constexpr std::size_t nbd_request_bytes = 1 << 20;
constexpr std::size_t nbd_requests_max = 8;
constexpr std::uint64_t status_bytes_max = 1ULL << 31;  // Of one question; the wire has 32 bits.

}  // namespace

NbdExport::NbdExport(Handle handle, std::string place, int patience_ms)
    : handle_(std::move(handle)), place_(std::move(place)), patience_ms_(patience_ms) {}

Error NbdExport::failure(const std::string& what) const {
    const int number = nbd_get_errno();
    const char* said = nbd_get_error();
    const std::string text = what + " " + place_ + ": " + (said != nullptr ? said : "no reason");
    switch (number) {
        case ECONNREFUSED:
        case ECONNRESET:
        case EPIPE:
        case ENOENT:
        case ETIMEDOUT:
        case ENOTCONN:
        case EHOSTUNREACH:
            return {Errc::Unreachable, text};
        case EPERM:
        case EACCES:
            return {Errc::Denied, text};
        case EINVAL:
            return {Errc::Invalid, text};
        default:
            return {Errc::Io, text};
    }
}

Result<void> NbdExport::wait(const std::string& what) {
    const int moved = nbd_poll(handle_.get(), patience_ms_);
    if (moved < 0) return failure(what);
    if (moved == 0) {
        return Error{Errc::Unreachable, what + " " + place_ + ": the server was silent for " +
                                            std::to_string(patience_ms_ / 1000) + " s"};
    }
    return {};
}

Result<void> NbdExport::connect(const std::string& uri) {
    // Certificates are files that the URI names; who writes the settings may read them anyway.
    if (nbd_set_uri_allow_local_file(handle_.get(), true) != 0 ||
        nbd_aio_connect_uri(handle_.get(), uri.c_str()) != 0) {
        return failure("connect to");
    }
    while (nbd_aio_is_ready(handle_.get()) == 0) {
        if (nbd_aio_is_dead(handle_.get()) != 0 || nbd_aio_is_closed(handle_.get()) != 0) {
            return failure("connect to");
        }
        HF_TRY(wait("connect to"));
    }
    return {};
}

Result<bool> NbdExport::has_context(const Context& context) {
    const int has = nbd_can_meta_context(handle_.get(), context.name.c_str());
    if (has < 0) return failure("ask");
    return has == 1;
}

Result<NbdExport> NbdExport::open(const std::string& uri, const std::string& bitmap,
                                  int patience_ms) {
    Handle handle(nbd_create());
    if (!handle) return Error{Errc::Io, "libnbd gives no handle"};
    NbdExport disk(std::move(handle), uri, patience_ms);
    nbd_handle* const h = disk.handle_.get();
    if (!bitmap.empty()) disk.dirty_.name = "qemu:dirty-bitmap:" + bitmap;
    if (nbd_add_meta_context(h, disk.zeros_.name.c_str()) != 0 ||
        (!bitmap.empty() && nbd_add_meta_context(h, disk.dirty_.name.c_str()) != 0)) {
        return disk.failure("ask");
    }
    HF_TRY(disk.connect(uri));
    disk.zeros_.used = HF_TRY(disk.has_context(disk.zeros_));
    disk.dirty_.used = !bitmap.empty();
    if (!bitmap.empty()) {
        const bool has = HF_TRY(disk.has_context(disk.dirty_));
        if (!has) {
            return Error{Errc::Invalid,
                         uri + " does not export the dirty bitmap \"" + bitmap + "\""};
        }
    }
    const std::int64_t bytes = nbd_get_size(h);
    if (bytes < 0) return disk.failure("size");
    disk.bytes_ = static_cast<std::uint64_t>(bytes);
    const std::int64_t most = nbd_get_block_size(h, LIBNBD_SIZE_MAXIMUM);  // 0: it does not say.
    if (most < 0) return disk.failure("ask");
    disk.request_bytes_ = nbd_request_bytes;
    if (most > 0) {
        disk.request_bytes_ =
            std::min<std::size_t>(nbd_request_bytes, static_cast<std::size_t>(most));
    }
    return disk;
}

int NbdExport::on_extents(void* user, const char* name, std::uint64_t offset,
                          std::uint32_t* entries, std::size_t count, int* error) {
    auto* const disk = static_cast<NbdExport*>(user);
    Context* const context = disk->zeros_.name == name   ? &disk->zeros_
                             : disk->dirty_.name == name ? &disk->dirty_
                                                         : nullptr;
    if (context == nullptr) return 0;
    context->begin = offset;
    context->parts.clear();
    std::uint64_t end = offset;
    for (std::size_t i = 0; i + 1 < count; i += 2) {
        const bool is_set = (entries[i + 1] & context->flag) != 0;
        if (entries[i] == 0 || entries[i] > disk->bytes_ - end) {
            *error = EPROTO;
            return -1;
        }
        end += entries[i];
        if (!context->parts.empty() && context->parts.back().is_set == is_set) {
            context->parts.back().end = end;
        } else {
            context->parts.push_back({end, is_set});
        }
        if (end == disk->bytes_) break;
    }
    return 0;
}

NbdExport::Part NbdExport::known(Context& context, std::uint64_t at) {
    while (!context.parts.empty() && context.parts.front().end <= at) {
        context.begin = context.parts.front().end;
        context.parts.pop_front();
    }
    if (context.parts.empty() || context.begin > at) return {};
    return context.parts.front();
}

Result<void> NbdExport::ask_status(std::uint64_t at) {
    zeros_.parts.clear();
    dirty_.parts.clear();
    const std::uint64_t length = std::min(bytes_ - at, status_bytes_max);
    const std::int64_t cookie =
        nbd_aio_block_status(handle_.get(), length, at, {&NbdExport::on_extents, this, nullptr},
                             {nullptr, nullptr, nullptr}, 0);
    if (cookie < 0) return failure("ask for the extents of");
    for (;;) {
        const int done =
            nbd_aio_command_completed(handle_.get(), static_cast<std::uint64_t>(cookie));
        if (done < 0) return failure("ask for the extents of");
        if (done == 1) return {};
        HF_TRY(wait("ask for the extents of"));
    }
}

Result<Region> NbdExport::region(std::uint64_t at) {
    Region region{bytes_ - at, Region::Kind::Data};
    if (!zeros_.used && !dirty_.used) return region;
    const auto lacks = [&](Context& context) {
        return context.used && known(context, at).end == 0;
    };
    if (lacks(zeros_) || lacks(dirty_)) HF_TRY(ask_status(at));
    if (lacks(zeros_) || lacks(dirty_)) {
        return Error{Errc::Corrupt,
                     place_ + " does not tell its extents at byte " + std::to_string(at)};
    }
    if (dirty_.used) {
        const Part part = known(dirty_, at);
        region.length = std::min(region.length, part.end - at);
        if (!part.is_set) region.kind = Region::Kind::Unchanged;
    }
    if (zeros_.used) {
        const Part part = known(zeros_, at);
        region.length = std::min(region.length, part.end - at);
        if (part.is_set) region.kind = Region::Kind::Zeros;
    }
    return region;
}

Result<void> NbdExport::read(std::uint64_t at, std::uint64_t length, const Take& take) {
    const std::uint64_t end = at + length;
    while (at < end || !requests_.empty()) {
        while (at < end && requests_.size() < nbd_requests_max) {
            Request& request = requests_.emplace_back();
            request.at = at;
            request.data.resize(std::min<std::uint64_t>(request_bytes_, end - at));
            request.cookie = nbd_aio_pread(handle_.get(), request.data.data(), request.data.size(),
                                           at, {nullptr, nullptr, nullptr}, 0);
            if (request.cookie < 0) return failure("read");
            at += request.data.size();
        }
        Request& first = requests_.front();
        const std::string what = "read byte " + std::to_string(first.at) + " of";
        const int done =
            nbd_aio_command_completed(handle_.get(), static_cast<std::uint64_t>(first.cookie));
        if (done < 0) return failure(what);
        if (done == 0) {
            HF_TRY(wait(what));
            continue;
        }
        HF_TRY(take(first.data));
        requests_.pop_front();
    }
    return {};
}

}  // namespace holdfast::agent::image
