#include "agent/config/settings_files.h"

#include "agent/config/name.h"
#include "agent/config/wording.h"
#include "vault/base/file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace holdfast::agent::config {
namespace {

Result<struct stat> status_of(const Fd& fd, const std::string& path) {
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return io_error(errno, "stat " + path);
    return info;
}

Result<std::string> read_open(const Fd& fd, const std::string& path, std::size_t bytes_max) {
    const struct stat info = HF_TRY(status_of(fd, path));
    if (!S_ISREG(info.st_mode)) return Error{Errc::Invalid, path + " is no plain file"};
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size > bytes_max) {
        return Error{Errc::Invalid, path + ": " + std::to_string(size) +
                                        " bytes; settings like these are " +
                                        std::to_string(bytes_max) + " at most"};
    }
    const Buffer bytes = HF_TRY(read_exact(fd, 0, size, path));
    return std::string(as_text(bytes));
}

Result<void> check_roots(const Fd& fd, const std::string& path) {
    const struct stat info = HF_TRY(status_of(fd, path));
    if (info.st_uid != 0) {
        return Error{Errc::Denied, path + " belongs to user " + std::to_string(info.st_uid) +
                                       ", and commands come from root's files only; check what it "
                                       "says, then run: chown root:root '" +
                                       path + "'"};
    }
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return Error{Errc::Denied, path +
                                       " can be written by others than root, and commands come "
                                       "from root's files only; check what it says, then run: "
                                       "chmod go-w '" +
                                       path + "'"};
    }
    return {};
}

Error no_link(Error error, const std::string& path) {
    return {error.code,
            std::move(error.message) + " (" + path + " must be itself, not a symbolic link)"};
}

Result<Fd> open_itself(int folder, const std::string& name, int flags, const std::string& path) {
    const int fd = ::openat(folder, name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) return Fd(fd);
    Error error = io_error(errno, "open " + path);
    if (errno == ELOOP || errno == ENOTDIR) return no_link(std::move(error), path);
    return error;
}

}  // namespace

Result<std::string> read_text(const std::string& path, std::size_t bytes_max) {
    const Fd fd = HF_TRY(open_file(path, O_RDONLY | O_NONBLOCK));
    return read_open(fd, path, bytes_max);
}

Result<std::string> read_trusted_text(const std::string& path, std::size_t bytes_max,
                                      uid_t reader) {
    if (reader != 0) return read_text(path, bytes_max);
    const std::size_t slash = path.rfind('/');
    HF_ASSERT(slash != std::string::npos && slash > 0);
    const std::string folder_path = path.substr(0, slash);
    const Fd folder =
        HF_TRY(open_itself(AT_FDCWD, folder_path, O_RDONLY | O_DIRECTORY, folder_path));
    const Fd file = HF_TRY(open_itself(folder.get(), path.substr(slash + 1), O_RDONLY, path));
    HF_TRY(check_roots(folder, folder_path));
    HF_TRY(check_roots(file, path));
    return read_open(file, path, bytes_max);
}

Result<std::vector<std::string>> names_in(const std::string& folder, std::size_t count_max) {
    namespace fs = std::filesystem;
    std::vector<std::string> names;
    std::error_code failed;
    fs::directory_iterator at(folder, failed);
    if (failed == std::errc::no_such_file_or_directory) return names;
    for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
        const fs::path& path = at->path();
        if (path.extension() != ".toml") continue;  // An editor's, or half-written.
        std::string name = path.stem().string();
        if (!is_name(name)) {
            return Error{Errc::Invalid, path.string() + ": " + in_quotes(name) +
                                            " is no name; rename the file so that it is 1 to 40 of "
                                            "a-z, 0-9 and -, then .toml"};
        }
        if (names.size() == count_max) {
            return Error{Errc::Invalid,
                         folder + " holds more than " + std::to_string(count_max) + " .toml files"};
        }
        names.push_back(std::move(name));
    }
    if (failed) return io_error(failed.value(), "list " + folder);
    std::sort(names.begin(), names.end());
    return names;
}

Result<void> check_stated_name(const std::string& stated, const std::string& name,
                               const std::string& path) {
    if (stated == name) return {};
    return Error{Errc::Invalid, path + ": it states name = " + in_quotes(stated) +
                                    "; expected its file's name, " + in_quotes(name)};
}

}  // namespace holdfast::agent::config
