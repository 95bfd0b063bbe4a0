#include "agent/cli/in_use.h"

#include "agent/attach/attach.h"
#include "agent/failover/run_store.h"
#include "vault/base/file.h"

namespace holdfast::agent::cli {

Result<std::map<vault::SnapshotId, std::string>> snapshots_in_use(
    const Home& home, const vault::VaultReader& reader) {
    std::map<vault::SnapshotId, std::string> out;
    for (const vault::SnapshotId& id : HF_TRY(attached_snapshots(home.mounts))) {
        out.emplace(id, "mounted");
    }
    const std::string path = home.state + "/runs.db";
    if (!path_exists(path)) return out;
    const auto runs = HF_TRY(RunStore::open(path));
    for (const std::int64_t number : HF_TRY(runs->under_way())) {
        const Run run = HF_TRY(runs->run(number));
        if (run.facts.snapshot.empty()) continue;  // The newest, which is kept anyway.
        for (const vault::SnapshotRecord& record : reader.snapshots()) {
            if (!record.id.hex().starts_with(run.facts.snapshot)) continue;
            out.insert_or_assign(record.id, "run " + std::to_string(number));
        }
    }
    return out;
}

}  // namespace holdfast::agent::cli
