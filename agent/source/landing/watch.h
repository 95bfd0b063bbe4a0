// ShareWatch: tells when something was closed or came in a landing folder (inotify).
//
// A hint, no proof: the kernel's NFS server does not always tell, and an overflow loses events. So
// whoever waits looks again from time to time.
#pragma once

#include "vault/base/file.h"
#include "vault/base/result.h"

#include <string>

namespace holdfast::agent::landing {

class ShareWatch {
public:
    /// Watches `folder` and all folders in it. Errors: NotFound, Denied, Full (the user's limit of
    /// watches), Io.
    static Result<ShareWatch> open(const std::string& folder);

    /// Until something was closed after writing, moved in or made, or the time is over. True: there
    /// was something; new folders are watched from then on. Errors: as open().
    Result<bool> wait(int ms_max);

private:
    ShareWatch(std::string folder, Fd fd) : folder_(std::move(folder)), fd_(std::move(fd)) {}
    Result<void> watch_all();

    std::string folder_;
    Fd fd_;
};

}  // namespace holdfast::agent::landing
