#include "agent/source/files/xattrs.h"

#include <sys/types.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace holdfast::agent::files {
namespace {

constexpr int changed_tries_max = 4;

/// Calls `ask(buffer, size)` until its answer fits: it may grow between two calls. 0 or an errno.
template <class Ask>
int ask_bytes(Ask ask, Buffer& out) {
    // One call for nearly all files: most have nothing, the rest a few bytes.
    out.resize(256);
    for (int i = 0; i < changed_tries_max; ++i) {
        const ssize_t got = ask(reinterpret_cast<char*>(out.data()), out.size());
        if (got >= 0) {
            out.resize(static_cast<std::size_t>(got));
            return 0;
        }
        if (errno != ERANGE) return errno;
        const ssize_t size = ask(nullptr, 0);
        if (size < 0) return errno;
        out.resize(static_cast<std::size_t>(size) + 64);
    }
    return ERANGE;
}

template <class List, class Get>
std::string read_all(List list, Get get, Xattrs& out) {
    out.clear();
    Buffer names;
    const int failed = ask_bytes(list, names);
    if (failed == ENOTSUP || failed == ENOSYS) return {};
    if (failed != 0) return std::string("its xattrs cannot be listed: ") + std::strerror(failed);
    std::string missing;
    std::size_t bytes = 0;
    for (std::size_t at = 0; at < names.size();) {
        const std::string name(reinterpret_cast<const char*>(names.data() + at));
        at += name.size() + 1;
        Buffer value;
        const auto one = [&](char* to, std::size_t size) { return get(name.c_str(), to, size); };
        const int error = ask_bytes(one, value);
        if (error == ENODATA || error == ENOTSUP) continue;  // Gone since, or shown but not kept.
        bytes += name.size() + value.size();
        if (error != 0) {
            missing = "xattr " + name + " cannot be read: " + std::strerror(error);
        } else if (out.size() >= vault::xattrs_max || bytes > xattrs_bytes_max ||
                   value.size() > vault::xattr_bytes_max) {
            missing = "it has more xattrs than a vault takes: " + name + " is left out";
        } else {
            out.emplace_back(name, std::move(value));
        }
    }
    std::sort(out.begin(), out.end());
    return missing;
}

}  // namespace

std::string read_xattrs(int fd, Xattrs& out) {
    return read_all(
        [&](char* to, std::size_t size) { return flistxattr(fd, to, size); },
        [&](const char* name, char* to, std::size_t size) { return fgetxattr(fd, name, to, size); },
        out);
}

std::string read_xattrs(int folder, const char* name, Xattrs& out) {
    // There is no *at() call; the folder's link in /proc leads to the folder that is open.
    const std::string path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    return read_all([&](char* to, std::size_t size) { return llistxattr(path.c_str(), to, size); },
                    [&](const char* xattr, char* to, std::size_t size) {
                        return lgetxattr(path.c_str(), xattr, to, size);
                    },
                    out);
}

}  // namespace holdfast::agent::files
