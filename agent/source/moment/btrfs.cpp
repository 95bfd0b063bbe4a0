#include "agent/source/moment/moment.h"
#include "agent/source/passing_name.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace holdfast::agent::moment {
namespace {

constexpr std::string_view btrfs_prefix = ".holdfast-moment-";
constexpr ino_t subvolume_inode = 256;  // BTRFS_FIRST_FREE_OBJECTID: of each subvolume's root.

Error full_or_io(int number, const std::string& what) {
    if (number == ENOSPC || number == EDQUOT) return {Errc::Full, what + ": no room"};
    return io_error(number, what);
}

Result<void> destroy(int root, const std::string& name, const std::string& where) {
    btrfs_ioctl_vol_args args{};
    name.copy(args.name, sizeof args.name - 1);
    if (::ioctl(root, BTRFS_IOC_SNAP_DESTROY, &args) != 0) {
        return io_error(errno, "delete the subvolume " + where + "/" + name);
    }
    return {};
}

class BtrfsMoment final : public Moment {
public:
    BtrfsMoment(Fd root, std::string root_path, std::string name, const std::string& below)
        : root_(std::move(root)),
          root_path_(std::move(root_path)),
          name_(std::move(name)),
          folder_(root_path_ + "/" + name_ + below) {}
    ~BtrfsMoment() override {
        if (root_) (void)destroy(root_.get(), name_, root_path_);
    }
    const std::string& folder() const override { return folder_; }
    std::vector<std::string> own_names() const override {
        return {"/" + std::string(btrfs_prefix) + "*"};
    }
    Result<void> end() override {
        const Fd root = std::move(root_);
        return destroy(root.get(), name_, root_path_);
    }

private:
    Fd root_;
    std::string root_path_, name_, folder_;
};

/// The folder at or above `folder` that is a subvolume's root.
Result<std::string> subvolume_of(const std::string& folder) {
    std::string at = folder;
    for (;;) {
        struct stat info {};
        if (::stat((at + "/.").c_str(), &info) != 0) return io_error(errno, "look at " + at);
        if (info.st_ino == subvolume_inode) return at;
        if (at.empty()) return Error{Errc::Io, folder + " is in no btrfs subvolume"};
        at.resize(at.rfind('/'));
    }
}

/// Calls `visit` with the path below `folder` of each subvolume there.
template <class Visit>
Result<void> for_each_nested(const Fd& folder, const std::string& path, Visit visit) {
    btrfs_ioctl_get_subvol_rootref_args refs{};
    for (bool more = true; more;) {
        more = false;
        if (::ioctl(folder.get(), BTRFS_IOC_GET_SUBVOL_ROOTREF, &refs) != 0) {
            if (errno != EOVERFLOW) return io_error(errno, "list the subvolumes below " + path);
            more = true;  // It fills the list, and goes on from min_treeid.
        }
        for (std::size_t i = 0; i < refs.num_items; ++i) {
            btrfs_ioctl_ino_lookup_user_args where{};
            where.treeid = refs.rootref[i].treeid;
            where.dirid = refs.rootref[i].dirid;
            // EACCES, ENOENT: it is not below this folder, or went away meanwhile.
            if (::ioctl(folder.get(), BTRFS_IOC_INO_LOOKUP_USER, &where) != 0) {
                if (errno == EACCES || errno == ENOENT) continue;
                return io_error(errno, "find the subvolumes below " + path);
            }
            HF_TRY(visit(std::string(where.path) + where.name));
        }
    }
    return {};
}

/// True if a pattern takes out the folder at `path` or one above it.
bool is_excluded(const std::vector<Glob>& excludes, const std::string& path) {
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
        if (any_matches(excludes, std::string_view(path).substr(0, end), true)) return true;
        if (end == path.npos) return false;
    }
}

Result<void> sweep(const Fd& root, const std::string& root_path) {
    std::error_code failed;
    std::vector<std::string> old;
    for (std::filesystem::directory_iterator at(root_path, failed), end; !failed && at != end;
         at.increment(failed)) {
        std::string name = at->path().filename().string();
        if (is_left_over(name, btrfs_prefix)) old.push_back(std::move(name));
    }
    if (failed) return Error{Errc::Io, "read " + root_path + ": " + failed.message()};
    for (const std::string& name : old) HF_TRY(destroy(root.get(), name, root_path));
    return {};
}

}  // namespace

Result<std::unique_ptr<Moment>> hold_btrfs(const std::string& folder,
                                           const std::vector<Glob>& excludes) {
    std::error_code failed;
    std::string path = std::filesystem::canonical(folder, failed).string();
    if (failed) return io_error(failed.value(), "look at " + folder);
    if (path == "/") path.clear();
    const Fd opened = HF_TRY(open_file(path + "/.", O_RDONLY | O_DIRECTORY));
    struct statfs system {};
    if (::fstatfs(opened.get(), &system) != 0) return io_error(errno, "look at " + path);
    if (system.f_type != BTRFS_SUPER_MAGIC) {
        return Error{Errc::Invalid, folder + " is not on btrfs; atomic = \"btrfs\" cannot hold it"};
    }
    HF_TRY(for_each_nested(opened, path, [&](const std::string& nested) -> Result<void> {
        if (nested.starts_with(btrfs_prefix) || is_excluded(excludes, nested)) return {};
        return Error{Errc::Invalid,
                     folder + "/" + nested + " is a subvolume of its own, which a snapshot of " +
                         folder +
                         " does not hold: exclude it, and name it as a source of its "
                         "own"};
    }));
    const std::string root_path = HF_TRY(subvolume_of(path));
    Fd root = HF_TRY(open_file(root_path + "/.", O_RDONLY | O_DIRECTORY));
    HF_TRY(sweep(root, root_path + "/"));
    const std::string name = passing_name(btrfs_prefix);
    btrfs_ioctl_vol_args_v2 args{};
    args.fd = root.get();
    args.flags = BTRFS_SUBVOL_RDONLY;
    name.copy(args.name, sizeof args.name - 1);
    if (::ioctl(root.get(), BTRFS_IOC_SNAP_CREATE_V2, &args) != 0) {
        return full_or_io(errno, "take a btrfs snapshot of " + root_path);
    }
    return std::unique_ptr<Moment>(std::make_unique<BtrfsMoment>(std::move(root), root_path, name,
                                                                 path.substr(root_path.size())));
}

}  // namespace holdfast::agent::moment
