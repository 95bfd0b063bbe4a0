#include "agent/mount/fuse_operations.h"

#include "agent/mount/fuse_xattr.h"

#include <algorithm>
#include <cerrno>
#include <memory>

namespace holdfast::agent {
namespace {

// Nothing changes behind the kernel's back, so it may believe what it knows for long.
constexpr double believed_s = 86400;

MountedFiles& mounted(fuse_req_t req) {
    return *static_cast<MountedFiles*>(fuse_req_userdata(req));
}

FileSystem& of(fuse_req_t req) {
    return mounted(req).files;
}

Caller caller_of(fuse_req_t req) {
    const fuse_ctx* context = fuse_req_ctx(req);
    return {context->uid, context->gid};
}

fuse_entry_param entry_of(const struct stat& info) {
    fuse_entry_param entry{};
    entry.ino = info.st_ino;
    entry.attr = info;
    entry.attr_timeout = believed_s;
    entry.entry_timeout = believed_s;
    return entry;
}

void answer(fuse_req_t req, int error) {
    fuse_reply_err(req, error);
}

void answer_entry(fuse_req_t req, int error, const struct stat& info) {
    if (error != 0) return answer(req, error);
    const fuse_entry_param entry = entry_of(info);
    // A failed reply means that the program was interrupted: the kernel took no reference.
    if (fuse_reply_entry(req, &entry) == -ENOENT) of(req).forget(info.st_ino, 1);
}

void on_init(void*, fuse_conn_info* conn) {
    // Sets what libfuse would choose otherwise. O_TRUNC comes as a truncation, because open() is
    // not answered at all. Without AUTO_INVAL_DATA our own writes do not empty the page cache.
    conn->want &= ~static_cast<unsigned>(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA |
                                         FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_HANDLE_KILLPRIV |
                                         FUSE_CAP_SPLICE_READ);
    conn->want |= conn->capable &
                  static_cast<unsigned>(FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS);
    conn->max_read = request_bytes_max;
    conn->max_write = request_bytes_max;
    conn->max_background = 64;
    conn->congestion_threshold = 48;
}

void on_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
    struct stat info {};
    const int error = of(req).lookup(parent, name, &info);
    if (error == ENOENT) {
        fuse_entry_param missing{};
        missing.entry_timeout = believed_s;
        fuse_reply_entry(req, &missing);
        return;
    }
    answer_entry(req, error, info);
}

void on_forget(fuse_req_t req, fuse_ino_t node, std::uint64_t references) {
    of(req).forget(node, references);
    fuse_reply_none(req);
}

void on_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
    for (std::size_t i = 0; i < count; ++i) of(req).forget(forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

void answer_attributes(fuse_req_t req, int error, fuse_ino_t node) {
    struct stat info {};
    if (error == 0) error = of(req).attributes(node, &info);
    if (error != 0) return answer(req, error);
    fuse_reply_attr(req, &info, believed_s);
}

void on_getattr(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
    answer_attributes(req, 0, node);
}

std::int64_t to_ns(const timespec& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void on_setattr(fuse_req_t req, fuse_ino_t node, struct stat* wanted, int which, fuse_file_info*) {
    FileSystem& fs = of(req);
    int error = 0;
    if ((which & FUSE_SET_ATTR_SIZE) != 0) {
        error = fs.resize(node, static_cast<std::uint64_t>(wanted->st_size));
    }
    Attributes set;
    const std::int64_t now = system_clock().wall_ms() * 1'000'000;
    if ((which & FUSE_SET_ATTR_MODE) != 0) set.mode = wanted->st_mode & 07777U;
    if ((which & FUSE_SET_ATTR_UID) != 0) set.uid = wanted->st_uid;
    if ((which & FUSE_SET_ATTR_GID) != 0) set.gid = wanted->st_gid;
    if ((which & FUSE_SET_ATTR_ATIME) != 0) set.atime_ns = to_ns(wanted->st_atim);
    if ((which & FUSE_SET_ATTR_MTIME) != 0) set.mtime_ns = to_ns(wanted->st_mtim);
    if ((which & FUSE_SET_ATTR_ATIME_NOW) != 0) set.atime_ns = now;
    if ((which & FUSE_SET_ATTR_MTIME_NOW) != 0) set.mtime_ns = now;
    const bool any = set.mode || set.uid || set.gid || set.atime_ns || set.mtime_ns;
    if (error == 0 && any) error = fs.set_attributes(node, set);
    answer_attributes(req, error, node);
}

void on_readlink(fuse_req_t req, fuse_ino_t node) {
    std::string target;
    if (const int error = of(req).read_link(node, &target); error != 0) return answer(req, error);
    fuse_reply_readlink(req, target.c_str());
}

void on_mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
    struct stat info {};
    const int error = of(req).make(parent, name, {mode, device, {}}, caller_of(req), &info);
    answer_entry(req, error, info);
}

void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
    on_mknod(req, parent, name, (mode & 07777U) | S_IFDIR, 0);
}

void on_symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
    struct stat info {};
    const NewNode wanted{S_IFLNK | 0777, 0, target};
    const int error = of(req).make(parent, name, wanted, caller_of(req), &info);
    answer_entry(req, error, info);
}

