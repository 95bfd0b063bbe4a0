// CollectingSink: keeps what a source gives it in memory, and holds the source to its contract.
#pragma once

#include "agent/source/sink.h"

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast::test {

struct Collected {
    vault::Entry entry;
    agent::Shape shape = agent::Shape::Stream;
    Buffer content;  // Holes are zeros.
    std::uint64_t hole_bytes = 0;
    std::uint64_t same_bytes = 0;  // Taken from the snapshot before by same_range().
    bool has_content = false;
    bool unchanged = false;
};

class CollectingSink final : public agent::Sink {
public:
    std::vector<Collected> items;
    std::vector<agent::Warning> warnings;
    unsigned contents_begun = 0;
    const CollectingSink* before = nullptr;  // The snapshot before, if there is one.
    std::function<Result<void>(const vault::Entry&)> on_add;
    std::function<void()> on_write;
    std::function<void(const vault::Entry&)> on_ask;

    const Collected* find(const std::string& path) const {
        for (const Collected& item : items) {
            if (item.entry.path == path) return &item;
        }
        return nullptr;
    }
    const Collected& at(const std::string& path) const {
        const Collected* item = find(path);
        INFO(path);
        REQUIRE(item != nullptr);
        return *item;
    }
    bool warned_of(const std::string& path) const {
        for (const agent::Warning& warning : warnings) {
            if (warning.path == path) return true;
        }
        return false;
    }

    Result<agent::ContentHandle> begin_content(agent::Shape shape) override {
        REQUIRE(!open_);
        open_ = true;
        current_ = {};
        current_.shape = shape;
        current_.has_content = true;
        ++contents_begun;
        return ++handle_;
    }
    Result<void> write(View data) override {
        REQUIRE(open_);
        if (on_write) on_write();
        current_.content.insert(current_.content.end(), data.begin(), data.end());
        return {};
    }
    Result<void> hole(std::uint64_t length) override {
        REQUIRE(open_);
        current_.content.resize(current_.content.size() + length);
        current_.hole_bytes += length;
        return {};
    }
    Result<std::uint64_t> same_range(const std::string& path, std::uint64_t offset,
                                     std::uint64_t length) override {
        REQUIRE(open_);
        const Collected* old = before == nullptr ? nullptr : before->find(path);
        if (old == nullptr || offset >= old->content.size()) return 0;
        const std::uint64_t taken = std::min(length, old->content.size() - offset);
        const auto from = old->content.begin() + static_cast<std::ptrdiff_t>(offset);
        current_.content.insert(current_.content.end(), from,
                                from + static_cast<std::ptrdiff_t>(taken));
        current_.same_bytes += taken;
        return taken;
    }
    Result<void> end_content() override {
        REQUIRE(open_);
        open_ = false;
        ended_[handle_] = std::move(current_);
        return {};
    }
    void drop_content() override { open_ = false; }

    Result<void> add(vault::Entry entry, agent::ContentHandle content) override {
        check_order(entry);
        if (on_add) HF_TRY(on_add(entry));
        Collected item;
        if (content != 0) {
            REQUIRE(ended_.contains(content));
            item = std::move(ended_[content]);
            ended_.erase(content);
            REQUIRE(item.content.size() == entry.size);
        }
        item.entry = std::move(entry);
        items.push_back(std::move(item));
        return {};
    }
    Result<bool> add_unchanged(const vault::Entry& entry) override {
        REQUIRE(entry.type == vault::FileType::Regular);
        REQUIRE(entry.xattrs.empty());
        if (on_ask) on_ask(entry);
        const Collected* old = before == nullptr ? nullptr : before->find(entry.path);
        if (old == nullptr || old->entry.size != entry.size ||
            old->entry.mtime_ns != entry.mtime_ns || old->entry.ctime_ns != entry.ctime_ns ||
            old->entry.inode != entry.inode || (entry.size != 0 && !old->has_content)) {
            return false;
        }
        check_order(entry);
        Collected item = *old;
        item.unchanged = true;
        items.push_back(std::move(item));
        return true;
    }
    void warn(agent::Warning warning) override { warnings.push_back(std::move(warning)); }

private:
    void check_order(const vault::Entry& entry) {
        INFO(entry.path);
        if (items.empty()) {
            REQUIRE(entry.path.empty());
        } else {
            REQUIRE(vault::compare_paths(items.back().entry.path, entry.path) < 0);
        }
    }

    bool open_ = false;
    agent::ContentHandle handle_ = 0;
    Collected current_;
    std::map<agent::ContentHandle, Collected> ended_;
};

}  // namespace holdfast::test
