// The mount against a plain folder that gets the same random operations; then the same with the
// mount process killed, where what was synced must be there and what was not must be no garbage.
#include "tests/agent/mount/mounted.h"
#include "tests/agent/mount/random_operations.h"

#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>

using namespace holdfast;
using namespace holdfast::agent;
namespace fs = std::filesystem;

namespace {

/// HF_SEED chooses other operations.
unsigned base_seed() {
    const char* text = std::getenv("HF_SEED");
    return text == nullptr ? 1 : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

/// A snapshot made by random operations, and a copy of it to compare with.
struct Pair {
    ScratchFolder scratch;
    std::string mirror = scratch.path() + "/mirror";
    Mounted mount{scratch.path()};

    explicit Pair(std::mt19937& random) {
        // Some journals grow, some are rewritten all the time.
        const int compact = random() % 2 == 0 ? 1 << 20 : 2048;
        const std::string lower = scratch.path() + "/lower";
        for (int i = 0; i < 60; ++i) (void)perform(lower, random_operation(random));
        fs::create_directory(mirror);
        rebuild(mirror, look(lower));
        mount.with_status = false;
        mount.options = {"flush_ms=0", "compact=" + std::to_string(compact)};
    }
    std::string root() const { return scratch.path() + "/mnt"; }
};

void compare(const Seen& mount, const Seen& mirror) {
    REQUIRE(shape_of(mount) == shape_of(mirror));
    for (const auto& [path, item] : mirror) {
        INFO(path);
        const Item& other = mount.at(path);
        REQUIRE(other.links == item.links);
        if (item.type != 'l') REQUIRE(other.mode == item.mode);
        REQUIRE((other.content == item.content));
    }
}

/// Everything that a crash may leave, given what was done and synced.
class History {
public:
    explicit History(const Seen& now) { restart(now); }

    void restart(const Seen& now) {
        names_.assign(1, now);
        contents_.clear();
        touched_.clear();
        first_possible_ = 0;
        for (const auto& [path, item] : now) {
            if (item.type == 'f') contents_[item.inode] = {item.content};
        }
    }

    /// `certain`: the operation was answered, so a sync in it holds.
    void add(const Operation& op, const Seen& now, bool certain) {
        const std::string path = followed(op, names_.back());
        const std::uint64_t synced = inode_at(names_.back(), path);
        if (shape_of(now) != shape_of(names_.back())) {
            const std::array<const Seen*, 2> both{&names_.back(), &now};
            for (const Seen* seen : both) {
                touch(inode_at(*seen, path));
                if (op.has_two_paths()) touch(inode_at(*seen, op.other));
            }
        }
        names_.push_back(now);
        for (const auto& [name, item] : now) {
            if (item.type != 'f') continue;
            auto& versions = contents_[item.inode];
            const bool emptied = op.kind == Kind::Rewrite && item.inode == inode_at(now, path);
            if (versions.empty() || emptied) versions.emplace_back();
            if (versions.back() != item.content) versions.push_back(item.content);
        }
        if (!certain) return;
        if (op.kind == Kind::SyncFolder) first_possible_ = names_.size() - 1;
        if ((op.kind == Kind::Sync || op.kind == Kind::SyncData) && contents_.contains(synced)) {
            auto& versions = contents_[synced];
            versions.erase(versions.begin(), versions.end() - 1);
            first_possible_ = std::max(first_possible_, touched_[synced]);
        }
    }

    /// Empty if `seen` may be what a crash left; else what is wrong with it.
    std::string judge(const Seen& seen) const {
        std::string reason = "the names are of no state since the last sync";
        for (std::size_t i = first_possible_; i < names_.size(); ++i) {
            if (shape_of(names_[i]) != shape_of(seen)) continue;
            reason.clear();
            for (const auto& [path, item] : seen) {
                if (item.type != 'f') continue;
                const auto& versions = contents_.at(names_[i].at(path).inode);
                const std::string wrong = judge_content(item.content, versions);
                if (!wrong.empty()) reason = path + ": " + wrong;
            }
            if (reason.empty()) return reason;
        }
        return reason;
    }

private:
    /// The path that the operation works on in the end.
    static std::string followed(const Operation& op, const Seen& seen) {
        std::string path = op.path;
        if (op.has_two_paths() || op.kind == Kind::Unlink) return path;
        for (int links = 0; links < 40; ++links) {
            const auto found = seen.find(path);
            if (found == seen.end() || found->second.type != 'l') break;
            path = path.substr(0, path.rfind('/') + 1) + found->second.content;
        }
        return path;
    }

    void touch(std::uint64_t inode) {
        if (inode != 0) touched_[inode] = names_.size();
    }

    static std::uint64_t inode_at(const Seen& seen, const std::string& path) {
        const auto found = seen.find(path);
        return found == seen.end() || found->second.type != 'f' ? 0 : found->second.inode;
    }

    static std::string judge_content(const std::string& seen,
                                     const std::vector<std::string>& versions) {
        const auto size_fits = [&](const std::string& v) { return v.size() == seen.size(); };
        if (std::none_of(versions.begin(), versions.end(), size_fits)) {
            return "no version was " + std::to_string(seen.size()) + " bytes";
        }
        for (std::size_t i = 0; i < seen.size(); ++i) {
            const auto at = [i](const std::string& v) { return i < v.size() ? v[i] : '\0'; };
            bool found = false;
            bool moved = false;
            for (const std::string& v : versions) {
                found = found || at(v) == seen[i];
                moved = moved || at(v) != at(versions[0]) || i >= v.size();
            }
            if (!found && !(moved && seen[i] == '\0')) {
                return "byte " + std::to_string(i) + " of " + std::to_string(seen.size()) +
                       " was never so since the last sync";
            }
        }
        return "";
    }

    std::vector<Seen> names_;
    std::map<std::uint64_t, std::vector<std::string>> contents_;  // Since each file's last sync.
    std::map<std::uint64_t, std::size_t> touched_;  // The last state in which its names moved.
    std::size_t first_possible_ = 0;
};

/// Keeps the mirror's files open, so that no inode number is used twice.
void hold(const std::string& mirror, const Seen& seen, std::map<std::uint64_t, Fd>& held) {
    for (const auto& [path, item] : seen) {
        if (item.type != 'f' || held.contains(item.inode)) continue;
        held[item.inode] = Fd(::open((mirror + "/" + path).c_str(), O_RDONLY | O_CLOEXEC));
    }
}

bool mount_died(int error) {
    return error == ENOTCONN || error == ECONNABORTED;
}

/// Runs `count` operations, or until the mount dies.
void run_operations(Pair& pair, std::mt19937& random, int count, History& history,
                    std::map<std::uint64_t, Fd>& held) {
    bool died = false;
    for (int i = 0; i < count && !died; ++i) {
        const Operation op = random_operation(random);
        INFO(i << ": " << op.text());
        const int error = perform(pair.root(), op);
        const int expected = perform(pair.mirror, op);
        died = mount_died(error);
        if (!died) REQUIRE(error == expected);
        const Seen now = look(pair.mirror);
        hold(pair.mirror, now, held);
        history.add(op, now, !died && error == 0);
    }
}

void recover(Pair& pair, History& history, std::map<std::uint64_t, Fd>& held) {
    pair.mount.kill();
    pair.mount.fault.clear();
    INFO(pair.mount.log());
    REQUIRE(pair.mount.start());
    const Seen seen = look(pair.root());
    CHECK(history.judge(seen) == "");
    held.clear();
    fs::remove_all(pair.mirror);
    fs::create_directory(pair.mirror);
    rebuild(pair.mirror, seen);
    const Seen now = look(pair.mirror);
    hold(pair.mirror, now, held);
    history.restart(now);
}

}  // namespace

TEST_CASE("random operations do on a mount what they do on a plain folder", "[mount]") {
    if (!can_mount()) return;
    for (unsigned round = 0; round < 4; ++round) {
        const unsigned seed = base_seed() * 1000 + round;
        INFO("HF_SEED " << base_seed() << " round " << round);
        std::mt19937 random(seed);
        Pair pair(random);
        REQUIRE(pair.mount.start());
        for (int i = 1; i <= 800; ++i) {
            const Operation op = random_operation(random);
            INFO(i << ": " << op.text());
            const int error = perform(pair.root(), op);
            REQUIRE(error == perform(pair.mirror, op));
            if (i % 40 == 0) compare(look(pair.root()), look(pair.mirror));
            if (i % 200 != 0) continue;
            const int ended = i % 400 == 0 ? pair.mount.stop() : pair.mount.unmount();
            INFO(pair.mount.log());
            REQUIRE(ended == 0);
            REQUIRE(pair.mount.start());
            compare(look(pair.root()), look(pair.mirror));
        }
    }
}

TEST_CASE("a killed mount loses nothing that was synced and makes no garbage", "[mount]") {
    if (!can_mount()) return;
    const unsigned seed = base_seed() * 1000 + 500;
    INFO("HF_SEED " << base_seed());
    std::mt19937 random(seed);
    Pair pair(random);
    std::map<std::uint64_t, Fd> held;
    REQUIRE(pair.mount.start());
    History history(look(pair.mirror));
    hold(pair.mirror, look(pair.mirror), held);
    for (int round = 0; round < 40; ++round) {
        INFO("round " << round);
        run_operations(pair, random, 1 + static_cast<int>(random() % 60), history, held);
        recover(pair, history, held);
    }
}

TEST_CASE("a mount killed between any two durable steps recovers", "[mount]") {
    if (!can_mount()) return;
    const unsigned seed = base_seed() * 1000 + 700;
    const auto run = [&](const std::string& fault) {
        std::mt19937 random(seed);
        Pair pair(random);
        std::map<std::uint64_t, Fd> held;
        History history(look(pair.mirror));
        hold(pair.mirror, look(pair.mirror), held);
        pair.mount.fault = fault;
        if (pair.mount.start()) run_operations(pair, random, 160, history, held);
        if (fault != "count") {
            recover(pair, history, held);
            return 0L;
        }
        REQUIRE(pair.mount.stop() == 0);
        const std::string log = pair.mount.log();
        const std::size_t at = log.find("fault points: ");
        REQUIRE(at != std::string::npos);
        return std::strtol(log.c_str() + at + 14, nullptr, 10);
    };
    const long points = run("count");
    CHECK(points > 40);
    for (long n = 1; n <= points; ++n) {
        INFO("HF_SEED " << base_seed() << " HOLDFAST_FAULT " << n << " of " << points);
        run(std::to_string(n));
    }
}

TEST_CASE("a truncation that was not synced never mixes old content with new", "[mount]") {
    if (!can_mount()) return;
    std::mt19937 random(base_seed());
    Pair pair(random);
    REQUIRE(pair.mount.start());
    const std::string path = pair.mount.path("cut");
    const std::string old(20'000, 'o');
    {
        const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT, 0600));
        REQUIRE(write_all(fd, as_view(old), path));
        REQUIRE(::fsync(fd.get()) == 0);
        REQUIRE(::ftruncate(fd.get(), 100) == 0);
        REQUIRE(::pwrite(fd.get(), "new", 3, 200) == 3);
        REQUIRE(::pwrite(fd.get(), "new", 3, 9000) == 3);
    }
    pair.mount.kill();
    REQUIRE(pair.mount.start());
    const auto seen = read_file(path, 1 << 20);
    REQUIRE(seen);
    const std::string text(as_text(*seen));
    CHECK((text == old || text == old.substr(0, 100)));
}
