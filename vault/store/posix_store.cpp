#include "vault/store/posix_store.h"

#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/base/temporary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace holdfast::vault {
namespace {

constexpr std::string_view format_line = "holdfast vault 1\n";

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
    std::error_code failed;
    const bool empty = std::filesystem::is_empty(folder, failed);
    if (failed) return Error{Errc::Io, "read folder " + folder + ": " + failed.message()};
    if (!empty) {
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
    return visit_files(folder_ + "/" + prefix, [&](const std::string& name) {
        return is_temporary(name) ? Result<void>{} : visit(prefix + name);
    });
}

Result<void> PosixStore::list_folders(
    const std::string& prefix, const std::function<Result<void>(const std::string&)>& visit) const {
    return visit_folders(folder_ + "/" + prefix, visit);
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
    return sweep_temporaries(folder_);
}

}  // namespace holdfast::vault
