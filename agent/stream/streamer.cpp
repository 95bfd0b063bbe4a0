#include "agent/stream/streamer.h"

#include "agent/backup/source_copy.h"
#include "agent/prune/judge.h"
#include "vault/base/clock.h"
#include "vault/prune/carry_over.h"

#include <poll.h>

#include <algorithm>
#include <map>
#include <vector>

namespace holdfast::agent {
namespace {

constexpr std::size_t bytes_at_once = 8 << 20;
constexpr std::uint64_t pending_bytes_soon = 64ULL << 20;  // A tail at once.
constexpr std::uint64_t pending_bytes_max = 256ULL << 20;  // No more is taken in.
constexpr std::int64_t idle_ms = 5 * minute_ms;            // A tail that says: nothing came.
constexpr std::int64_t pause_ms_first = 1000;
constexpr std::int64_t pause_ms_max = 30'000;
constexpr std::size_t older_tails_max = 16;
constexpr unsigned commits_a_carry = 512;  // How often the ledger is looked at for its length.
constexpr int look_ms = 100;

class Streamer {
public:
    Streamer(const SystemSettings& system, const SourceSettings& source, const Clock& clock,
             const StreamSettings& settings)
        : system_(&system),
          source_(&source),
          of_(&std::get<PostgresSourceSettings>(source.of)),
          clock_(&clock),
          settings_(&settings) {}

    Result<void> run();

private:
    Result<void> session();
    Result<void> establish(postgres::LogStream& stream, Tail& tail);
    Result<void> take_base(postgres::LogStream& stream, Tail& tail, const std::string& why);
    Result<bool> goes_on(postgres::LogStream& stream, Tail& tail);
    Result<void> follow(postgres::LogStream& stream, Tail& tail);
    Result<bool> keep(const postgres::LogStream& stream, Tail& tail);
    Result<void> commit(Tail& tail);
    Result<void> change_base(Tail& tail);
    Result<void> forget_older();
    bool stopped() const { return *settings_->stop; }
    void pause(std::int64_t ms) const;
    std::int64_t now_ms() const { return clock_->steady_ns() / 1'000'000; }
    void problem(const Error& error) const {
        settings_->tell({StreamEvent::Kind::Problem, error.message, {}, 0, 0, 0});
    }

