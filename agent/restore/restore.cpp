#include "agent/restore/restore.h"

#include "agent/restore/file_writer.h"
#include "agent/restore/selection.h"
#include "agent/restore/unfinished.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <unordered_map>

namespace holdfast::agent {
namespace {

// What mkfs leaves in a fresh file system; a folder that holds only this counts as empty.
constexpr const char* lost_and_found = "lost+found";

/// A file with several names.
struct Link {
    std::string path;             // Of its first name that is restored; empty if there is none yet.
    vault::ContentParts content;  // Kept while path is empty: a name left out may have it.
};
using Links = std::unordered_map<std::uint64_t, Link>;

struct CloseFolder {
    void operator()(DIR* folder) const { closedir(folder); }
};

/// Errors: Conflict (it is not), Io.
Result<void> check_empty(const std::string& path) {
    const std::unique_ptr<DIR, CloseFolder> folder(opendir(path.c_str()));
    if (!folder) return io_error(errno, "list " + path);
    while (const struct dirent* item = readdir(folder.get())) {
        const std::string name = item->d_name;
        if (name == "." || name == ".." || name == lost_and_found) continue;
        if (name == unfinished_mark) continue;
        return Error{Errc::Conflict, path + " is not empty (it holds \"" + name +
                                         "\"); restore into a new or an empty folder, or say "
                                         "what becomes of what is there (--overwrite)"};
    }
    return {};
}

struct Target {
    Fd root;
    bool made = false;
};

/// Makes the folder, or takes it if it is empty, and closes it to others; or takes it as it is.
Result<Target> open_target(const std::string& path, Overwrite overwrite, Notices& notices) {
    if (path.empty()) return Error{Errc::Invalid, "no folder to restore into was given"};
    Target target;
    target.made = mkdir(path.c_str(), 0700) == 0;
    if (!target.made && errno != EEXIST) return io_error(errno, "make the folder " + path);
    target.root = HF_TRY(open_file(path, O_RDONLY | O_DIRECTORY));
    const int root = target.root.get();
    if (target.made || overwrite != Overwrite::Refuse) return target;
    HF_TRY(check_empty(path));
    if (fchmod(root, 0700) != 0) {
        notices.warn("", std::string("the folder stays open to others while it is filled: ") +
                             std::strerror(errno));
    }
    // Else all that is made in it would get these, without ever having had them.
    fremovexattr(root, "system.posix_acl_default");
    fremovexattr(root, "system.posix_acl_access");
    return target;
}

/// True if folders that are there keep their attributes: who asks for some files only, or that
/// nothing be changed, does not mean them. A restore that goes on made them itself.
bool keeps_folders(const RestoreSettings& settings) {
    if (settings.overwrite == Overwrite::Refuse || settings.resume) return false;
    return !settings.includes.empty() || settings.overwrite == Overwrite::Never;
}

/// What is remembered from the first pass to the second.
struct Made {
    Links links;
    std::set<std::string> folders_in_use;  // Were there; they keep their attributes.
};

/// First pass: makes everything but later links; folders stay bare.
class Maker final : public TreeVisitor {
public:
    Maker(int root, FileWriter& writer, const RestoreSettings& settings, Notices& notices,
          Made& made)
        : walk_(root),
          writer_(&writer),
          settings_(&settings),
          notices_(&notices),
          made_(&made),
          dresser_(settings.owners, notices) {}

    std::uint64_t entries() const { return entries_; }
    std::uint64_t kept() const { return kept_; }
    std::uint64_t folders() const { return folders_; }

    Result<void> enter(const vault::Entry& folder) override {
        count();
        ++folders_;
        if (folder.path.empty()) return {};
        const int in = HF_TRY(parent(folder));
        if (in < 0) return {};
        switch (HF_TRY(clear_place(in, folder))) {
            case Place::Free:
                break;
            case Place::Same:
                if (keeps_folders(*settings_)) made_->folders_in_use.insert(folder.path);
                return {};
            case Place::Taken:
                notices_->damaged(folder.path, "something else is there, and stays");
                return {};
            case Place::Lost:
                return {};
        }
        if (mkdirat(in, name_of(folder.path).c_str(), 0700) == 0) return {};
        if (errno == EEXIST && folder.path == lost_and_found) return {};
        return cannot_make(folder);
    }

    Result<void> visit(const vault::Item& item) override {
        count();
        const vault::Entry& entry = item.entry;
        if (entry.hard_link == 0) return make(item);
        Link& link = made_->links[entry.hard_link];
        if (!link.path.empty()) return {};  // A later name: the second pass makes it.
        link.path = entry.path;
        if (link.content.empty()) return make(item);
        return make({entry, std::exchange(link.content, {})});
    }

    Result<void> leave(const vault::Entry&) override { return {}; }

    void pass(const vault::Item& item) override {
        if (item.entry.hard_link != 0)
            made_->links.try_emplace(item.entry.hard_link, Link{"", item.content});
    }

