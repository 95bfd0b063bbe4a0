#include "agent/backup/journaled.h"

#include "agent/backup/journal_proof.h"
#include "agent/source/journal/client.h"
#include "vault/crypto/base64.h"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr std::size_t missed_named_max = 10;

Json links_json(const std::vector<files::LinkedName>& links) {
    Json out = Json::array();
    for (const files::LinkedName& link : links) {
        out.push_back({vault::to_base64(as_view(link.path)), link.ctime_ns});
    }
    return out;
}

std::optional<std::vector<files::LinkedName>> links_of(const Json& told) {
    std::vector<files::LinkedName> out;
    for (const Json& link : told) {
        if (!link.is_array() || link.size() != 2 || !link[0].is_string() ||
            !link[1].is_number_integer()) {
            return std::nullopt;
        }
        const auto path = vault::from_base64(link[0].get<std::string>());
        if (!path) return std::nullopt;
        out.push_back({std::string(as_text(*path)), link[1].get<std::int64_t>()});
    }
    return out;
}

/// Why the next snapshot cannot rely on this one; empty: it can.
std::string no_moment(const files::FilesFacts& facts, const JournalUse& use) {
    if (use.missed > 0) return "the journal had not told of all changes when it was last proven";
    if (facts.unreadable > 0 || facts.warnings > facts.changed) {
        return "the snapshot before could not read all";
    }
    if (!facts.links) return "there are too many files with several names";
    return {};
}

}  // namespace

Journaled::Journaled(const FilesSourceSettings& source, const CopyContext& context)
    : source_(&source), context_(&context) {}

Journaled Journaled::begin(const FilesSourceSettings& source, const std::string& name,
                           const CopyContext& context) {
    Journaled out(source, context);
    out.name_ = name;
    out.use_ = &context.journal->uses.emplace_back();
    out.use_->source = name;
    auto moment = journal::Client(context.journal->socket, name).mark();
    if (moment) {
        out.moment_ = *std::move(moment);
    } else {
        out.use_->whole = moment.error().message;
    }
    out.read_before();
    return out;
}

void Journaled::read_before() {
    const auto facts = parse_json(context_->facts_before);
    if (!facts) return;  // There was none.
    const Json& told = field_in(*facts, "journal");
    auto links = links_of(list_in(told, "links"));
    if (!links) return;
    moment_before_ = text_in(told, "moment");
    if (moment_before_.empty() && use_->whole.empty()) use_->whole = text_in(told, "no_moment");
    proven_ms_ = number_in(told, "proven_ms");
    before_.files = count_in(*facts, "files");
    before_.folders = count_in(*facts, "folders");
    before_.excluded = count_in(*facts, "excluded");
    before_.links = *std::move(links);
}

/// None, and why, if that is not known.
std::optional<std::vector<journal::Change>> Journaled::told_since() {
    auto told = journal::Client(context_->journal->socket, name_).since(moment_before_);
    if (told && told->changes) return std::move(told->changes);
    use_->whole = told ? told->unknown : told.error().message;
    return std::nullopt;
}

std::optional<std::vector<journal::Change>> Journaled::changes(
    const files::FilesSettings& settings) {
    if (moment_.empty()) return std::nullopt;
    if (context_->journal->kept == nullptr) {
        use_->whole = context_->journal->not_kept;
        return std::nullopt;
    }
    if (moment_before_.empty()) {
        if (use_->whole.empty()) use_->whole = "the snapshot before was taken without the journal";
        return std::nullopt;
    }
    auto told = told_since();
    if (!told) return std::nullopt;
    const auto hold = files::links_hold(settings, before_, *told);
    if (hold && *hold) return told;
    use_->whole = hold ? "files with several names have changed" : hold.error().message;
    return std::nullopt;
}

Result<files::FilesFacts> Journaled::copy(const files::FilesSettings& settings, Sink& sink,
                                          const Through& through, const files::Progress& progress) {
    const auto told = changes(settings);
    const std::int64_t age_ms = context_->journal->now_ms - proven_ms_;
    if (told && (age_ms >= source_->journal_proof_ms || age_ms < 0)) {
        use_->whole = "to prove the journal";
        return copy_proving(settings, sink, through, progress, *told);
    }
    if (!told) {
        proven_ms_ = context_->journal->now_ms;  // What is read whole owes the journal nothing.
        return files::copy_tree(settings, through(sink), progress);
    }
    use_->changes = told->size();
    auto facts = HF_TRY(files::copy_changes(settings, before_, *told, through(sink),
                                            *context_->journal->kept, progress));
    if (facts) return *std::move(facts);
    context_->journal->refuted = true;
    return Error{Errc::Conflict, "a file with several names was met"};
}

Result<files::FilesFacts> Journaled::copy_proving(const files::FilesSettings& settings, Sink& sink,
                                                  const Through& through,
                                                  const files::Progress& progress,
                                                  const std::vector<journal::Change>& told) {
    JournalProof proof(*context_->journal->before, sink);
    auto facts = HF_TRY(files::copy_tree(settings, through(proof), progress));
    auto later = told_since();
    if (!later) return facts;
    later->insert(later->end(), told.begin(), told.end());
    const auto missed = HF_TRY(proof.missed(*later));
    if (!missed) return facts;
    use_->changes = told.size();
    use_->proven = true;
    use_->missed = missed->size();
    proven_ms_ = context_->journal->now_ms;
    for (std::size_t i = 0; i < std::min(missed->size(), missed_named_max); ++i) {
        sink.warn(
            {(*missed)[i], "the change journal did not tell that it changed; it is read whole"});
    }
    if (missed->size() > missed_named_max) {
        sink.warn({"", "the change journal did not tell of " +
                           std::to_string(missed->size() - missed_named_max) + " more changes"});
    }
    return facts;
}

Json Journaled::facts(const files::FilesFacts& facts) const {
    const std::string why_not = no_moment(facts, *use_);
    if (moment_.empty()) return Json::object();
    if (!why_not.empty()) return Json{{"no_moment", why_not}};
    return Json{
        {"moment", moment_}, {"proven_ms", proven_ms_}, {"links", links_json(*facts.links)}};
}

}  // namespace holdfast::agent
