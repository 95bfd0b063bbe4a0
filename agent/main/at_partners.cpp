#include "agent/main/at_partners.h"

#include "agent/config/node_settings.h"

namespace holdfast::agent {
namespace {

constexpr std::uint32_t answer_ms_max = 2'000;  // Who asked for the status waits for it.

Json copy_json(const std::string& place, const TrustId& trust, const char* proven) {
    return {{"place", place},   {"trust", trust.hex()}, {"snapshot", ""},
            {"snapshot_ms", 0}, {"proven", proven},     {"receipt_ms", 0}};
}

void put_snapshot(Json& copy, const vault::SnapshotRecord& record) {
    copy["snapshot"] = record.id.hex();
    copy["snapshot_ms"] = record.time;
}

}  // namespace

Result<void> AtPartners::ask_replicator(const Home& home) {
    if (!HF_TRY(load_node(home)).peer) return {};
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run, answer_ms_max));
    for (replicator::PartnerInfo& partner : HF_TRY(replicator.partners())) {
        Place place;
        for (const auto& one : HF_TRY(replicator.receipts(partner.trust))) {
            place.receipts.emplace(one.list, one.time_ms);
        }
        if (place.receipts.empty() && partner.agreement_as_owner == 0) continue;
        place.partner = std::move(partner);
        places_.push_back(std::move(place));
    }
    hosted_ = HF_TRY(replicator.hosted());
    replicator::RelayReport report = HF_TRY(replicator.relays());
    if (!report.problem.empty()) return Error{Errc::Io, report.problem};
    relays_ = std::move(report.relays);
    return {};
}

AtPartners AtPartners::ask(const Home& home) {
    AtPartners out;
    const auto asked = out.ask_replicator(home);
    if (asked) return out;
    AtPartners nothing;  // Half of it would look like all.
    nothing.unknown_ = asked.error().message;
    return nothing;
}

Json AtPartners::copies_of(const std::string& system, const std::string& own_name,
                           const TrustId& own, const vault::VaultReader& reader) const {
    Json copies = Json::array();
    if (const auto newest = reader.latest(system)) {
        copies.push_back(copy_json(own_name, own, "stored"));
        put_snapshot(copies.back(), *newest);
    }
    for (const Place& place : places_) {
        Json copy = copy_json(place.partner.name, place.partner.trust, "none");
        for (const vault::SnapshotRecord& record : reader.snapshots()) {
            const auto receipt = place.receipts.find(record.list);
            if (record.system != system || receipt == place.receipts.end()) continue;
            put_snapshot(copy, record);  // They come by time: the last one is the newest.
            copy["proven"] = "receipted";
            copy["receipt_ms"] = receipt->second;
        }
        copies.push_back(std::move(copy));
    }
    return copies;
}

Json AtPartners::relays_of(const std::string& system) const {
    Json relays = Json::array();
    for (const replicator::RelayInfo& one : relays_) {
        if (one.relay.system != system) continue;
        relays.push_back({{"endpoint", one.relay.endpoint},
                          {"listen", one.relay.listen},
                          {"place", one.partner_name},
                          {"listening", one.listening},
                          {"problem", one.problem},
                          {"open", one.open}});
    }
    return relays;
}

void AtPartners::add_to(Json& system, const std::string& own_name, const TrustId& own,
                        const vault::VaultReader& reader) const {
    const std::string name = text_in(system, "name");
    system["copies"] = copies_of(name, own_name, own, reader);
    if (unknown_.empty()) {
        system["relays"] = relays_of(name);
    } else {
        system["unknown"] = unknown_;
    }
}

Json AtPartners::hosted() const {
    if (!unknown_.empty()) return nullptr;
    Json all = Json::array();
    for (const replicator::HostedInfo& one : hosted_) {
        all.push_back({{"owner", one.owner_name},
                       {"trust", one.owner.hex()},
                       {"quota_bytes", one.quota_bytes},
                       {"problem", one.problem}});
        if (one.problem.empty()) all.back()["bytes"] = one.bytes;
    }
    return all;
}

}  // namespace holdfast::agent
