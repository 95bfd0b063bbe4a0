#include "vault/base/temporary.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

namespace holdfast {
namespace {

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

Result<void> walk(const std::string& folder, const std::string& at,
                  const std::function<Result<void>(const std::string&)>& visit) {
    for (const std::string& name : HF_TRY(names_in(folder))) {
        const std::string path = folder + "/" + name;
        std::string below = at;
        below += name;
        struct stat info {};
        if (lstat(path.c_str(), &info) != 0) {
            if (errno == ENOENT) continue;  // Removed since the folder was read.
            return io_error(errno, "stat " + path);
        }
        if (S_ISDIR(info.st_mode)) HF_TRY(walk(path, below + "/", visit));
        if (S_ISREG(info.st_mode)) HF_TRY(visit(below));
    }
    return {};
}

}  // namespace

std::string temporary_beside(const std::string& path) {
    static std::atomic<unsigned> next{0};
    return path + std::string(temporary_mark) + std::to_string(getpid()) + "-" +
           std::to_string(next.fetch_add(1));
}

bool is_temporary(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    return name.find(temporary_mark) != std::string_view::npos;
}

Result<void> visit_files(const std::string& folder,
                         const std::function<Result<void>(const std::string&)>& visit) {
    return walk(folder, "", visit);
}

Result<void> sweep_temporaries(const std::string& folder) {
    return visit_files(folder, [&](const std::string& name) -> Result<void> {
        const std::string path = folder + "/" + name;
        struct stat info {};
        if (!is_temporary(name) || stat(path.c_str(), &info) != 0) return {};
        const std::int64_t age_ms =
            system_clock().wall_ms() - static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000;
        if (age_ms < sweep_age_ms) return {};
        if (unlink(path.c_str()) != 0 && errno != ENOENT) {
            return io_error(errno, "remove " + path);
        }
        return {};
    });
}

}  // namespace holdfast
