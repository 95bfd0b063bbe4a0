// FolderSink: a Sink that restores what it is given to a folder, and holds it to the contract:
// contents do not nest, entries rise, sizes fit.
#pragma once

#include "agent/source/sink.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::test {

class FolderSink final : public agent::Sink {
public:
    /// `folder` must not exist; contents wait in `folder` + ".contents" until they are added.
    explicit FolderSink(std::string folder);

    Result<agent::ContentHandle> begin_content(agent::Shape shape) override;
    Result<void> write(View data) override;
    Result<void> hole(std::uint64_t length) override;
    Result<std::uint64_t> same_range(const std::string&, std::uint64_t, std::uint64_t) override {
        return 0;
    }
    Result<void> end_content() override;
    void drop_content() override;
    Result<void> add(vault::Entry entry, agent::ContentHandle content) override;
    Result<bool> add_unchanged(const vault::Entry&) override { return false; }
    void warn(agent::Warning warning) override { warnings.push_back(std::move(warning)); }

    std::map<std::string, vault::Entry> entries;
    std::map<std::string, agent::Shape> shapes;
    std::vector<agent::Warning> warnings;
    int drops = 0;
    /// Not 0: write() answers Full after as many bytes.
    std::uint64_t full_after = 0;

private:
    std::string content_path(agent::ContentHandle handle) const;

    std::string folder_;
    std::string last_path_;
    std::vector<agent::Shape> contents_;  // By handle - 1.
    std::vector<std::uint64_t> sizes_;
    std::uint64_t written_ = 0;
    bool open_ = false;
    int file_ = -1;
};

}  // namespace holdfast::test