    const SystemSettings* system_;
    const SourceSettings* source_;
    const PostgresSourceSettings* of_;
    const Clock* clock_;
    const StreamSettings* settings_;
    std::unique_ptr<vault::Vault> vault_;
    std::string begin_anew_;  // Why a new base is needed; empty: none.
    bool followed_ = false;   // Since the last connection.
    vault::SnapshotId newest_;
    unsigned commits_ = 0;
};

Result<void> Streamer::run() {
    std::int64_t pause_ms = pause_ms_first;
    bool ever = false;
    while (!stopped()) {
        followed_ = false;
        auto done = session();
        if (stopped()) break;
        ever = ever || followed_;
        if (followed_) pause_ms = pause_ms_first;
        if (!done) {
            // Somebody must mend these before it is worth another try.
            const Errc code = done.error().code;
            if (code == Errc::Denied || (code == Errc::Invalid && !ever)) return done;
            problem(done.error());
            const bool lost =
                code == Errc::NotFound || code == Errc::Corrupt || code == Errc::Invalid;
            if (lost) begin_anew_ = done.error().message;
        }
        pause(pause_ms);
        pause_ms = std::min(pause_ms * 2, pause_ms_max);
    }
    return {};
}

void Streamer::pause(std::int64_t ms) const {
    for (const std::int64_t end = now_ms() + ms; !stopped() && now_ms() < end;) {
        (void)::poll(nullptr, 0, look_ms);
    }
}

Result<void> Streamer::session() {
    HF_TRY(settings_->may_go_on());
    vault_ = HF_TRY(settings_->open_vault());
    auto stream = HF_TRY(postgres::LogStream::open(
        postgres_settings(*of_), postgres::slot_name(system_->name, source_->name),
        of_->stream_log_bytes_max, [this] { return stopped(); }));
    Tail tail(system_->name, source_->name, stream.source());
    HF_TRY(establish(stream, tail));
    followed_ = true;
    settings_->tell({StreamEvent::Kind::Streaming, "", tail.base(), tail.next_lsn(), 0, 0});
    return follow(stream, tail);
}

Result<void> Streamer::establish(postgres::LogStream& stream, Tail& tail) {
    if (!begin_anew_.empty()) return take_base(stream, tail, begin_anew_);
    if (HF_TRY(goes_on(stream, tail))) return {};
    return take_base(stream, tail, begin_anew_);
}

/// False: a new base is needed, begin_anew_ says why.
Result<bool> Streamer::goes_on(postgres::LogStream& stream, Tail& tail) {
    auto base = remembered_base(settings_->state, system_->name);
    if (!base && base.error().code == Errc::Io) return std::move(base).error();
    if (!base) {
        begin_anew_ = "no snapshot of this system streamed before";
        return false;
    }
    const vault::SnapshotId id = base->snapshot;
    auto begun = vault_->reader().find(id)
                     ? tail.begin(*std::move(base))
                     : Result<void>(Error{Errc::NotFound,
                                          "the last one, " + id.brief() + ", is not in the vault"});
    if (begun) HF_TRY(tail.resume(*vault_));
    if (begun) begun = stream.start(tail.next_lsn());
    if (begun) return true;
    const Errc code = begun.error().code;
    if (code != Errc::NotFound && code != Errc::Corrupt) return begun.error();
    begin_anew_ = begun.error().message;
    return false;
}

/// The slot comes first: what is written from then on is held until it is here.
Result<void> Streamer::take_base(postgres::LogStream& stream, Tail& tail, const std::string& why) {
    settings_->tell({StreamEvent::Kind::Base, why, {}, 0, 0, 0});
    HF_TRY(stream.make_slot());
    BackupProgress progress;
    BackupSettings backup{settings_->workers, false, &progress, settings_->state, settings_->run};
    const BackupResult taken = HF_TRY(take_snapshot(*vault_, *system_, *clock_, backup));
    for (const vault::SnapshotWarning& one : taken.warnings) {
        problem({Errc::Io, one.source + "/" + one.path + ": " + one.what});
    }
    HF_TRY(remember_base(settings_->state, *system_, taken));
    HF_TRY(tail.begin(HF_TRY(remembered_base(settings_->state, system_->name))));
    begin_anew_.clear();
    return stream.start(tail.next_lsn());
}

Result<void> Streamer::follow(postgres::LogStream& stream, Tail& tail) {
    std::int64_t last_ms = now_ms();
    while (!stopped()) {
        // What comes after a pause is gathered for an interval too.
        const bool waits = tail.pending_bytes() == 0;
        const std::int64_t left_ms =
            waits ? of_->stream_ms : std::max<std::int64_t>(1, last_ms + of_->stream_ms - now_ms());
        const bool full = tail.pending_bytes() >= pending_bytes_max;
        auto came = full ? Result<postgres::LogBytes>(postgres::LogBytes{tail.next_lsn(), {}})
                         : stream.next(bytes_at_once, static_cast<int>(left_ms));
        if (full) pause(left_ms);
        if (came) tail.add(*came);
        const std::int64_t since_ms = now_ms() - last_ms;
        // The source may be gone for good, or this process: what it sent last is kept at once.
        const bool soon = since_ms >= of_->stream_ms || !came || stopped() ||
                          tail.pending_bytes() >= pending_bytes_soon;
        if (since_ms >= idle_ms || (tail.pending_bytes() != 0 && soon)) {
            last_ms = now_ms();
            const bool kept = HF_TRY(keep(stream, tail));
            if (kept && came) HF_TRY(stream.confirm(tail.next_lsn()));
        }
        if (!came) return std::move(came).error();
        HF_TRY(change_base(tail));
    }
    return {};
}

/// False: it was not possible now (a full disk), and nothing is lost.
Result<bool> Streamer::keep(const postgres::LogStream& stream, Tail& tail) {
    const std::uint64_t bytes = tail.pending_bytes();
    const auto kept = commit(tail);
    if (!kept) {
        const Errc code = kept.error().code;
        if (code != Errc::Full && code != Errc::Io && code != Errc::Conflict) return kept.error();
        problem(kept.error());
        return false;
    }
    const std::uint64_t behind =
        stream.source_end() - std::min(stream.source_end(), tail.next_lsn());
    settings_->tell({StreamEvent::Kind::Tail, "", newest_, tail.next_lsn(), bytes, behind});
    return true;
}

Result<void> Streamer::commit(Tail& tail) {
    HF_TRY(settings_->may_go_on());
    const auto mended = HF_TRY(vault_->chain().make_sound());
    if (mended) problem({Errc::Corrupt, *mended});
    newest_ = HF_TRY(tail.commit(*vault_, *system_, clock_->wall_ms(), settings_->workers)).id;
    HF_TRY(forget_older());
    if (++commits_ % commits_a_carry != 0) return {};
    vault::CarrySettings carry;
    carry.attached = settings_->attached;
    HF_TRY(vault::carry_ledger_over(*vault_, carry));
    vault_ = HF_TRY(settings_->open_vault());  // Which forgets what was carried over.
    return {};
}

/// Another process has taken a snapshot. The tail so far has all log up to it by then; so between
/// the two every moment can be restored.
Result<void> Streamer::change_base(Tail& tail) {
    auto base = remembered_base(settings_->state, system_->name);
    if (!base || base->snapshot == tail.base()) return {};
    const auto place = cluster_place(*base, source_->name);
    if (!place || tail.next_lsn() < place->stop_lsn) return {};
    if (tail.pending_bytes() != 0) HF_TRY(commit(tail));
    HF_TRY(vault_->reader().refresh());
    return tail.begin(*std::move(base));
}

/// A tail has all that the ones before it on the same base have. Those of the last while stay: a
/// run may have chosen one, or two people be about to release it to a partner.
Result<void> Streamer::forget_older() {
    std::map<vault::SnapshotId, vault::SnapshotId> newest;  // By its base.
    for (const vault::SnapshotRecord& one : vault_->reader().snapshots()) {
        if (one.tail_of) newest[*one.tail_of] = one.id;
    }
    const std::int64_t recent = clock_->wall_ms() - tail_recent_ms;
    std::vector<vault::SnapshotId> older;
    for (const vault::SnapshotRecord& one : vault_->reader().snapshots()) {
        const bool ours = one.tail_of && one.system == system_->name;
        if (ours && one.time < recent && newest[*one.tail_of] != one.id) older.push_back(one.id);
    }
    if (older.size() < older_tails_max) return {};
    const auto in_use = HF_TRY(settings_->in_use(vault_->reader()));
    std::erase_if(older, [&](const vault::SnapshotId& id) { return in_use.contains(id); });
    if (older.size() < older_tails_max) return {};
    return vault_->forget(older);
}

}  // namespace

Result<void> stream_system(const SystemSettings& system, const Clock& clock,
                           const StreamSettings& settings) {
    const SourceSettings* const source = streamed_source(system);
    if (source == nullptr) {
        return Error{Errc::Invalid, system.name +
                                        ": no source of kind \"postgres\" has stream = "
                                        "\"2s\" or the like in its settings"};
    }
    return Streamer(system, *source, clock, settings).run();
}

}  // namespace holdfast::agent
