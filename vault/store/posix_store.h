// PosixStore: a vault in a folder of a local file system.
//
// put(): write beside, fsync, rename, fsync the folder. A process can be killed between any two of
// these: so an object or a folder that is there already is not taken to be durable, and put() syncs
// what holds it before it returns. Temporary files of a killed process carry ".tmp-" in their
// names; no reader sees them, and sweep() removes them.
#pragma once

#include "vault/store/store.h"

#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace holdfast::vault {

class PosixStore final : public Store {
public:
    /// Opens the vault in `folder`. Errors: NotFound (no vault there), Corrupt (another format),
    /// Io.
    static Result<PosixStore> open(const std::string& folder);
    /// Makes an empty vault; `folder` may exist if it is empty. Errors: Conflict, Full, Io.
    static Result<PosixStore> make(const std::string& folder);

    Result<void> put(const std::string& name, View data) override;
    Result<Buffer> get(const std::string& name, std::uint64_t offset,
                       std::uint64_t length) const override;
    Result<std::uint64_t> size(const std::string& name) const override;
    Result<void> list(const std::string& prefix,
                      const std::function<Result<void>(const std::string&)>& visit) const override;
    Result<void> list_folders(
        const std::string& prefix,
        const std::function<Result<void>(const std::string&)>& visit) const override;
    Result<void> remove(const std::string& name) override;

    /// Puts `data` in the place of what is there, at once: for an object that was found damaged.
    /// Errors: Full, Io.
    Result<void> replace(const std::string& name, View data);
    /// Removes what killed writers left half-written, if older than a day. Errors: Io.
    Result<void> sweep();
    const std::string& folder() const { return folder_; }

private:
    /// Folders that this process has made durable: their names are synced, up to the vault's.
    struct DurableFolders {
        std::mutex mutex;
        std::set<std::string> paths;
    };
    explicit PosixStore(std::string folder)
        : folder_(std::move(folder)), durable_(std::make_shared<DurableFolders>()) {}
    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    Result<void> need_folder(const std::string& folder);

    std::string folder_;
    std::shared_ptr<DurableFolders> durable_;  // Copies of a store share it, like the folder.
};

}  // namespace holdfast::vault
