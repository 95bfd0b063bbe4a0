// NbdExport: a disk that an NBD server exports: QEMU, libvirt, nbdkit, VMware through nbdkit's
// VDDK.
//
// Several requests are in flight at once, so that a far server is read at the rate of the link. The
// server is foreign: it may fall silent (patience below), and what it says of its extents is
// checked. libnbd keeps it within the protocol.
#pragma once

#include "agent/source/image/input.h"
#include "vault/base/closer.h"

#include <libnbd.h>

#include <deque>
#include <memory>
#include <string>

namespace holdfast::agent::image {

/// Of QEMU's dirty bitmaps (qemu, docs/interop/nbd.txt); libnbd does not name it.
constexpr std::uint32_t dirty_flag = 1;
constexpr int nbd_patience_ms = 60'000;  // Without a byte of any answer.

class NbdExport final : public Input {
public:
    /// `uri` as the NBD URI specification has it. `bitmap`: the name of a dirty bitmap whose clean
    /// parts are Unchanged; empty: none.
    /// Errors: Invalid (the URI; no such bitmap), Unreachable, Denied (TLS), Io.
    static Result<NbdExport> open(const std::string& uri, const std::string& bitmap,
                                  int patience_ms = nbd_patience_ms);

    std::uint64_t bytes() const override { return bytes_; }
    Result<Region> region(std::uint64_t at) override;
    Result<void> read(std::uint64_t at, std::uint64_t length, const Take& take) override;

private:
    /// Part of what a context told, from where the part before it ended.
    struct Part {
        std::uint64_t end = 0;
        bool is_set = false;
    };
    struct Context {
        std::string name;
        std::uint32_t flag = 0;   // Which bit counts.
        std::uint64_t begin = 0;  // Of the first part.
        std::deque<Part> parts;
        bool used = false;
    };
    struct Request {
        Buffer data;
        std::uint64_t at = 0;
        std::int64_t cookie = 0;
    };
    using Handle = std::unique_ptr<nbd_handle, Closer<nbd_close>>;

    NbdExport(Handle handle, std::string place, int patience_ms);

    Error failure(const std::string& what) const;
    /// Lets libnbd work until something moved.
    Result<void> wait(const std::string& what);
    Result<void> connect(const std::string& uri);
    Result<bool> has_context(const Context& context);
    Result<void> ask_status(std::uint64_t at);
    static int on_extents(void* user, const char* name, std::uint64_t offset,
                          std::uint32_t* entries, std::size_t count, int* error);
    /// What `context` knows of `at`; length 0: nothing yet.
    static Part known(Context& context, std::uint64_t at);

    std::deque<Request> requests_;  // libnbd writes into them as long as there is a handle.
    Handle handle_;
    std::string place_;
    int patience_ms_;
    std::uint64_t bytes_ = 0;
    std::size_t request_bytes_ = 0;
    Context zeros_{"base:allocation", LIBNBD_STATE_ZERO, 0, {}, false};
    Context dirty_{"", dirty_flag, 0, {}, false};
};

}  // namespace holdfast::agent::image
