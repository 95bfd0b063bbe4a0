#include "replicator/transfer/pull.h"

#include "vault/base/fault.h"
#include "vault/base/worker_pool.h"
#include "vault/keys/custody.h"
#include "vault/keys/domain.h"
#include "vault/keys/epoch.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/standing.h"

#include <poll.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>

namespace holdfast::replicator {
namespace {

constexpr std::uint64_t look_ms = 100;  // How often a pause looks whether to stop.

class Puller {
public:
    Puller(vault::Store& from, const std::vector<Buffer>& rosters, const vault::Roster& roster,
           vault::PosixStore& to, const PullSettings& settings, PullProgress& progress)
        : from_(&from),
          rosters_(&rosters),
          roster_(&roster),
          to_(&to),
          settings_(&settings),
          progress_(&progress),
          ledger_(from, roster) {}

    Result<PullReport> run();

private:
    /// The object as it is to be kept; nothing: it is not needed.
    /// What is stored for an object; none: nothing.
    using Kept = Result<std::optional<Buffer>>;
    using Check = std::function<Kept(const vault::SealedName& name, Buffer object)>;

    template <class Call>
    auto patiently(Call call) -> decltype(call());
    void pause(std::uint64_t ms) const;

    Result<void> bring_rosters();
    Result<void> bring_folder(const std::string& folder, std::size_t bytes_max, const Check& check);
    Result<void> read_ledger();
    Result<std::set<PackId>> packs_of_lists();
    Result<void> bring_packs(const std::set<PackId>& packs);
    Result<void> bring_pack(const PackId& pack);
    Result<void> bring_lists();
    Result<void> bring_entries();
    Result<void> store(const std::string& name, View object);
    Result<bool> is_here(const std::string& name) const;
    /// True if the pull goes on without this object.
    bool pass_over(const std::string& name, const Error& error);

