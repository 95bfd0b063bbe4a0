#include "replicator/peer/own_rosters.h"

#include "replicator/peer/own_node.h"

namespace holdfast::replicator {

Result<std::vector<Buffer>> OwnRosters::kept() {
    auto rows = HF_TRY(db_->prepare("SELECT object FROM roster WHERE trust = ? ORDER BY number"));
    rows.bind(0, trust_.view());
    std::vector<Buffer> out;
    while (HF_TRY(rows.step())) {
        const View object = rows.blob(0);
        out.emplace_back(object.begin(), object.end());
    }
    return out;
}

Result<void> OwnRosters::keep(const std::vector<Buffer>& objects) {
    return db_->transaction([&]() -> Result<void> {
        auto row = HF_TRY(
            db_->prepare("INSERT OR IGNORE INTO roster (trust, number, object) VALUES (?, ?, ?)"));
        for (const Buffer& object : objects) {
            const auto roster = vault::parse_roster(object);
            if (!roster || roster->trust != trust_) continue;
            row.bind(0, trust_.view()).bind(1, roster->number).bind(2, View(object));
            HF_TRY(row.run());
            row.reset();
        }
        return {};
    });
}

Result<std::vector<Buffer>> OwnRosters::all() {
    std::vector<Buffer> copy = HF_TRY(kept());
    const auto store = vault::PosixStore::open(vault_folder_);
    auto there = store ? rosters_in(*store) : Result<std::vector<Buffer>>(store.error());
    if (!there && copy.empty()) return std::move(there).error();
    if (!there || there->size() <= copy.size()) return copy;
    HF_TRY(keep(*there));
    return kept();
}

Result<vault::Roster> OwnRosters::newest() {
    return vault::newest_roster(HF_TRY(all()), trust_);
}

}  // namespace holdfast::replicator
