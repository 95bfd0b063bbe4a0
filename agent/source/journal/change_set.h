// ChangeSet: the names that the kernel told of, each with the newest moment at which it did.
//
// A name is kept as the kernel gives it, the handle of its folder and the name in it, and looked up
// only when somebody asks: the folder may be elsewhere by then. Moments are numbers that count up
// with each mark(): what is noted after a mark belongs to the next one.
//
// Memory: about 100 bytes a name, names_max of them. What was forgotten because there were more is
// remembered as a floor, under which nothing can be said any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::agent::journal {

constexpr std::size_t names_max = 500'000;

/// Something that changed. Without a name it is the inode of `handle` itself, whose folder the
/// kernel did not know.
struct NotedName {
    std::string handle;  // The kernel's bytes: its type (4 of them), then the handle.
    std::string name;
    bool deep = false;  // A folder came or went: what is below it changed its path too.
};

class ChangeSet {
public:
    void note(std::string_view handle, std::string_view name, bool deep);

    /// Ends the moment that is; answers its number.
    std::uint64_t mark() { return now_++; }
    /// Nothing older than this can be answered.
    std::uint64_t floor() const { return floor_; }
    std::size_t size() const { return noted_.size(); }
    bool full() const { return noted_.size() >= names_max; }

    /// What was noted after the mark `moment`; that is not below floor().
    std::vector<NotedName> since(std::uint64_t moment) const;
    /// Nobody will ask about moments before this one again.
    void forget_before(std::uint64_t moment);
    /// Events were lost: nothing can be said of what came before the next mark.
    void lose_all();
    /// Drops what does not matter to anybody.
    void drop_if(const std::function<bool(const NotedName&)>& drop);

private:
    struct Moments {
        std::uint64_t last = 0;
        std::uint64_t last_deep = 0;  // 0: never.
    };
    static NotedName from_key(const std::string& key);

    std::unordered_map<std::string, Moments> noted_;  // By handle length, handle, name.
    std::uint64_t now_ = 1;
    std::uint64_t floor_ = 1;
};

}  // namespace holdfast::agent::journal
