#include "vault/base/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace holdfast {

Result<void> take_lock(const Fd& fd, const std::string& path) {
    while (::flock(fd.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return io_error(errno, "lock " + path);
    }
    return {};
}

Result<Fd> wait_for_lock(const std::string& path) {
    Fd fd = HF_TRY(open_file(path, O_RDWR | O_CREAT));
    HF_TRY(take_lock(fd, path));
    return fd;
}

}  // namespace holdfast
