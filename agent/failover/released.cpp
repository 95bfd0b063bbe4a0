#include "agent/failover/released.h"

#include "agent/config/node_settings.h"
#include "agent/failover/approval.h"
#include "agent/node/node_keys.h"
#include "vault/base/clock.h"

namespace holdfast::agent {
namespace {

Error is_not_for(const vault::Release& release, const std::string& what) {
    return {Errc::Denied, "the release is of " + release.system + ", snapshot " +
                              release.snapshot.brief() + ", " + what};
}

}  // namespace

Result<vault::Release> judge_release(const Home& home, const TrustId& owner,
                                     const std::string& system, const std::string& snapshot,
                                     View bytes, std::int64_t now_ms) {
    const NodeSettings node = HF_TRY(load_node(home));
    const vault::Record record = HF_TRY(vault::parse_record(bytes).within("the release"));
    vault::Release release = HF_TRY(vault::parse_release(record, node.trust));
    if (release.owner != owner) return is_not_for(release, "and another trust's");
    if (release.system != system) return is_not_for(release, "not of " + system);
    if (!release.snapshot.hex().starts_with(snapshot)) {
        return is_not_for(release, "not of " + snapshot.substr(0, 12));
    }
    const AgentKeys keys = HF_TRY(read_agent_keys(home.keys));
    if (release.host_key != keys.box.public_key) {
        return is_not_for(release, "and for another node of this trust");
    }
    if (now_ms >= release.until) {
        return is_not_for(release, "and ended at " + format_time(release.until) +
                                       ": its owner must make a new one");
    }
    const PeopleBook book = HF_TRY(people_of(home, owner));
    const auto two = book.people().two_persons(record, now_ms);
    if (!two) return Error(two.error()).within("the release of " + release.system);
    return release;
}

Result<std::optional<vault::ReleaseKeys>> released_keys(const Home& home, RunStore& runs,
                                                        const Run& run, std::int64_t now_ms) {
    const auto stored = HF_TRY(runs.release(run.id));
    if (!stored) return std::optional<vault::ReleaseKeys>();
    const vault::Release release = HF_TRY(
        judge_release(home, run.owner, run.system, run.facts.snapshot, stored->record, now_ms));
    const AgentKeys keys = HF_TRY(read_agent_keys(home.keys));
    return std::optional<vault::ReleaseKeys>(
        HF_TRY(vault::ReleaseKeys::open(release, stored->keys, keys.box, now_ms)));
}

Result<void> note_release(const Home& home, RunStore& runs, Run& run) {
    const auto stored = HF_TRY(runs.release(run.id));
    if (!stored) return {};
    const vault::Record record = HF_TRY(vault::parse_record(stored->record));
    const NodeSettings node = HF_TRY(load_node(home));
    const vault::Release release = HF_TRY(vault::parse_release(record, node.trust));
    ReleaseNote note{release.snapshot.hex(), node.trust.hex(), node.name, release.purpose,
                     release.time,           release.until,    {}};
    const PeopleBook book = HF_TRY(people_of(home, run.owner));
    for (const vault::RecordSignature& one : record.signatures) {
        const vault::PersonCertificate* person = book.people().by_key(one.signer);
        if (person != nullptr && vault::signed_by(record, one.signer)) {
            note.people.push_back(person->name);
        }
    }
    run.facts.release = std::move(note);
    return {};
}

}  // namespace holdfast::agent
