#include "agent/source/journal/journal.h"

#include "agent/process/proc_file.h"
#include "agent/source/journal/handles.h"
#include "agent/source/journal/open_files.h"
#include "vault/crypto/random.h"
#include "vault/snapshot/entry.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <sstream>

namespace holdfast::agent::journal {
namespace {

constexpr int look_ups_max = 5;  // So often folders may be moved while we look.
constexpr const char* was_lost =
    "more changed than the journal keeps, or faster than it could read";

/// None if `path` is not `root` or below it; else relative to it.
std::optional<std::string> below(const std::string& root, const std::string& path) {
    if (path == root) return std::string();
    const std::string folder = root == "/" ? root : root + "/";
    if (!path.starts_with(folder)) return std::nullopt;
    return path.substr(folder.size());
}

/// Octal escapes of /proc/self/mountinfo: blanks and the like.
std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                     (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// The first mount point below `root`; empty: none.
Result<std::string> mount_below(const std::string& root) {
    std::istringstream lines(HF_TRY(read_proc_file("/proc/self/mountinfo")));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string skipped;
        std::string point;
        fields >> skipped >> skipped >> skipped >> skipped >> point;
        point = unescaped(point);
        if (point != root && below(root, point)) return point;
    }
    return std::string();
}

void sort_and_merge(std::vector<Change>& changes) {
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
        const int order = vault::compare_paths(a.path, b.path);
        return order != 0 ? order < 0 : a.deep && !b.deep;
    });
    std::vector<Change> out;
    std::string deep;  // With its '/'; empty: none above.
    for (Change& change : changes) {
        if (!out.empty() && out.back().path == change.path) continue;
        if (!deep.empty() && change.path.starts_with(deep)) continue;
        deep = change.deep ? change.path + "/" : std::string();
        out.push_back(std::move(change));
    }
    changes = std::move(out);
}

Changes unknown(std::string why) {
    return {std::nullopt, std::move(why)};
}

}  // namespace

Result<Journal> Journal::open(std::string folder) {
    Watch watch = HF_TRY(Watch::open(folder));
    std::array<std::uint8_t, 8> id{};
    vault::system_random().fill(id);
    return Journal(std::move(folder), to_hex(id), std::move(watch));
}

Result<void> Journal::drain() {
    HF_TRY(take_news());
    return {};
}

Result<Watch::News> Journal::take_news() {
    Watch::News all;
    for (bool more = true; more;) {
        const Watch::News news = HF_TRY(watch_.drain(noted_));
        all.lost = all.lost || news.lost;
        all.folder_moved = all.folder_moved || news.folder_moved;
        more = news.more;
        if (more) HF_TRY(thin());
    }
    return all;
}

/// What changed elsewhere on the file system is nobody's question; if that is not most of it, the
/// next snapshot has to read all.
Result<void> Journal::thin() {
    const std::string root = HF_TRY(path_of(watch_.folder()));
    std::optional<Error> failed;
    std::string last;
    bool last_drops = false;
    noted_.drop_if([&](const NotedName& noted) {
        if (noted.handle == last) return last_drops;
        auto place = place_of(watch_.folder(), noted.handle);
        if (!place) failed = place.error();
        if (!place) return false;
        last = noted.handle;
        last_drops = !*place || ((*place)->path && !below(root, *(*place)->path));
        return last_drops;
    });
    if (failed) return *failed;
    if (noted_.size() > names_max / 2) noted_.lose_all();
    return {};
}

Result<std::string> Journal::mark() {
    HF_TRY(drain());
    return id_ + ":" + std::to_string(noted_.mark());
}

/// Why the folder cannot be told of now, whatever was noted; empty: nothing hinders.
Result<std::string> Journal::hindrance(const std::string& root) const {
    struct stat watched {};
    struct stat there {};
    if (::fstat(watch_.folder(), &watched) != 0) return io_error(errno, "look at " + folder_);
    if (::stat(folder_.c_str(), &there) != 0 || watched.st_dev != there.st_dev ||
        watched.st_ino != there.st_ino) {
        return "another folder is at " + folder_ + " since the journal began; start it again";
    }
    const std::string mounted = HF_TRY(mount_below(root));
    if (!mounted.empty()) return "another file system is mounted at " + mounted;
    return std::string();
}

Result<Changes> Journal::since(std::string_view token) {
    const std::string prefix = id_ + ":";
    std::uint64_t moment = 0;
    const char* const end = token.data() + token.size();
    if (!token.starts_with(prefix)) return unknown("the journal began after the snapshot before");
    const auto read = std::from_chars(token.data() + prefix.size(), end, moment);
    if (read.ec != std::errc() || read.ptr != end) {
        return Error{Errc::Invalid, "no moment of a journal: \"" + std::string(token) + "\""};
    }
    for (int i = 0; i < look_ups_max; ++i) {
        const std::string root = HF_TRY(path_of(watch_.folder()));
        std::string hindered = HF_TRY(hindrance(root));
        if (!hindered.empty()) return unknown(std::move(hindered));
        // A file that is closed in between is among what the kernel told.
        struct stat about {};
        if (::fstat(watch_.folder(), &about) != 0) return io_error(errno, "look at " + folder_);
        const auto open_files = HF_TRY(open_for_writing(about.st_dev));
        HF_TRY(take_news());
        if (moment < noted_.floor()) return unknown(was_lost);
        Changes found = HF_TRY(look_up(moment, root));
        if (!found.changes) return found;
        for (const std::string& handle : open_files) {
            const auto place = HF_TRY(place_of(watch_.folder(), handle));
            if (!place || place->links > 1) continue;  // Links are looked at by whoever asks.
            if (!place->path) return unknown("a file that is open for writing has no path");
            if (auto path = below(root, *place->path)) found.changes->push_back({*path, false});
        }
        const Watch::News news = HF_TRY(take_news());
        if (news.lost) return unknown(was_lost);
        if (news.folder_moved) continue;
        sort_and_merge(*found.changes);
        noted_.forget_before(moment);
        return found;
    }
    return unknown("folders were moved again and again");
}

Result<Changes> Journal::look_up(std::uint64_t moment, const std::string& root) const {
    std::unordered_map<std::string, std::optional<HandlePlace>> places;
    std::vector<Change> changes;
    for (const NotedName& noted : noted_.since(moment)) {
        auto known = places.find(noted.handle);
        if (known == places.end()) {
            auto place = HF_TRY(place_of(watch_.folder(), noted.handle));
            known = places.emplace(noted.handle, std::move(place)).first;
        }
        const std::optional<HandlePlace>& place = known->second;
        if (!place) continue;  // Gone, and its own folder was told so.
        if (noted.name.empty() && place->links > 1) {
            return unknown("a file was given another name (a hard link)");
        }
        if (!place->path) return unknown("a file changed whose name the kernel does not know");
        auto path = below(root, *place->path);
        if (!path) continue;
        if (!noted.name.empty() && noted.name != ".") {
            *path += path->empty() ? noted.name : "/" + noted.name;
        }
        changes.push_back({std::move(*path), noted.deep});
    }
    return Changes{std::move(changes), {}};
}

}  // namespace holdfast::agent::journal
