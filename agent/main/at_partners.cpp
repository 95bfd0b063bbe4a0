#include "agent/main/copies.h"

#include "agent/config/node_settings.h"

namespace holdfast::agent {
namespace {

constexpr std::uint32_t answer_ms_max = 2'000;  // The agent's loop waits for it.

Json copy_json(const std::string& place, const TrustId& trust, const char* proven) {
    return {{"place", place},   {"trust", trust.hex()}, {"snapshot", ""},
            {"snapshot_ms", 0}, {"proven", proven},     {"receipt_ms", 0}};
}

void put_snapshot(Json& copy, const vault::SnapshotRecord& record) {
    copy["snapshot"] = record.id.hex();
    copy["snapshot_ms"] = record.time;
}

}  // namespace

Result<std::vector<Copies::Place>> Copies::places_of(const Home& home) {
    std::vector<Place> places;
    if (!HF_TRY(load_node(home)).peer) return places;
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run, answer_ms_max));
    for (replicator::PartnerInfo& partner : HF_TRY(replicator.partners())) {
        Place place;
        for (const auto& one : HF_TRY(replicator.receipts(partner.trust))) {
            place.receipts.emplace(one.list, one.time_ms);
        }
        if (place.receipts.empty() && partner.agreement_as_owner == 0) continue;
        place.partner = std::move(partner);
        places.push_back(std::move(place));
    }
    return places;
}

Copies Copies::ask(const Home& home) {
    Copies copies;
    auto places = places_of(home);
    if (places) {
        copies.places_ = std::move(*places);
    } else {
        copies.unknown_ = places.error().message;
    }
    return copies;
}

void Copies::add_to(Json& system, const std::string& own_name, const TrustId& own,
                    const vault::VaultReader& reader) const {
    const std::string name = text_in(system, "name");
    Json copies = Json::array();
    if (const auto newest = reader.latest(name)) {
        copies.push_back(copy_json(own_name, own, "stored"));
        put_snapshot(copies.back(), *newest);
    }
    for (const Place& place : places_) {
        Json copy = copy_json(place.partner.name, place.partner.trust, "none");
        for (const vault::SnapshotRecord& record : reader.snapshots()) {
            const auto receipt = place.receipts.find(record.list);
            if (record.system != name || receipt == place.receipts.end()) continue;
            put_snapshot(copy, record);  // They come by time: the last one is the newest.
            copy["proven"] = "receipted";
            copy["receipt_ms"] = receipt->second;
        }
        copies.push_back(std::move(copy));
    }
    system["copies"] = std::move(copies);
    if (!unknown_.empty()) system["unknown"] = unknown_;
}

}  // namespace holdfast::agent