void on_unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
    answer(req, of(req).unlink(parent, name));
}

void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
    answer(req, of(req).remove_folder(parent, name));
}

void on_rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
               const char* new_name, unsigned flags) {
    answer(req, of(req).rename(parent, name, new_parent, new_name, flags));
}

void on_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char* name) {
    struct stat info {};
    const int error = of(req).link(node, parent, name, &info);
    answer_entry(req, error, info);
}

/// "Not implemented" makes the kernel open and close files by itself from now on: no file has
/// state of ours. (Linux 3.16 and later.)
void on_open(fuse_req_t req, fuse_ino_t, fuse_file_info*) {
    answer(req, ENOSYS);
}

void on_create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode,
               fuse_file_info* file) {
    struct stat info {};
    const NewNode wanted{(mode & 07777U) | S_IFREG, 0, {}};
    const int error = of(req).make(parent, name, wanted, caller_of(req), &info);
    if (error != 0) return answer(req, error);
    file->keep_cache = 1;
    const fuse_entry_param entry = entry_of(info);
    if (fuse_reply_create(req, &entry, file) == -ENOENT) of(req).forget(info.st_ino, 1);
}

void on_read(fuse_req_t req, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
    // One buffer a thread: a fresh megabyte each time would cost its page faults.
    thread_local Buffer buffer(request_bytes_max);
    if (buffer.size() < size) buffer.resize(size);
    std::size_t filled = 0;
    const int error = of(req).read(node, static_cast<std::uint64_t>(offset),
                                   std::span(buffer).first(size), &filled);
    if (error != 0) return answer(req, error);
    fuse_reply_buf(req, reinterpret_cast<const char*>(buffer.data()), filled);
}

void on_write(fuse_req_t req, fuse_ino_t node, const char* data, std::size_t size, off_t offset,
              fuse_file_info*) {
    const int error = of(req).write(node, static_cast<std::uint64_t>(offset),
                                    as_view(std::string_view(data, size)));
    if (error != 0) return answer(req, error);
    fuse_reply_write(req, size);
}

void on_fsync(fuse_req_t req, fuse_ino_t node, int data_only, fuse_file_info*) {
    answer(req, of(req).sync(node, data_only != 0));
}

void on_fsyncdir(fuse_req_t req, fuse_ino_t, int, fuse_file_info*) {
    answer(req, of(req).sync_folder());
}

void on_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t bytes,
                  fuse_file_info*) {
    answer(req, of(req).allocate(node, mode, static_cast<std::uint64_t>(offset),
                                 static_cast<std::uint64_t>(bytes)));
}

// A folder is listed as it was when its reading began; an offset is a place in that list, so that
// it stays good whatever is made or removed meanwhile. Rewinding lists anew.

void on_opendir(fuse_req_t req, fuse_ino_t, fuse_file_info* file) {
    OpenFolders<Names>& open = mounted(req).open_folders;
    const std::uint64_t number = open.add(std::make_unique<Names>());
    file->fh = number;
    if (fuse_reply_open(req, file) != 0) open.remove(number);  // Else on_releasedir() does.
}

void on_releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info* file) {
    mounted(req).open_folders.remove(file->fh);
    answer(req, 0);
}

/// Appends one entry to `out`; answers its size, which is above `room` if it did not fit.
using AddEntry = std::size_t (*)(fuse_req_t req, fuse_ino_t folder, char* out, std::size_t room,
                                 const std::pair<std::string, NodeId>& entry, off_t next);

std::size_t add_plain(fuse_req_t req, fuse_ino_t, char* out, std::size_t room,
                      const std::pair<std::string, NodeId>& entry, off_t next) {
    struct stat info {};
    if (of(req).attributes(entry.second, &info) != 0) return 0;
    return fuse_add_direntry(req, out, room, entry.first.c_str(), &info, next);
}

