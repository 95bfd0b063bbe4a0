#include "replicator/control/transfers.h"

#include <algorithm>

namespace holdfast::replicator {

Transfers::Running* Transfers::find(std::uint64_t id) {
    const auto found =
        std::ranges::find_if(transfers_, [&](const Running& one) { return one.info.id == id; });
    return found == transfers_.end() ? nullptr : &*found;
}

Result<PushSettings> Transfers::settings_for(const Partner& partner) {
    PushSettings settings;
    settings.end = HF_TRY(peer_end(partner, core_.own.trust));
    settings.host = partner.trust;
    settings.own_roster = HF_TRY(core_.own_rosters.newest());
    settings.host_roster = partner.roster;
    for (HeldAgreement& held : HF_TRY(core_.promises.agreements(core_.own.trust, partner.trust))) {
        settings.agreements.push_back(std::move(held.object));
    }
    for (const HeldReceipt& held : HF_TRY(core_.promises.receipts(partner.trust))) {
        settings.receipted.insert(held.list);
    }
    settings.end.bytes_per_second_max = bytes_per_second_max_ / settings.connections;
    return settings;
}

Result<std::uint64_t> Transfers::start(const TrustId& trust) {
    const Partner* partner = HF_TRY(core_.partners.need(trust));
    for (Running& one : transfers_) {
        if (one.info.partner != trust || one.info.ended_ms != 0) continue;
        one.again = true;
        return one.info.id;
    }
    PushSettings settings = HF_TRY(settings_for(*partner));
    vault::PosixStore vault = HF_TRY(vault::PosixStore::open(core_.own.vault));
    Running running;
    running.info.id = next_id_++;
    running.info.partner = trust;
    running.info.partner_name = partner->name;
    running.info.state = "running";
    running.info.started_ms = core_.clock.wall_ms();
    running.progress = std::make_shared<PushProgress>();
    using Outcome = std::pair<Result<void>, PushReport>;
    HF_TRY(pushes_->submit(
        [settings = std::move(settings), progress = running.progress, vault = std::move(vault),
         identity = core_.own.tls.copy()] {
            PushReport report;
            auto done = push(vault, identity, settings, *progress, report);
            return Outcome{std::move(done), std::move(report)};
        },
        [this, id = running.info.id](Outcome outcome) {
            ended(id, outcome.first, outcome.second);
        }));
    transfers_.push_front(std::move(running));
    while (transfers_.size() > transfers_kept && transfers_.back().info.ended_ms != 0) {
        transfers_.pop_back();
    }
    return transfers_.front().info.id;
}

Result<std::vector<std::uint64_t>> Transfers::start_all() {
    std::vector<std::uint64_t> ids;
    std::optional<Error> first;
    for (const auto& [trust, partner] : core_.partners.all()) {
        const auto agreement =
            HF_TRY(core_.promises.in_force(core_.own.trust, trust, core_.clock.wall_ms()));
        if (!agreement || partner.address.empty()) continue;
        auto id = start(trust);
        if (id) ids.push_back(*id);
        if (!id && !first) first = std::move(id).error();
    }
    if (ids.empty() && first) return *std::move(first);
    return ids;
}

// What a push has learnt counts even if it failed later on.
Result<void> Transfers::keep(const TrustId& trust, const PushReport& report) {
    if (!report.host_rosters.empty()) {
        if (HF_TRY(core_.partners.take_rosters(trust, report.host_rosters))) {
            core_.tenancies.take_rosters(*core_.partners.find(trust));
        }
    }
    const Partner* partner = HF_TRY(core_.partners.need(trust));
    const vault::Roster own = HF_TRY(core_.own_rosters.newest());
    for (const Buffer& object : report.agreements) {
        const Agreement terms = HF_TRY(parse_agreement(HF_TRY(vault::parse_record(object))));
        const bool we_own = terms.owner == core_.own.trust;
        HF_TRY(core_.promises.put_agreement(object, we_own ? own : partner->roster,
                                            we_own ? partner->roster : own));
    }
    for (const BroughtReceipt& one : report.receipts) {
        HF_TRY(core_.promises.put_receipt(one.receipt, one.object));
    }
    return {};
}

void Transfers::ended(std::uint64_t id, const Result<void>& outcome, const PushReport& report) {
    Running* running = find(id);
    HF_ASSERT(running != nullptr);
    const Result<void> kept = keep(running->info.partner, report);
    const Result<void>& done = outcome ? kept : outcome;
    running->info.state = done ? "done" : "failed";
    if (!done) running->info.problem = done.error().message;
    running->info.receipts = report.receipts.size();
    running->info.ended_ms = core_.clock.wall_ms();
    if (done && running->again) {
        const auto next = start(running->info.partner);
        static_cast<void>(next.operator bool());  // The next one by the clock is minutes away.
    }
}

std::vector<TransferInfo> Transfers::all() const {
    std::vector<TransferInfo> out;
    for (const Running& one : transfers_) {
        TransferInfo info = one.info;
        info.objects_done = one.progress->objects_done;
        info.objects_all = one.progress->objects_all;
        info.bytes_done = one.progress->bytes_done;
        info.bytes_all = one.progress->bytes_all;
        info.entries_done = one.progress->entries_done;
        info.entries_all = one.progress->entries_all;
        out.push_back(std::move(info));
    }
    return out;
}

void Transfers::stop() {
    for (const Running& one : transfers_) one.progress->stop = true;
}

}  // namespace holdfast::replicator
