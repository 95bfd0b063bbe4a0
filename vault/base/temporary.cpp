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
#include <utility>
#include <vector>

namespace holdfast {
namespace {

constexpr std::string_view temporary_mark = ".tmp-";
constexpr std::int64_t sweep_age_ms = 24LL * 3600 * 1000;

struct CloseDir {
    void operator()(DIR* dir) const noexcept { closedir(dir); }
};

/// What is in a folder, by name, without "." and ".."; the type as readdir() tells it, which may be
/// DT_UNKNOWN. A missing folder is empty.
Result<std::vector<std::pair<std::string, unsigned char>>> items_in(const std::string& path) {
    std::vector<std::pair<std::string, unsigned char>> items;
    const std::unique_ptr<DIR, CloseDir> dir(opendir(path.c_str()));
    if (!dir && errno == ENOENT) return items;
    if (!dir) return io_error(errno, "open folder " + path);
    errno = 0;
    while (const dirent* entry = readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") items.emplace_back(name, entry->d_type);
        errno = 0;
    }
    if (errno != 0) return io_error(errno, "read folder " + path);
    std::sort(items.begin(), items.end());
    return items;
}

/// DT_REG, DT_DIR, or anything else; DT_UNKNOWN if it was removed since the folder was read.
Result<unsigned char> type_of(const std::string& path, unsigned char told) {
    if (told != DT_UNKNOWN) return told;
    struct stat info {};
    if (lstat(path.c_str(), &info) == 0) return static_cast<unsigned char>(IFTODT(info.st_mode));
    if (errno == ENOENT) return told;
    return io_error(errno, "stat " + path);
}

Result<void> walk(const std::string& folder, const std::string& at,
                  const std::function<Result<void>(const std::string&)>& visit) {
    for (const auto& [name, told] : HF_TRY(items_in(folder))) {
        const std::string path = folder + "/" + name;
        const std::string below = at + name;
        const unsigned char type = HF_TRY(type_of(path, told));
        if (type == DT_DIR) HF_TRY(walk(path, below + "/", visit));
        if (type == DT_REG) HF_TRY(visit(below));
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

Result<void> visit_folders(const std::string& folder,
                           const std::function<Result<void>(const std::string&)>& visit) {
    for (const auto& [name, told] : HF_TRY(items_in(folder))) {
        const unsigned char type = HF_TRY(type_of(folder + "/" + name, told));
        if (type == DT_DIR) HF_TRY(visit(name));
    }
    return {};
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