    void lose(const std::string& first_path, std::uint64_t entries, const Error& why) override {
        notices_->damaged(
            first_path, std::to_string(entries) + " entries from here on are lost: " + why.message);
    }

private:
    enum class Place {
        Free,
        Same,   // Is as the snapshot says.
        Taken,  // By something that stays.
        Lost,   // Cannot be cleared, which was told.
    };

    void count() {
        ++entries_;
        if (settings_->progress != nullptr) ++settings_->progress->entries;
    }

    bool merges() const { return settings_->overwrite != Overwrite::Refuse; }

    Result<Place> clear_place(int in, const vault::Entry& entry) {
        if (!merges()) return Place::Free;
        const std::string name = name_of(entry.path);
        switch (HF_TRY(look_at(in, name, entry, settings_->overwrite))) {
            case Finding::Nothing:
                return Place::Free;
            case Finding::Same:
                return Place::Same;
            case Finding::Stays:
                return Place::Taken;
            case Finding::Goes:
                break;
        }
        if (make_way(in, name, entry) == 0) return Place::Free;
        const std::string why =
            errno == ENOTEMPTY || errno == EEXIST
                ? "a folder that is not empty is there"
                : "what is there cannot be removed: " + std::string(std::strerror(errno));
        notices_->damaged(entry.path, why);
        return Place::Lost;
    }

