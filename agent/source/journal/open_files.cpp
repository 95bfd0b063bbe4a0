#include "agent/source/journal/open_files.h"

#include "agent/process/proc_file.h"
#include "agent/source/journal/handles.h"
#include "vault/base/file.h"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <string_view>

namespace holdfast::agent::journal {
namespace {

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

/// The names in a folder; none if it is gone. Errors: Io.
Result<std::vector<std::string>> names_in(const std::string& path) {
    const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
    std::vector<std::string> names;
    if (folder == nullptr) {
        if (errno == ENOENT || errno == ESRCH) return names;
        return io_error(errno, "read " + path);
    }
    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(folder.get());
        if (entry == nullptr) break;
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    return names;
}

/// Some machines let nobody look into this one; it has no application's files open.
constexpr std::string_view init_process = "1";

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

Result<void> add_handle(const std::string& path, std::vector<std::string>& out) {
    if (auto handle = HF_TRY(handle_of(path))) out.push_back(std::move(*handle));
    return {};
}

/// A link of /proc/PID/fd has the permission bits that its descriptor was opened with.
Result<void> add_descriptors(const std::string& process, std::uint64_t device,
                             std::vector<std::string>& out) {
    for (const std::string& number : HF_TRY(names_in(process + "/fd"))) {
        const std::string path = process + "/fd/" + number;
        struct stat link {};
        struct stat file {};
        if (::lstat(path.c_str(), &link) != 0 || (link.st_mode & S_IWUSR) == 0) continue;
        if (::stat(path.c_str(), &file) != 0) {
            if (errno == ENOENT || errno == ESRCH) continue;
            return io_error(errno, "look at " + path);
        }
        if (file.st_dev != device) continue;
        if (S_ISREG(file.st_mode)) HF_TRY(add_handle(path, out));
    }
    return {};
}

/// Lines "START-END PERMS OFFSET MAJOR:MINOR INODE PATH"; shared ones have an s in PERMS.
Result<void> add_mappings(const std::string& process, std::uint64_t device,
                          std::vector<std::string>& out) {
    const auto maps = read_proc_file(process + "/maps");
    if (!maps) {
        if (maps.error().code == Errc::NotFound || maps.error().code == Errc::Io) return {};
        return maps.error();
    }
    std::set<unsigned long> seen;
    for (std::size_t at = 0; at < maps->size();) {
        const std::size_t end = std::min(maps->find('\n', at), maps->size());
        const std::string line = maps->substr(at, end - at);
        at = end + 1;
        std::array<char, 5> rights{};
        unsigned long from = 0;
        unsigned long to = 0;
        unsigned major_number = 0;
        unsigned minor_number = 0;
        unsigned long inode = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %x:%x %lu", &from, &to, rights.data(),
                        &major_number, &minor_number, &inode) != 6) {
            continue;
        }
        if (rights[3] != 's' || inode == 0) continue;
        if (makedev(major_number, minor_number) != device) continue;
        if (!seen.insert(inode).second) continue;
        HF_TRY(add_handle(fmt::format("{}/map_files/{:x}-{:x}", process, from, to), out));
    }
    return {};
}

Result<void> add_process(const std::string& process, std::uint64_t device,
                         std::vector<std::string>& out) {
    HF_TRY(add_descriptors(process, device, out));
    return add_mappings(process, device, out);
}

/// The kernel writes to these itself, for no process.
Result<void> add_loop_devices(std::vector<std::string>& out) {
    for (const std::string& device : HF_TRY(names_in("/sys/block"))) {
        if (!device.starts_with("loop")) continue;
        auto file = read_proc_file("/sys/block/" + device + "/loop/backing_file");
        if (!file) continue;  // Not in use.
        while (!file->empty() && file->back() == '\n') file->pop_back();
        HF_TRY(add_handle(*file, out));
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> open_for_writing(std::uint64_t device) {
    std::vector<std::string> out;
    for (const std::string& name : HF_TRY(names_in("/proc"))) {
        if (!is_number(name)) continue;
        auto seen = add_process("/proc/" + name, device, out);
        const bool guarded = !seen && seen.error().code == Errc::Denied && name == init_process;
        if (!guarded) HF_TRY(std::move(seen));
    }
    HF_TRY(add_loop_devices(out));
    return out;
}

}  // namespace holdfast::agent::journal
