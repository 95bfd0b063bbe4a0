// FUSE's protocol for extended attributes: how long the answer is, or the answer if it fits.
#pragma once

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 12)
#include <fuse3/fuse_lowlevel.h>

#include "vault/base/bytes.h"

#include <cerrno>

namespace holdfast::agent {

/// `room` 0 asks for the length. Not 0: `error` is the answer.
inline void answer_xattr(fuse_req_t req, int error, View value, std::size_t room) {
    if (error == 0 && room == 0) {
        fuse_reply_xattr(req, value.size());
    } else if (error == 0 && room >= value.size()) {
        fuse_reply_buf(req, reinterpret_cast<const char*>(value.data()), value.size());
    } else {
        fuse_reply_err(req, error != 0 ? error : ERANGE);
    }
}

}  // namespace holdfast::agent