std::size_t add_plus(fuse_req_t req, fuse_ino_t folder, char* out, std::size_t room,
                     const std::pair<std::string, NodeId>& entry, off_t next) {
    fuse_entry_param param{};
    const std::string& name = entry.first;
    if (name == "." || name == "..") {
        param.attr.st_ino = entry.second;
        param.attr.st_mode = S_IFDIR;
        return fuse_add_direntry_plus(req, out, room, name.c_str(), &param, next);
    }
    struct stat info {};
    if (of(req).lookup(folder, name, &info) != 0) return 0;  // Removed since it was listed.
    param = entry_of(info);
    const std::size_t size = fuse_add_direntry_plus(req, out, room, name.c_str(), &param, next);
    if (size > room) of(req).forget(info.st_ino, 1);
    return size;
}

void list_folder(fuse_req_t req, fuse_ino_t folder, std::size_t size, off_t offset,
                 fuse_file_info* file, AddEntry add) {
    Names& names = mounted(req).open_folders.at(file->fh);
    if (offset == 0) {
        if (const int error = of(req).list(folder, &names); error != 0) return answer(req, error);
    }
    std::vector<char> out(size);
    std::size_t used = 0;
    for (auto at = static_cast<std::size_t>(offset); at < names.size(); ++at) {
        const std::size_t room = size - used;
        const std::size_t added =
            add(req, folder, out.data() + used, room, names[at], static_cast<off_t>(at + 1));
        if (added > room) break;
        used += added;
    }
    fuse_reply_buf(req, out.data(), used);
}

void on_readdir(fuse_req_t req, fuse_ino_t folder, std::size_t size, off_t offset,
                fuse_file_info* file) {
    list_folder(req, folder, size, offset, file, add_plain);
}

void on_readdirplus(fuse_req_t req, fuse_ino_t folder, std::size_t size, off_t offset,
                    fuse_file_info* file) {
    list_folder(req, folder, size, offset, file, add_plus);
}

void on_statfs(fuse_req_t req, fuse_ino_t) {
    struct statvfs info {};
    if (const int error = of(req).statistics(&info); error != 0) return answer(req, error);
    fuse_reply_statfs(req, &info);
}

void on_setxattr(fuse_req_t req, fuse_ino_t node, const char* name, const char* value,
                 std::size_t size, int flags) {
    answer(req, of(req).set_xattr(node, name, as_view(std::string_view(value, size)), flags));
}

void on_getxattr(fuse_req_t req, fuse_ino_t node, const char* name, std::size_t size) {
    Buffer value;
    const int error = of(req).get_xattr(node, name, &value);
    answer_xattr(req, error, value, size);
}

void on_listxattr(fuse_req_t req, fuse_ino_t node, std::size_t size) {
    std::string names;
    const int error = of(req).list_xattrs(node, &names);
    answer_xattr(req, error, as_view(names), size);
}

void on_removexattr(fuse_req_t req, fuse_ino_t node, const char* name) {
    answer(req, of(req).remove_xattr(node, name));
}

fuse_lowlevel_ops make_operations() {
    fuse_lowlevel_ops ops{};
    ops.init = on_init;
    ops.lookup = on_lookup;
    ops.forget = on_forget;
    ops.forget_multi = on_forget_multi;
    ops.getattr = on_getattr;
    ops.setattr = on_setattr;
    ops.readlink = on_readlink;
    ops.mknod = on_mknod;
    ops.mkdir = on_mkdir;
    ops.symlink = on_symlink;
    ops.unlink = on_unlink;
    ops.rmdir = on_rmdir;
    ops.rename = on_rename;
    ops.link = on_link;
    ops.open = on_open;
    ops.create = on_create;
    ops.read = on_read;
    ops.write = on_write;
    ops.fsync = on_fsync;
    ops.fsyncdir = on_fsyncdir;
    ops.fallocate = on_fallocate;
    ops.opendir = on_opendir;
    ops.releasedir = on_releasedir;
    ops.readdir = on_readdir;
    ops.readdirplus = on_readdirplus;
    ops.statfs = on_statfs;
    ops.setxattr = on_setxattr;
    ops.getxattr = on_getxattr;
    ops.listxattr = on_listxattr;
    ops.removexattr = on_removexattr;
    return ops;
}

}  // namespace

const fuse_lowlevel_ops& fuse_operations() {
    static const fuse_lowlevel_ops ops = make_operations();
    return ops;
}

}  // namespace holdfast::agent
