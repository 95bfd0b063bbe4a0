#include "vault/store/posix_store.h"

#include "vault/base/clock.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

namespace holdfast::vault {
namespace {

constexpr std::string_view format_line = "holdfast vault 1\n";
constexpr std::string_view temporary_mark = ".tmp-";
constexpr std::int64_t sweep_age_ms = 24LL * 3600 * 1000;

struct CloseDir {
    void operator()(DIR* dir) const noexcept { closedir(dir); }
};

/// The names in a folder, sorted, without "." and "..". A missing folder is empty.
Result<std::vector<std::string>> names_in(const std::string& path) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, CloseDir> dir(opendir(path.c_str()));
    if (!dir && errno == ENOENT) return names;
    if (!dir) return io_error(errno, "open folder " + path);
    errno = 0;
    while (const dirent* entry = readdir(dir.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
        errno = 0;
    }
    if (errno != 0) return io_error(errno, "read folder " + path);
    std::sort(names.begin(), names.end());
    return names;
}

bool is_temporary(std::string_view name) {
    return name.find(temporary_mark) != std::string_view::npos;
}

/// Calls `visit(name, is_temporary)` for every file below `folder`, whose name in the store is
/// `at`.
Result<void> walk(const std::string& folder, const std::string& at,
                  const std::function<Result<void>(const std::string&, bool)>& visit) {
    for (const std::string& name : HF_TRY(names_in(folder))) {
        const std::string path = folder + "/" + name;
        struct stat info {};
        if (lstat(path.c_str(), &info) != 0) {
            if (errno == ENOENT) continue;  // Removed since the folder was read.
            return io_error(errno, "stat " + path);
        }
        if (S_ISDIR(info.st_mode)) {
            HF_TRY(walk(path, at + name + "/", visit));
        } else if (S_ISREG(info.st_mode)) {
            HF_TRY(visit(at + name, is_temporary(name)));
        }
    }
    return {};
}

}  // namespace

Result<PosixStore> PosixStore::open(const std::string& folder) {
    auto format = read_file(folder + "/format", 64);
    if (!format && format.error().code == Errc::NotFound) {
        return Error{Errc::NotFound, "no vault in " + folder + " (run holdfast init first)"};
    }
    if (!format) return std::move(format).error();
    if (as_text(*format) != format_line) {
        return Error{Errc::Corrupt, folder + "/format: expected \"holdfast vault 1\""};
    }
    return PosixStore(folder);
}

Result<PosixStore> PosixStore::make(const std::string& folder) {
    HF_TRY(make_folders(folder));
    if (!HF_TRY(names_in(folder)).empty()) {
        return Error{Errc::Conflict, folder + " is not empty; a new vault needs a new folder"};
    }
    HF_TRY(write_file_durably(folder + "/format", as_view(format_line)));
    return PosixStore(folder);
}

Result<void> PosixStore::put(const std::string& name, View data) {
    HF_TRY(check_object_name(name));
    const std::string target = path(name);
    const std::string folder = target.substr(0, target.rfind('/'));
    HF_TRY(need_folder(folder));
    if (path_exists(target)) return sync_folder(folder);
    return write_file_durably(target, data, 0640);
}

Result<void> PosixStore::need_folder(const std::string& folder) {
    HF_TRY(make_folders(folder));
    const std::lock_guard lock(durable_->mutex);
    if (durable_->paths.contains(folder)) return {};
    for (std::string at = folder; at.size() > folder_.size();) {
        at.resize(at.rfind('/'));
        HF_TRY(sync_folder(at));
    }
    durable_->paths.insert(folder);
    return {};
}

Result<Buffer> PosixStore::get(const std::string& name, std::uint64_t offset,
                               std::uint64_t length) const {
    HF_TRY(check_object_name(name));
    if (length > object_bytes_max) {
        return Error{Errc::Invalid, name + ": more than an object can hold was asked for"};
    }
    const Fd fd = HF_TRY(open_file(path(name), O_RDONLY));
    return read_exact(fd, offset, length, path(name));
}

Result<std::uint64_t> PosixStore::size(const std::string& name) const {
    HF_TRY(check_object_name(name));
    struct stat info {};
    if (stat(path(name).c_str(), &info) != 0) return io_error(errno, "stat " + path(name));
    return static_cast<std::uint64_t>(info.st_size);
}

Result<void> PosixStore::list(const std::string& prefix,
                              const std::function<Result<void>(const std::string&)>& visit) const {
    return walk(folder_ + "/" + prefix, prefix, [&](const std::string& name, bool temporary) {
        if (temporary) return Result<void>{};
        return visit(name);
    });
}

Result<void> PosixStore::remove(const std::string& name) {
    HF_TRY(check_object_name(name));
    if (unlink(path(name).c_str()) != 0) return io_error(errno, "remove " + path(name));
    return {};
}

Result<void> PosixStore::replace(const std::string& name, View data) {
    HF_TRY(check_object_name(name));
    const std::string target = path(name);
    HF_TRY(need_folder(target.substr(0, target.rfind('/'))));
    return write_file_durably(target, data, 0640);
}

Result<void> PosixStore::sweep() {
    return walk(folder_, "", [&](const std::string& name, bool temporary) -> Result<void> {
        struct stat info {};
        if (!temporary || stat(path(name).c_str(), &info) != 0) return {};
        const std::int64_t age_ms =
            system_clock().wall_ms() - static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000;
        if (age_ms < sweep_age_ms) return {};
        if (unlink(path(name).c_str()) != 0 && errno != ENOENT) {
            return io_error(errno, "remove " + path(name));
        }
        return {};
    });
}

}  // namespace holdfast::vault
