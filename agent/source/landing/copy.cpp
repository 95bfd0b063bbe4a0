#include "agent/source/landing/copy.h"

#include "agent/source/forwarding_sink.h"

#include <map>
#include <set>
#include <utility>

namespace holdfast::agent::landing {
namespace {

/// Writes down which old files the snapshot before had already.
class KeptSink final : public ForwardingSink {
public:
    KeptSink(Sink& to, std::int64_t older_than_ms)
        : ForwardingSink(to), older_than_ns_(older_than_ms * 1'000'000) {}

    Result<bool> add_unchanged(const vault::Entry& entry) override {
        const bool known = HF_TRY(ForwardingSink::add_unchanged(entry));
        if (known && entry.mtime_ns < older_than_ns_) old_and_kept.push_back(entry.path);
        return known;
    }

    std::vector<std::string> old_and_kept;

private:
    std::int64_t older_than_ns_;
};

std::string age_words(std::int64_t ms) {
    const std::int64_t hours = ms / hour_ms;
    if (ms < 2 * hour_ms) return std::to_string(ms / minute_ms) + " min";
    return hours < 72 ? std::to_string(hours) + " h" : std::to_string(hours / 24) + " days";
}

}  // namespace

Result<ShareRules> share_rules(const LandingSettings& settings) {
    std::vector<Glob> excludes = HF_TRY(parse_globs(settings.excludes).within("excludes"));
    return ShareRules{settings.folder, std::move(excludes), settings.quiet_ms, settings.marker,
                      settings.immutable};
}

Result<std::vector<std::string>> missing(const std::vector<Expectation>& expected,
                                         const std::vector<LandedFile>& files,
                                         std::int64_t now_ms) {
    std::vector<std::string> out;
    for (const Expectation& one : expected) {
        const Glob pattern = HF_TRY(Glob::parse(one.pattern).within("expect"));
        const LandedFile* newest = nullptr;
        for (const LandedFile& file : files) {
            if (file.state == FileState::Waiting || file.bytes < one.bytes_min ||
                !pattern.matches(file.path, false)) {
                continue;
            }
            if (newest == nullptr || file.mtime_ms > newest->mtime_ms) newest = &file;
        }
        const std::string what =
            "no whole \"" + one.pattern + "\"" +
            (one.bytes_min == 0 ? std::string()
                                : " of at least " + std::to_string(one.bytes_min) + " bytes");
        if (newest == nullptr) {
            out.push_back(what + " has ever come");
        } else if (now_ms - newest->mtime_ms > one.every_ms) {
            out.push_back(what + " for " + age_words(now_ms - newest->mtime_ms) +
                          ", expected every " + age_words(one.every_ms) + "; the newest is " +
                          newest->path + " of " + format_time(newest->mtime_ms));
        }
    }
    return out;
}

Result<LandingFacts> copy_landing(const LandingSettings& settings, Sink& sink, const Clock& clock,
                                  const files::Progress& progress) {
    ShareRules rules = HF_TRY(share_rules(settings));
    const Share share = HF_TRY(Share::open(std::move(rules)));
    const std::int64_t now_ms = clock.wall_ms();
    const std::vector<LandedFile> landed = HF_TRY(share.look(now_ms, true));
    LandingFacts facts;
    files::FilesSettings tree;
    tree.folder = settings.folder;
    tree.excludes = settings.excludes;
    std::set<std::string> whole;
    std::map<std::string, const LandedFile*> sealed;
    for (const LandedFile& file : landed) {
        if (file.state == FileState::Waiting) {
            ++facts.waiting;
            continue;
        }
        whole.insert(file.path);
        if (file.state == FileState::Sealed) sealed.emplace(file.path, &file);
        if (!file.why.empty()) {
            sink.warn({file.path, "it cannot be made immutable: " + file.why});
        }
    }
    facts.sealed = sealed.size();
    // What comes while this goes on was not judged.
    tree.takes = [&](const std::string& path) { return whole.contains(path); };
    for (std::string& what : HF_TRY(missing(settings.expected, landed, now_ms))) {
        sink.warn({"", std::move(what)});
    }
    KeptSink kept(sink, now_ms - settings.keep_ms);
    facts.files = HF_TRY(files::copy_tree(tree, kept, progress));
    if (settings.keep_ms == 0) return facts;
    for (const std::string& path : kept.old_and_kept) {
        const auto found = sealed.find(path);
        if (found == sealed.end()) continue;
        const auto removed = share.remove(*found->second);
        if (removed) ++facts.removed;
        if (!removed) sink.warn({path, removed.error().message});
    }
    return facts;
}

}  // namespace holdfast::agent::landing