    void keep(int in, const vault::Entry& entry, Place place) {
        ++kept_;
        if (settings_->progress != nullptr) settings_->progress->bytes += entry.size;
        if (place != Place::Same) return;
        const std::string name = name_of(entry.path);
        if (entry.type != vault::FileType::Regular) return dresser_.dress_at(in, name, entry);
        const Fd fd(openat(in, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (fd) dresser_.dress(fd.get(), entry);
        if (!fd) notices_->warn(entry.path, std::string("it stays as it is: ") + strerror(errno));
    }

    Result<void> make(const vault::Item& item) {
        const int in = HF_TRY(parent(item.entry));
        if (in < 0) return {};
        const Place place = HF_TRY(clear_place(in, item.entry));
        if (place == Place::Lost) return {};
        if (place != Place::Free) return keep(in, item.entry, place), Result<void>();
        if (item.entry.type == vault::FileType::Regular) return writer_->add(item);
        const std::string name = name_of(item.entry.path);
        if (make_special(in, name, item.entry) != 0) return cannot_make(item.entry);
        dresser_.dress_at(in, name, item.entry);
        return {};
    }

    static int make_special(int in, const std::string& name, const vault::Entry& entry) {
        const char* target = entry.link_target.c_str();
        switch (entry.type) {
            case vault::FileType::Symlink:
                return symlinkat(target, in, name.c_str());
            case vault::FileType::Fifo:
                return mknodat(in, name.c_str(), S_IFIFO | 0600, 0);
            case vault::FileType::Socket:
                return mknodat(in, name.c_str(), S_IFSOCK | 0600, 0);
            case vault::FileType::CharDevice:
                return mknodat(in, name.c_str(), S_IFCHR | 0600, entry.device);
            case vault::FileType::BlockDevice:
                return mknodat(in, name.c_str(), S_IFBLK | 0600, entry.device);
            case vault::FileType::Regular:
            case vault::FileType::Directory:
                break;
        }
        errno = EINVAL;
        return -1;
    }

    /// The folder to make `entry` in, or -1, which was told. One whose own entry is lost is made.
    Result<int> parent(const vault::Entry& entry) {
        const std::string_view folder = folder_of(entry.path);
        int in = walk_.enter(folder);
        if (in < 0 && errno == ENOENT) {
            HF_TRY(make_lost(folder));
            in = walk_.enter(folder);
        }
        if (in < 0) HF_TRY(cannot_make(entry));
        return in;
    }

    Result<void> make_lost(std::string_view folder) {
        if (folder.empty() || walk_.enter(folder) >= 0) return {};
        HF_TRY(make_lost(folder_of(folder)));
        const int in = walk_.enter(folder_of(folder));
        if (in >= 0 && mkdirat(in, name_of(folder).c_str(), 0700) == 0) {
            notices_->warn(std::string(folder), "the snapshot lost what it knew of this folder");
        }
        return {};
    }

    Result<void> cannot_make(const vault::Entry& entry) {
        if (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EROFS) {
            return io_error(errno, "make " + entry.path);
        }
        const bool device =
            entry.type == vault::FileType::CharDevice || entry.type == vault::FileType::BlockDevice;
        const std::string what = std::string("it cannot be made: ") + std::strerror(errno);
        if (device && errno == EPERM && geteuid() != 0) {
            notices_->warn(entry.path, "devices are made for root alone");
        } else {
            notices_->damaged(entry.path, what);
        }
        return {};
    }

    FolderWalk walk_;
    FileWriter* writer_;
    const RestoreSettings* settings_;
    Notices* notices_;
    Made* made_;
    Dresser dresser_;
    std::uint64_t entries_ = 0;
    std::uint64_t folders_ = 0;
    std::uint64_t kept_ = 0;
};

/// Second pass: later links, and the folders' attributes once nothing in them changes any more.
class Finisher final : public TreeVisitor {
public:
    Finisher(int root, const RestoreSettings& settings, Notices& notices, const Made& made)
        : from_(root),
          to_(root),
          settings_(&settings),
          notices_(&notices),
          made_(&made),
          dresser_(settings.owners, notices) {}

    Result<void> enter(const vault::Entry&) override { return {}; }
    void pass(const vault::Item&) override {}
    void lose(const std::string&, std::uint64_t, const Error&) override {}

    Result<void> visit(const vault::Item& item) override {
        const std::string& path = item.entry.path;
        if (item.entry.hard_link == 0) return {};
        const auto found = made_->links.find(item.entry.hard_link);
        if (found == made_->links.end() || found->second.path == path) return {};
        const std::string& first = found->second.path;
        const int from = from_.enter(folder_of(first));
        const int to = from < 0 ? -1 : to_.enter(folder_of(path));
        if (to >= 0 && HF_TRY(link(from, name_of(first), to, item.entry))) return {};
        if (errno == ENOSPC || errno == EDQUOT) return io_error(errno, "make " + path);
        notices_->damaged(
            path, "it cannot be made another name of " + first + ": " + std::strerror(errno));
        return {};
    }

    Result<void> leave(const vault::Entry& folder) override {
        if (made_->folders_in_use.contains(folder.path)) return {};
        const int fd = to_.enter(folder.path);
        if (fd >= 0) dresser_.dress(fd, folder);
        return {};  // One that is not there was told.
    }

private:
    /// False with errno if it cannot be.
    Result<bool> link(int from, const std::string& first, int to, const vault::Entry& entry) {
        const std::string name = name_of(entry.path);
        if (settings_->overwrite == Overwrite::Refuse) {
            return linkat(from, first.c_str(), to, name.c_str(), 0) == 0;
        }
        struct stat one {
        }, other{};
        const bool there = fstatat(to, name.c_str(), &other, AT_SYMLINK_NOFOLLOW) == 0;
        if (fstatat(from, first.c_str(), &one, AT_SYMLINK_NOFOLLOW) != 0) return false;
        if (there && one.st_dev == other.st_dev && one.st_ino == other.st_ino) return true;
        const Finding found = HF_TRY(look_at(to, name, entry, settings_->overwrite));
        if (found == Finding::Stays) return true;
        const std::string passing = unfinished_name(name);
        (void)unlinkat(to, passing.c_str(), 0);
        return linkat(from, first.c_str(), to, passing.c_str(), 0) == 0 &&
               renameat(to, passing.c_str(), to, name.c_str()) == 0;
    }

    FolderWalk from_;
    FolderWalk to_;
    const RestoreSettings* settings_;
    Notices* notices_;
    const Made* made_;
    Dresser dresser_;
};

Result<RestoreFacts> fill(const vault::TreeReader& tree, const ChunkReaderFactory& readers,
                          const RestoreSettings& settings, const std::vector<Glob>& includes,
                          const Target& target, Notices& notices) {
    const std::atomic<bool>* stop =
        settings.progress == nullptr ? nullptr : &settings.progress->stop;
    const int root = target.root.get();
    Made made;
    if (!target.made && keeps_folders(settings)) made.folders_in_use.insert("");
    FileWriter writer(root, readers, settings, notices);
    Maker maker(root, writer, settings, notices, made);
    HF_TRY(visit_selected(tree, includes, stop, maker));
    HF_TRY(writer.finish());
    if (maker.entries() == 0 && !includes.empty()) {
        return Error{Errc::NotFound, "no path of the snapshot matches the patterns"};
    }
    Finisher finisher(root, settings, notices, made);
    HF_TRY(visit_selected(tree, includes, stop, finisher));
    if (syncfs(root) != 0) return io_error(errno, "sync " + settings.folder);
    RestoreFacts facts;
    facts.entries = maker.entries();
    facts.folders = maker.folders();
    facts.files = writer.files();
    facts.bytes = writer.bytes();
    facts.kept = maker.kept();
    notices.move_to(facts);
    return facts;
}

}  // namespace

Result<void> check_target(const std::string& folder) {
    struct stat there {};
    if (lstat(folder.c_str(), &there) == 0) return check_empty(folder);
    return errno == ENOENT ? Result<void>() : io_error(errno, "look at " + folder);
}

Result<RestoreFacts> restore_tree(const vault::TreeReader& tree, const ChunkReaderFactory& readers,
                                  const RestoreSettings& settings) {
    const std::vector<Glob> includes = HF_TRY(parse_globs(settings.includes).within("includes"));
    Notices notices;
    const Target target = HF_TRY(open_target(settings.folder, settings.overwrite, notices));
    auto facts = fill(tree, readers, settings, includes, target, notices);
    if (facts) return facts;
    if (facts.error().code == Errc::NotFound && target.made) ::rmdir(settings.folder.c_str());
    if (facts.error().code == Errc::NotFound) return facts;
    return std::move(facts).error().within(settings.folder + " holds a part of the snapshot only");
}

}  // namespace holdfast::agent
