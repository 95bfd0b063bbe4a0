#include "agent/mount/archive.h"

#include "agent/mount/fuse_xattr.h"
#include "agent/mount/open_folders.h"
#include "vault/base/closer.h"
#include "vault/base/file.h"

#include <array>
#include <cerrno>
#include <memory>

namespace holdfast::agent {
namespace {

// New snapshots appear, and forgotten ones go: so the kernel asks again after a while.
constexpr double believed_s = 5;
constexpr std::size_t read_bytes_max = 1 << 20;

using Session = std::unique_ptr<fuse_session, Closer<fuse_session_destroy>>;
using Entries = std::vector<ArchiveEntry>;

struct MountedArchive {
    Archive& archive;
    OpenFolders<Entries> open_folders;
};

MountedArchive& mounted(fuse_req_t req) {
    return *static_cast<MountedArchive*>(fuse_req_userdata(req));
}

Archive& of(fuse_req_t req) {
    return mounted(req).archive;
}

void on_init(void*, fuse_conn_info* conn) {
    conn->max_read = read_bytes_max;
    // Each entry of a listing would be looked up, and so leave a reference.
    conn->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS | FUSE_CAP_SPLICE_READ);
}

void on_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
    fuse_entry_param entry{};
    if (const int error = of(req).look_up(parent, name, &entry.attr); error != 0) {
        fuse_reply_err(req, error);
        return;
    }
    entry.ino = entry.attr.st_ino;
    entry.attr_timeout = entry.entry_timeout = believed_s;
    if (fuse_reply_entry(req, &entry) == -ENOENT) of(req).forget(entry.ino, 1);
}

void on_forget(fuse_req_t req, fuse_ino_t node, std::uint64_t references) {
    of(req).forget(node, references);
    fuse_reply_none(req);
}

void on_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
    for (std::size_t i = 0; i < count; ++i) of(req).forget(forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

void on_getattr(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
    struct stat about {};
    const int error = of(req).attributes(node, &about);
    if (error != 0) {
        fuse_reply_err(req, error);
    } else {
        fuse_reply_attr(req, &about, believed_s);
    }
}

void on_readlink(fuse_req_t req, fuse_ino_t node) {
    std::string target;
    const int error = of(req).read_link(node, &target);
    if (error != 0) {
        fuse_reply_err(req, error);
    } else {
        fuse_reply_readlink(req, target.c_str());
    }
}

void on_open(fuse_req_t req, fuse_ino_t, fuse_file_info* file) {
    if ((file->flags & O_ACCMODE) != O_RDONLY) {
        fuse_reply_err(req, EROFS);
        return;
    }
    file->keep_cache = 1;  // A snapshot does not change.
    fuse_reply_open(req, file);
}

void on_read(fuse_req_t req, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
    Buffer out(size);
    std::size_t filled = 0;
    const int error = of(req).read(node, static_cast<std::uint64_t>(offset), out, &filled);
    if (error != 0) {
        fuse_reply_err(req, error);
    } else {
        fuse_reply_buf(req, reinterpret_cast<const char*>(out.data()), filled);
    }
}

// A folder is listed as it was when its reading began; an offset is a place in that list.

void on_opendir(fuse_req_t req, fuse_ino_t node, fuse_file_info* file) {
    auto entries = std::make_unique<Entries>();
    struct stat about {};
    int error = of(req).attributes(node, &about);
    if (error == 0) error = of(req).list(node, entries.get());
    if (error != 0) {
        fuse_reply_err(req, error);
        return;
    }
    ArchiveEntry self{".", about};
    ArchiveEntry parent{"..", {}};
    parent.about.st_mode = S_IFDIR;
    entries->insert(entries->begin(), {std::move(self), std::move(parent)});
    OpenFolders<Entries>& open = mounted(req).open_folders;
    const std::uint64_t number = open.add(std::move(entries));
    file->fh = number;
    if (fuse_reply_open(req, file) != 0) open.remove(number);  // Else on_releasedir() does.
}

void on_releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info* file) {
    mounted(req).open_folders.remove(file->fh);
    fuse_reply_err(req, 0);
}

void on_readdir(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* file) {
    const Entries& entries = mounted(req).open_folders.at(file->fh);
    std::vector<char> out(size);
    std::size_t used = 0;
    for (auto at = static_cast<std::size_t>(offset); at < entries.size(); ++at) {
        const ArchiveEntry& entry = entries[at];
        const std::size_t added =
            fuse_add_direntry(req, out.data() + used, size - used, entry.name.c_str(), &entry.about,
                              static_cast<off_t>(at + 1));
        if (added > size - used) break;
        used += added;
    }
    fuse_reply_buf(req, out.data(), used);
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

fuse_lowlevel_ops make_operations() {
    fuse_lowlevel_ops ops{};
    ops.init = on_init;
    ops.lookup = on_lookup;
    ops.forget = on_forget;
    ops.forget_multi = on_forget_multi;
    ops.getattr = on_getattr;
    ops.readlink = on_readlink;
    ops.open = on_open;
    ops.read = on_read;
    ops.opendir = on_opendir;
    ops.releasedir = on_releasedir;
    ops.readdir = on_readdir;
    ops.getxattr = on_getxattr;
    ops.listxattr = on_listxattr;
    return ops;
}

Result<Session> make_session(MountedArchive& archive, const ArchiveMount& settings) {
    static const fuse_lowlevel_ops operations = make_operations();
    std::string program = "holdfast";
    std::string flag = "-o";
    std::string options =
        "fsname=" + settings.name +
        ",subtype=holdfast,default_permissions,ro,max_read=" + std::to_string(read_bytes_max);
    std::array<char*, 3> argv{program.data(), flag.data(), options.data()};
    fuse_args args = FUSE_ARGS_INIT(static_cast<int>(argv.size()), argv.data());
    Session session(fuse_session_new(&args, &operations, sizeof operations, &archive));
    fuse_opt_free_args(&args);
    if (!session) return Error{Errc::Invalid, "libfuse refuses the mount options " + options};
    return session;
}

}  // namespace

Result<void> serve_archive(Archive& archive, const ArchiveMount& settings) {
    MountedArchive mounted{archive, {}};
    const Session session = HF_TRY(make_session(mounted, settings));
    if (fuse_set_signal_handlers(session.get()) != 0) {
        return Error{Errc::Io, "cannot watch for signals"};
    }
    if (fuse_session_mount(session.get(), settings.folder.c_str()) != 0) {
        fuse_remove_signal_handlers(session.get());
        return Error{Errc::Denied, "the kernel refuses to mount on " + settings.folder +
                                       "; is /dev/fuse there, and may this user mount?"};
    }
    if (settings.ready) settings.ready();
    const int error = fuse_session_loop(session.get());
    fuse_session_unmount(session.get());
    fuse_remove_signal_handlers(session.get());
    if (error < 0) return io_error(-error, "serve " + settings.folder);
    return {};
}

}  // namespace holdfast::agent