    vault::Store* from_;
    const std::vector<Buffer>* rosters_;
    const vault::Roster* roster_;
    vault::PosixStore* to_;
    const PullSettings* settings_;
    PullProgress* progress_;
    vault::Ledger ledger_;
    std::mutex mutex_;  // Guards report_.
    PullReport report_;
};

template <class Call>
auto Puller::patiently(Call call) -> decltype(call()) {
    std::uint64_t pause_ms = settings_->first_pause_ms;
    for (unsigned left = settings_->tries_max;; --left, pause_ms *= 2) {
        if (progress_->stop) return Error{Errc::Interrupted, "stopped; run it again to go on"};
        auto answer = call();
        const bool again = !answer && answer.error().code == Errc::Unreachable;
        if (!again || left <= 1) return answer;
        pause(pause_ms);
    }
}

void Puller::pause(std::uint64_t ms) const {
    while (ms > 0 && !progress_->stop) {
        const std::uint64_t step = std::min(ms, look_ms);
        ::poll(nullptr, 0, static_cast<int>(step));
        ms -= step;
    }
}

Result<bool> Puller::is_here(const std::string& name) const {
    const auto size = to_->size(name);
    if (size) return true;
    if (size.error().code == Errc::NotFound) return false;
    return size.error();
}

Result<void> Puller::store(const std::string& name, View object) {
    HF_TRY(to_->put(name, object));
    fault_point("object fetched");
    return {};
}

bool Puller::pass_over(const std::string& name, const Error& error) {
    if (error.code != Errc::NotFound && error.code != Errc::Corrupt) return false;
    const std::lock_guard lock(mutex_);
    report_.damage.push_back({name, error.message});
    return true;
}

Result<PullReport> Puller::run() {
    HF_TRY(read_ledger());
    HF_TRY(bring_rosters());
    HF_TRY(bring_folder("domain/", vault::record_bytes_max,
                        [&](const vault::SealedName& name, Buffer object) -> Kept {
                            if (name.seal != roster_->seal) return std::optional<Buffer>();
                            const DomainId id{name.id.digest};
                            const auto domain = HF_TRY(vault::parse_domain(object, id, *roster_));
                            if (domain.seal == name.seal) return std::optional(std::move(object));
                            return Error{Errc::Corrupt, "a domain's record of another seal"};
                        }));
    HF_TRY(bring_folder("custody/", vault::record_bytes_max,
                        [&](const vault::SealedName&, Buffer object) -> Kept {
                            const auto custody = vault::parse_custody(object, *roster_);
                            // A former trust key's: the secret was shared out anew since.
                            if (!custody && custody.error().code == Errc::Denied) {
                                return std::optional<Buffer>();
                            }
                            if (!custody) return custody.error();
                            return std::optional(std::move(object));
                        }));
    HF_TRY(bring_folder("epoch/", vault::epoch_object_max,
                        [&](const vault::SealedName& name, Buffer object) -> Kept {
                            if (name.seal != roster_->seal) return std::optional<Buffer>();
                            const EpochId epoch{name.id.digest};
                            HF_TRY(vault::parse_epoch(object, epoch));
                            if (!settings_->rewrap) return std::optional(std::move(object));
                            return std::optional(
                                HF_TRY(settings_->rewrap(epoch, std::move(object))));
                        }));
    HF_TRY(bring_packs(HF_TRY(packs_of_lists())));
    HF_TRY(bring_lists());
    HF_TRY(bring_entries());
    return std::move(report_);
}

Result<void> Puller::read_ledger() {
    HF_TRY(patiently([&] { return ledger_.refresh(); }));
    for (const auto& [chain, entries] : ledger_.entries()) report_.entries += entries.size();
    for (const auto& [chain, error] : ledger_.broken()) {
        report_.damage.push_back({"ledger/" + chain.hex(), error.message});
    }
    if (report_.entries != 0) return {};
    return Error{Errc::NotFound,
                 "it holds no ledger of " + roster_->name + ": nothing was ever replicated to it"};
}

Result<void> Puller::bring_rosters() {
    for (const Buffer& object : *rosters_) {
        const vault::Roster one = HF_TRY(vault::parse_roster(object));
        HF_TRY(store(vault::roster_name(one.number), object));
    }
    return {};
}

Result<void> Puller::bring_folder(const std::string& folder, std::size_t bytes_max,
                                  const Check& check) {
    std::vector<std::string> names;
    HF_TRY(patiently([&] {
        names.clear();
        return from_->list(folder, [&](const std::string& name) -> Result<void> {
            if (names.size() >= pulled_objects_max) {
                return Error{Errc::Invalid, "too many objects in " + folder};
            }
            names.push_back(name);
            return {};
        });
    }));
    for (const std::string& name : names) {
        if (HF_TRY(is_here(name))) continue;
        auto object = patiently([&] { return from_->get_all(name, bytes_max); });
        Result<std::optional<Buffer>> kept = std::optional<Buffer>();
        if (object) {
            const auto sealed = vault::sealed_name(name);
            kept = check(sealed ? *sealed : vault::SealedName{}, *std::move(object));
        } else {
            kept = std::move(object).error();
        }
        if (!kept && pass_over(name, kept.error())) continue;
        const std::optional<Buffer> wanted = HF_TRY(std::move(kept).within(name));
        if (wanted) HF_TRY(store(name, *wanted));
    }
    return {};
}

Result<std::set<PackId>> Puller::packs_of_lists() {
    std::set<PackId> packs;
    vault::Standing standing;
    standing.refresh(ledger_);
    for (const ListId& id : standing.live_lists(ledger_)) {
        const auto list = patiently([&] { return ledger_.list(id); });
        if (!list && pass_over(vault::list_name(id), list.error())) continue;
        if (!list) return list.error();
        packs.insert(list->packs.begin(), list->packs.end());
    }
    return packs;
}

Result<void> Puller::bring_pack(const PackId& pack) {
    const std::string name = vault::pack_name(pack);
    if (!HF_TRY(is_here(name))) {
        const auto object =
            patiently([&] { return from_->get_all(name, vault::object_bytes_max); });
        if (!object && pass_over(name, object.error())) return {};
        if (!object) return object.error();
        HF_TRY(store(name, *object));
        progress_->bytes_done += object->size();
        const std::lock_guard lock(mutex_);
        ++report_.packs;
        report_.bytes += object->size();
    }
    ++progress_->packs_done;
    return {};
}

Result<void> Puller::bring_packs(const std::set<PackId>& packs) {
    progress_->packs_all = packs.size();
    std::mutex mutex;
    std::optional<Error> failed;  // The first; the others stop then.
    {
        const unsigned workers = std::max(1u, settings_->connections);
        WorkerPool pool(workers, workers);
        for (const PackId& pack : packs) {
            pool.submit([&, pack](unsigned) {
                {
                    const std::lock_guard lock(mutex);
                    if (failed) return;
                }
                const auto done = bring_pack(pack);
                const std::lock_guard lock(mutex);
                if (!done && !failed) failed = done.error();
            });
        }
    }
    if (failed) return *failed;
    return {};
}

Result<void> Puller::bring_lists() {
    return bring_folder("list/", vault::object_bytes_max,
                        [&](const vault::SealedName&, Buffer object) -> Kept {
                            HF_TRY(vault::parse_list(object));  // Its set proves itself when read.
                            return std::optional(std::move(object));
                        });
}

Result<void> Puller::bring_entries() {
    for (const auto& [chain, entries] : ledger_.entries()) {
        const std::uint64_t first = ledger_.chain(chain)->first();
        for (const vault::LedgerEntry& entry : entries) {
            if (entry.envelope.number < first) continue;  // Carried over by those that follow.
            const std::string name = vault::entry_name(chain, entry.envelope.number);
            HF_TRY(store(name, vault::encode_entry(entry)));
        }
    }
    return {};
}

}  // namespace

Result<PullReport> pull(vault::Store& from, const std::vector<Buffer>& rosters,
                        const vault::Roster& roster, vault::PosixStore& to,
                        const PullSettings& settings, PullProgress& progress) {
    return Puller(from, rosters, roster, to, settings, progress).run();
}

}  // namespace holdfast::replicator
