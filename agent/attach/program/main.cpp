// holdfast-mount: serves one source of one snapshot as a folder, and knows nothing else.
//
// Its order comes on standard input (mount_order.h), its answer goes to standard output
// (agent/process/supervised.h), its log is standard error. Once it serves, nothing else may open
// its memory, and it does not need whoever started it.
#include "agent/attach/mount_order.h"
#include "agent/mount/mount.h"
#include "agent/restore/snapshot_tree.h"
#include "vault/base/file.h"
#include "vault/store/posix_store.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace holdfast::agent {
namespace {

/// Shows everything as belonging to one user: a room has one, and it may use what is in it.
class OwnedTree final : public Tree {
public:
    OwnedTree(const Tree& below, std::optional<Owner> owner) : below_(&below), owner_(owner) {}

    Result<void> walk(const std::function<Result<void>(std::uint64_t, const vault::Entry&)>& visit)
        const override {
        if (!owner_) return below_->walk(visit);
        return below_->walk([&](std::uint64_t ordinal, const vault::Entry& entry) {
            vault::Entry owned = entry;
            owned.uid = owner_->uid;
            owned.gid = owner_->gid;
            return visit(ordinal, owned);
        });
    }
    Result<std::size_t> read(std::uint64_t ordinal, std::uint64_t offset,
                             std::span<std::uint8_t> out) const override {
        return below_->read(ordinal, offset, out);
    }

private:
    const Tree* below_;
    std::optional<Owner> owner_;
};

Result<ParsedMountOrder> read_order() {
    constexpr std::size_t step = 1 << 20;
    vault::Secret all(step);
    std::size_t length = 0;
    for (;;) {
        if (length == all.size()) {
            if (length >= mount_order_bytes_max) {
                return Error{Errc::Invalid, "a mount order too long"};
            }
            vault::Secret larger(length * 2);
            std::copy(all.view().begin(), all.view().end(), larger.data());
            all = std::move(larger);
        }
        const ssize_t got = ::read(STDIN_FILENO, all.data() + length, all.size() - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(errno, "read the mount order");
        if (got == 0) return parse_mount_order(all.view().first(length));
        length += static_cast<std::size_t>(got);
    }
}

Result<int> serve() {
    const ParsedMountOrder parsed = HF_TRY(read_order());
    const MountOrder& order = parsed.order;
    const vault::PosixStore store = HF_TRY(vault::PosixStore::open(order.store));
    const auto index = HF_TRY(vault::ChunkIndex::open(order.index));
    const auto readers = [&] {
        return std::make_unique<vault::ChunkReader>(store, *index, parsed.keys);
    };
    const auto tree = HF_TRY(SnapshotTree::open(order.tree, readers));
    const OwnedTree owned(*tree, order.owner);
    MountSettings settings;
    settings.folder = order.folder;
    settings.overlay = order.overlay;
    settings.snapshot_id = order.snapshot.hex();
    settings.name = order.name;
    settings.allow_other = true;
    settings.ready_fd = STDOUT_FILENO;
    settings.status_file = order.status;
    return serve_mount(owned, settings);
}

}  // namespace
}  // namespace holdfast::agent

int main() {
    std::signal(SIGPIPE, SIG_IGN);
    (void)::prctl(PR_SET_DUMPABLE, 0);
    const auto status = holdfast::agent::serve();
    if (status) return *status;
    const std::string& why = status.error().message;
    std::fprintf(stderr, "%s\n", why.c_str());
    std::printf("failed: %s\n", why.substr(0, why.find('\n')).c_str());
    return 1;
}
