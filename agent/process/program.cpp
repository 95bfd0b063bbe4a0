#include "agent/process/program.h"

#include "vault/base/file.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

namespace holdfast::agent {

Result<std::string> find_program(const std::string& name) {
    if (const char* folder = std::getenv("HOLDFAST_PROGRAMS")) {
        const std::string path = std::string(folder) + "/" + name;
        if (path_exists(path)) return path;
    }
    std::array<char, PATH_MAX> self{};
    const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
    if (length <= 0) return io_error(errno, "read /proc/self/exe");
    std::string folder(self.data(), static_cast<std::size_t>(length));
    folder.resize(folder.rfind('/'));
    for (const char* from_there : {"/", "/../lib/holdfast/", "/../../bin/"}) {
        const std::string path = folder + from_there + name;
        if (path_exists(path)) return path;
    }
    return Error{Errc::NotFound, name + " is not installed beside " + folder};
}

}  // namespace holdfast::agent
