// MemoryStore: a vault in memory, for tests and for counting what would be stored.
#pragma once

#include "vault/store/store.h"

#include <map>
#include <mutex>

namespace holdfast::vault {

class MemoryStore final : public Store {
public:
    Result<void> put(const std::string& name, View data) override;
    Result<Buffer> get(const std::string& name, std::uint64_t offset,
                       std::uint64_t length) const override;
    Result<std::uint64_t> size(const std::string& name) const override;
    Result<void> list(const std::string& prefix,
                      const std::function<Result<void>(const std::string&)>& visit) const override;
    Result<void> remove(const std::string& name) override;

private:
    mutable std::mutex mutex_;
    std::map<std::string, Buffer> objects_;
};

}  // namespace holdfast::vault
