#include "agent/browse/tar.h"

#include "agent/browse/list_folder.h"
#include "agent/restore/notices.h"
#include "vault/base/damage.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace holdfast::agent {
namespace {

constexpr int block_bytes = 256 << 10;    // Of one write to the stream.
constexpr int last_block_bytes = 10'240;  // What the end is filled up to: tar's own record.
constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::string_view acl_access = "system.posix_acl_access";
constexpr std::string_view acl_default = "system.posix_acl_default";
constexpr std::uint32_t acl_version = 2;  // Of the attribute's bytes (linux/posix_acl_xattr.h).

/// Paths are UTF-8 to libarchive while it lives, whatever the user's locale is.
class Utf8 {
public:
    Utf8() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (locale_ != nullptr) before_ = ::uselocale(locale_);
    }
    ~Utf8() {
        if (locale_ == nullptr) return;
        ::uselocale(before_);
        ::freelocale(locale_);
    }
    Utf8(const Utf8&) = delete;
    Utf8& operator=(const Utf8&) = delete;

private:
    locale_t locale_;
    locale_t before_ = nullptr;
};

struct FreeArchive {
    void operator()(archive* one) const {
        // Else an archive that broke off would get an end mark, and look whole.
        ::archive_write_fail(one);
        ::archive_write_free(one);
    }
};
struct FreeEntry {
    void operator()(archive_entry* one) const { ::archive_entry_free(one); }
};
using ArchiveEntry = std::unique_ptr<archive_entry, FreeEntry>;

mode_t type_of(vault::FileType type) {
    switch (type) {
        case vault::FileType::Regular:
            return AE_IFREG;
        case vault::FileType::Directory:
            return AE_IFDIR;
        case vault::FileType::Symlink:
            return AE_IFLNK;
        case vault::FileType::Fifo:
            return AE_IFIFO;
        case vault::FileType::Socket:
            return AE_IFSOCK;
        case vault::FileType::CharDevice:
            return AE_IFCHR;
        case vault::FileType::BlockDevice:
            return AE_IFBLK;
    }
    return AE_IFREG;
}

std::optional<int> acl_tag(std::uint16_t tag) {
    switch (tag) {
        case 0x01:
            return ARCHIVE_ENTRY_ACL_USER_OBJ;
        case 0x02:
            return ARCHIVE_ENTRY_ACL_USER;
        case 0x04:
            return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
        case 0x08:
            return ARCHIVE_ENTRY_ACL_GROUP;
        case 0x10:
            return ARCHIVE_ENTRY_ACL_MASK;
        case 0x20:
            return ARCHIVE_ENTRY_ACL_OTHER;
        default:
            return std::nullopt;
    }
}

/// False if `value` is no ACL as the kernel writes one.
bool add_acl(archive_entry* to, int type, View value) {
    ByteReader in(value);
    constexpr std::size_t entry_bytes = 8;
    if (value.size() % entry_bytes != 4 || in.u32() != acl_version) return false;
    while (in.left() != 0) {
        const std::uint16_t tag = in.u16();
        const std::uint16_t permissions = in.u16();
        const std::uint32_t id = in.u32();
        const auto known = acl_tag(tag);
        const bool names = tag == 0x02 || tag == 0x08;
        if (!known || permissions > 7) return false;
        ::archive_entry_acl_add_entry(to, type, permissions, *known,
                                      names ? static_cast<int>(id) : -1, nullptr);
    }
    return true;
}

class TarWriter {
public:
    TarWriter(const TakeBytes& take, RestoreProgress& progress)
        : take_(&take), progress_(&progress), out_(::archive_write_new()) {}

    Result<void> open() {
        archive* const out = out_.get();
        ::archive_write_set_format_pax(out);
        ::archive_write_set_bytes_per_block(out, block_bytes);
        ::archive_write_set_bytes_in_last_block(out, last_block_bytes);
        return done(::archive_write_open(out, this, nullptr, &TarWriter::on_write, nullptr), "");
    }

    Result<void> add_source(const SnapshotTrees::Source& source, std::string_view path,
                            vault::ChunkReader& chunks) {
        links_.clear();
        vault::Item top = HF_TRY(source.tree.find(path));
        HF_TRY(add(source, top, chunks));
        if (top.entry.type != vault::FileType::Directory) return {};
        return list_folder(source.tree, path, true,
                           [&](const vault::Item& item) { return add(source, item, chunks); });
    }

