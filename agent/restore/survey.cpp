#include "agent/restore/survey.h"

#include "agent/restore/folder_walk.h"
#include "agent/restore/restore_snapshot.h"
#include "agent/restore/selection.h"
#include "vault/base/file.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <unordered_set>

namespace holdfast::agent {
namespace {

class Counter final : public TreeVisitor {
public:
    Counter(const vault::TreeReader& tree, const RestoreSettings& settings,
            const std::string& folder, RestoreSurvey& survey)
        : tree_(&tree),
          progress_(settings.progress),
          overwrite_(settings.overwrite),
          survey_(&survey),
          root_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
          walk_(root_.get()) {}

    const std::optional<Error>& lost() const { return lost_; }

    Result<void> enter(const vault::Entry& folder) override {
        count();
        ++survey_->folders;
        if (!folder.path.empty() && HF_TRY(find(folder)) == Finding::Goes) ++survey_->replaced;
        return {};
    }

    /// A later name of a file may come without its content: one of them has it, and is counted.
    Result<void> visit(const vault::Item& item) override {
        count();
        if (HF_TRY(stays(item.entry))) return {};
        if (item.entry.type != vault::FileType::Regular) return {};
        const std::uint64_t link = item.entry.hard_link;
        if (link != 0 && !counted_.insert(link).second) return {};
        const auto first = passed_.find(link);
        return count_file(link != 0 && first != passed_.end() ? first->second : item);
    }

    Result<void> leave(const vault::Entry&) override { return {}; }

    void pass(const vault::Item& item) override {
        if (item.entry.hard_link != 0) passed_.try_emplace(item.entry.hard_link, item);
    }

    void lose(const std::string& first_path, std::uint64_t entries, const Error& why) override {
        if (lost_) return;
        lost_ = Error{Errc::Corrupt, first_path + ": " + std::to_string(entries) +
                                         " entries from here on are lost: " + why.message};
    }

private:
    Result<Finding> find(const vault::Entry& entry) {
        if (overwrite_ == Overwrite::Refuse || !root_) return Finding::Nothing;
        const int in = walk_.enter(folder_of(entry.path));
        if (in < 0) return Finding::Nothing;
        return look_at(in, name_of(entry.path), entry, overwrite_);
    }

    /// True if what is there would be kept.
    Result<bool> stays(const vault::Entry& entry) {
        const Finding found = HF_TRY(find(entry));
        if (found == Finding::Goes) ++survey_->replaced;
        if (found != Finding::Same && found != Finding::Stays) return false;
        ++survey_->kept;
        return true;
    }

    void count() {
        ++survey_->entries;
        if (progress_ != nullptr) ++progress_->entries;
    }

    Result<void> count_file(const vault::Item& item) {
        ++survey_->files;
        survey_->bytes += item.entry.size;
        if (progress_ != nullptr) progress_->bytes += item.entry.size;
        for (const vault::Extent& extent : HF_TRY(tree_->extents(item).within(item.entry.path))) {
            if (!extent.hole()) survey_->data_bytes += extent.length;
        }
        return {};
    }

    const vault::TreeReader* tree_;
    RestoreProgress* progress_;
    Overwrite overwrite_;
    RestoreSurvey* survey_;
    Fd root_;  // Where it would come to, if that is there.
    FolderWalk walk_;
    std::optional<Error> lost_;  // The first.
    std::unordered_set<std::uint64_t> counted_;
    std::unordered_map<std::uint64_t, vault::Item> passed_;  // First names that are not chosen.
};

/// Of the nearest folder above `path` that is there.
Result<std::uint64_t> free_at(const std::string& path) {
    std::error_code failed;
    std::filesystem::path at = std::filesystem::absolute(path, failed).lexically_normal();
    while (!failed && at.has_relative_path() && !std::filesystem::exists(at, failed)) {
        at = at.parent_path();
    }
    const auto space = failed ? std::filesystem::space_info{} : std::filesystem::space(at, failed);
    if (failed) return Error{Errc::Io, at.string() + ": " + failed.message()};
    return std::uint64_t{space.available};
}

}  // namespace

Result<RestoreSurvey> survey_restore(vault::VaultReader& reader,
                                     const vault::SnapshotRecord& record,
                                     const RestoreSettings& settings) {
    const std::vector<Glob> includes = HF_TRY(parse_globs(settings.includes).within("includes"));
    if (!settings.in_place && settings.overwrite == Overwrite::Refuse) {
        HF_TRY(check_target(settings.folder));
    }
    const vault::Manifest manifest = HF_TRY(reader.manifest(record));
    const auto chunks = reader.chunk_reader();
    RestoreSurvey survey;
    survey.places = HF_TRY(restore_folders(manifest, settings));
    survey.free_bytes = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i < manifest.sources.size(); ++i) {
        const vault::SourceInfo& source = manifest.sources[i];
        survey.free_bytes = std::min(survey.free_bytes, HF_TRY(free_at(survey.places[i])));
        const vault::TreeReader tree =
            HF_TRY(vault::TreeReader::open(source.tree, *chunks).within(source.name));
        Counter counter(tree, settings, survey.places[i], survey);
        HF_TRY(visit_selected(tree, includes,
                              settings.progress == nullptr ? nullptr : &settings.progress->stop,
                              counter));
        if (counter.lost()) return *counter.lost();
    }
    if (survey.entries == 0)
        return Error{Errc::NotFound, "no path of the snapshot matches --include"};
    return survey;
}

}  // namespace holdfast::agent
