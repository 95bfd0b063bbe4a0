// Notices: what a restore could not do, collected from all its threads in bounded memory.
#pragma once

#include "agent/restore/restore.h"

#include <map>
#include <mutex>

namespace holdfast::agent {

class Notices {
public:
    /// `path` is not what the snapshot says it was. Call once for each path.
    void damaged(const std::string& path, const std::string& what) {
        const std::lock_guard lock(mutex_);
        ++damaged_paths_;
        if (damaged_.size() < restore_notices_max) damaged_.push_back({path, what});
    }
    /// Something lesser is amiss with `path`; of each `what` the first path is kept.
    void warn(const std::string& path, const std::string& what) {
        const std::lock_guard lock(mutex_);
        const auto found = warnings_.find(what);
        if (found != warnings_.end()) {
            ++found->second.count;
        } else if (warnings_.size() < restore_notices_max) {
            warnings_[what] = {path, 1};
        }
    }

    void move_to(RestoreFacts& facts) {
        const std::lock_guard lock(mutex_);
        facts.damaged_paths = damaged_paths_;
        facts.damaged = std::move(damaged_);
        for (const auto& [what, seen] : warnings_) {
            const std::string more =
                seen.count == 1 ? "" : " (and " + std::to_string(seen.count - 1) + " more paths)";
            facts.warnings.push_back({seen.path, what + more});
        }
    }

private:
    struct Seen {
        std::string path;
        std::uint64_t count = 0;
    };
    std::mutex mutex_;
    std::uint64_t damaged_paths_ = 0;
    std::vector<Warning> damaged_;
    std::map<std::string, Seen> warnings_;
};

}  // namespace holdfast::agent