    Result<RestoreFacts> close() {
        HF_TRY(done(::archive_write_close(out_.get()), ""));
        notices_.move_to(facts_);
        return std::move(facts_);
    }

private:
    static la_ssize_t on_write(archive* out, void* self, const void* bytes, std::size_t length) {
        TarWriter& writer = *static_cast<TarWriter*>(self);
        const auto taken = (*writer.take_)(View(static_cast<const std::uint8_t*>(bytes), length));
        if (taken) return static_cast<la_ssize_t>(length);
        writer.failed_ = taken.error();
        ::archive_set_error(out, EIO, "%s", taken.error().message.c_str());
        return -1;
    }

    /// What libarchive answered. A warning is told, and is no failure.
    Result<void> done(int status, const std::string& path) {
        if (failed_) return *failed_;
        if (status == ARCHIVE_OK) return {};
        // Names that are no UTF-8 were written as the bytes that they are.
        const bool bytes = ::archive_errno(out_.get()) == EILSEQ;
        if (status == ARCHIVE_WARN && bytes) return {};
        const char* const why = ::archive_error_string(out_.get());
        const std::string what = std::string("tar: ") + (why == nullptr ? "failed" : why);
        if (status != ARCHIVE_WARN)
            return Error{Errc::Io, path.empty() ? what : path + ": " + what};
        notices_.warn(path, what);
        return {};
    }

    Result<void> go_on() const {
        if (!progress_->stop) return {};
        return Error{Errc::Interrupted, "stopped; the archive is cut off, and has no end mark"};
    }

    Result<void> add(const SnapshotTrees::Source& source, const vault::Item& item,
                     vault::ChunkReader& chunks) {
        HF_TRY(go_on());
        const vault::Entry& entry = item.entry;
        const std::string path = name_of(source, entry.path);
        if (entry.type == vault::FileType::Socket) {
            notices_.warn(path, "a socket, which tar cannot hold; left out");
            return {};
        }
        const ArchiveEntry out = described(entry, path);
        ++facts_.entries;
        ++progress_->entries;
        if (entry.type == vault::FileType::Directory) ++facts_.folders;
        if (entry.hard_link != 0) {
            const auto [first, is_new] = links_.try_emplace(entry.hard_link, path);
            if (!is_new) {
                ::archive_entry_set_hardlink(out.get(), first->second.c_str());
                ::archive_entry_set_size(out.get(), 0);
                return done(::archive_write_header(out_.get(), out.get()), path);
            }
        }
        if (entry.type != vault::FileType::Regular) {
            return done(::archive_write_header(out_.get(), out.get()), path);
        }
        return add_file(source, item, path, out.get(), chunks);
    }

    Result<void> add_file(const SnapshotTrees::Source& source, const vault::Item& item,
                          const std::string& path, archive_entry* out, vault::ChunkReader& chunks) {
        auto extents = extents_of_file(source.tree, item);
        if (!extents && !is_damage(extents.error())) return extents.error();
        bool told = false;
        const auto damaged = [&](const Error& why) -> Result<void> {
            if (!std::exchange(told, true)) notices_.damaged(path, why.message);
            return {};
        };
        if (!extents) {
            HF_TRY(damaged(extents.error()));
            extents = vault::Extents{};
            if (item.entry.size != 0) extents->push_back({item.entry.size, ChunkId{}});
        }
        ++facts_.files;
        facts_.bytes += item.entry.size;
        add_holes(*extents, out);
        HF_TRY(done(::archive_write_header(out_.get(), out), path));
        const auto take = [&](View bytes) -> Result<void> {
            HF_TRY(go_on());
            progress_->bytes += bytes.size();
            const la_ssize_t written = ::archive_write_data(out_.get(), bytes.data(), bytes.size());
            if (written == static_cast<la_ssize_t>(bytes.size())) return {};
            return done(ARCHIVE_FATAL, path);
        };
        return pour_extents(*extents, chunks, take, damaged);
    }

