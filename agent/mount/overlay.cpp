#include "agent/mount/overlay.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace holdfast::agent {
namespace {

constexpr std::size_t open_files_max = 768;  // Below the usual limit of 1024 descriptors.
constexpr std::size_t snapshot_id_bytes_max = 4096;
constexpr std::string_view format_name = "holdfast overlay 1";

Buffer header_for(const std::string& snapshot_id) {
    Buffer out;
    ByteWriter to(out);
    to.text(format_name);
    to.u64(block_bytes);
    to.text(snapshot_id);
    return out;
}

Result<void> check_header(View header, const std::string& snapshot_id) {
    ByteReader in(header);
    const std::string format = in.text(format_name.size());
    const std::uint64_t block = in.u64();
    const std::string id = in.text(snapshot_id_bytes_max);
    if (!in.done() || format != format_name || block != block_bytes) {
        return Error{Errc::Invalid,
                     "not an overlay that this version can read; mount it with the "
                     "version that made it"};
    }
    if (id != snapshot_id) {
        return Error{Errc::Conflict, "the overlay belongs to snapshot " + id + ", not to " +
                                         snapshot_id + "; give another overlay folder"};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Overlay>> Overlay::open(
    const std::string& folder, const std::string& snapshot_id, std::uint64_t compact_bytes,
    const std::function<Result<void>(const Change&)>& change) {
    if (snapshot_id.empty() || snapshot_id.size() > snapshot_id_bytes_max) {
        return Error{Errc::Invalid, "an overlay needs the name of its snapshot"};
    }
    HF_TRY(make_folders(folder + "/data"));
    std::unique_ptr<Overlay> overlay(new Overlay);
    overlay->folder_ = folder;
    overlay->lock_ = HF_TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
    if (::flock(overlay->lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return io_error(errno, "lock " + folder);
        return Error{Errc::Conflict,
                     folder + ": another mount uses this overlay; unmount it first"};
    }
    overlay->data_folder_ = HF_TRY(open_file(folder + "/data", O_RDONLY | O_DIRECTORY));
    overlay->journal_ = HF_TRY(Journal::open(
        folder, header_for(snapshot_id), compact_bytes,
        [&](View header) { return check_header(header, snapshot_id); },
        [&](View record) -> Result<void> { return change(HF_TRY(decode_change(record))); }));
    return overlay;
}

std::string Overlay::data_path(NodeId node) const {
    return folder_ + "/data/" + std::to_string(node);
}

Overlay::DataFile Overlay::data_file(NodeId node, bool make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(node); found != open_.end()) {
        ages_.splice(ages_.end(), ages_, found->second.age);
        return found->second.file;
    }
    const int flags = O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0);
    Fd fd(::open(data_path(node).c_str(), flags, 0600));
    if (!fd) return nullptr;
    if (open_.size() >= open_files_max) {
        open_.erase(ages_.front());
        ages_.pop_front();
    }
    auto file = std::make_shared<const Fd>(std::move(fd));
    open_.emplace(node, Open{file, ages_.insert(ages_.end(), node)});
    return file;
}

void Overlay::remove_data_file(NodeId node) {
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(node); found != open_.end()) {
        ages_.erase(found->second.age);
        open_.erase(found);
    }
    ::unlink(data_path(node).c_str());
}

int Overlay::sync_data_folder() {
    return ::fsync(data_folder_.get()) == 0 ? 0 : errno;
}

Result<void> Overlay::sweep(const std::function<bool(NodeId)>& wanted) {
    DIR* listing = ::opendir((folder_ + "/data").c_str());
    if (listing == nullptr) return io_error(errno, "list " + folder_ + "/data");
    while (const dirent* entry = ::readdir(listing)) {
        NodeId node = 0;
        const char* end = entry->d_name + std::strlen(entry->d_name);
        const auto [rest, error] = std::from_chars(entry->d_name, end, node);
        if (error != std::errc{} || rest != end || wanted(node)) continue;
        ::unlinkat(::dirfd(listing), entry->d_name, 0);
    }
    ::closedir(listing);
    return {};
}

}  // namespace holdfast::agent