    /// Where data lies in a file with holes: the writer leaves out what is between.
    static void add_holes(const vault::Extents& extents, archive_entry* out) {
        bool any = false;
        for (const vault::Extent& extent : extents) any = any || extent.hole();
        if (!any) return;
        std::uint64_t at = 0;
        std::uint64_t from = 0;  // Where the data at hand began.
        const auto put = [&] {
            if (at == from) return;
            ::archive_entry_sparse_add_entry(out, static_cast<la_int64_t>(from),
                                             static_cast<la_int64_t>(at - from));
        };
        for (const vault::Extent& extent : extents) {
            if (extent.hole()) put();
            at += extent.length;
            if (extent.hole()) from = at;
        }
        put();
        if (::archive_entry_sparse_count(out) == 0) ::archive_entry_sparse_add_entry(out, 0, 0);
    }

    ArchiveEntry described(const vault::Entry& entry, const std::string& path) {
        ArchiveEntry out(::archive_entry_new2(out_.get()));
        archive_entry* const to = out.get();
        ::archive_entry_set_pathname(to, path.c_str());
        ::archive_entry_set_filetype(to, type_of(entry.type));
        ::archive_entry_set_perm(to, entry.mode);
        ::archive_entry_set_uid(to, entry.uid);
        ::archive_entry_set_gid(to, entry.gid);
        if (!entry.user.empty()) ::archive_entry_set_uname(to, entry.user.c_str());
        if (!entry.group.empty()) ::archive_entry_set_gname(to, entry.group.c_str());
        set_time(to, entry.mtime_ns);
        if (entry.type == vault::FileType::Regular) {
            ::archive_entry_set_size(to, static_cast<la_int64_t>(entry.size));
        }
        if (entry.type == vault::FileType::Symlink) {
            ::archive_entry_set_symlink(to, entry.link_target.c_str());
        }
        ::archive_entry_set_rdev(to, entry.device);
        for (const auto& [name, value] : entry.xattrs) add_attribute(to, path, name, value);
        return out;
    }

    /// libarchive 3.6 writes the parts one behind the other: a time before 1970 needs the fraction
    /// that its decimal number has. The last second of 1969 has no such parts, and loses its own.
    static void set_time(archive_entry* to, std::int64_t at_ns) {
        std::int64_t seconds = at_ns / ns_per_s;
        std::int64_t fraction = at_ns % ns_per_s;
        if (fraction < 0) {
            fraction = seconds == 0 ? 0 : -fraction;
            seconds = seconds == 0 ? -1 : seconds;
        }
        ::archive_entry_set_mtime(to, seconds, static_cast<long>(fraction));
    }

    void add_attribute(archive_entry* to, const std::string& path, const std::string& name,
                       const Buffer& value) {
        const bool access = name == acl_access;
        if (access || name == acl_default) {
            const int type =
                access ? ARCHIVE_ENTRY_ACL_TYPE_ACCESS : ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
            if (!add_acl(to, type, value)) notices_.warn(path, name + " is no ACL; left out");
            return;
        }
        ::archive_entry_xattr_add_entry(to, name.c_str(), value.data(), value.size());
    }

    static std::string name_of(const SnapshotTrees::Source& source, const std::string& path) {
        std::string name = source.prefix + path;
        if (name.ends_with('/')) name.pop_back();
        return name.empty() ? "." : name;
    }

    const TakeBytes* take_;
    RestoreProgress* progress_;
    std::unique_ptr<archive, FreeArchive> out_;
    std::optional<Error> failed_;                           // Of take.
    std::unordered_map<std::uint64_t, std::string> links_;  // The first names of this source.
    Notices notices_;
    RestoreFacts facts_;
};

}  // namespace

Result<RestoreFacts> write_tar(const SnapshotTrees& trees, std::string_view path,
                               const TakeBytes& take, RestoreProgress& progress) {
    const Utf8 paths_are_utf8;
    const SnapshotTrees::Place place = HF_TRY(trees.place(path));
    TarWriter writer(take, progress);
    HF_TRY(writer.open());
    for (const SnapshotTrees::Source& source : trees.sources()) {
        if (place.source != nullptr && place.source != &source) continue;
        HF_TRY(writer.add_source(source, place.path, trees.chunks()));
    }
    return writer.close();
}

}  // namespace holdfast::agent
