#include "agent/cli/old_seals.h"

#include "agent/attach/attach.h"
#include "agent/failover/run_store.h"
#include "vault/base/file.h"
#include "vault/renew.h"

namespace holdfast::agent::cli {
namespace {

Result<bool> somebody_reads(const Home& home, const vault::Vault& vault) {
    if (HF_TRY(vault.present()).processes > 0) return true;
    if (!HF_TRY(attached_snapshots(home.mounts)).empty()) return true;
    const std::string path = home.state + "/runs.db";
    if (!path_exists(path)) return false;
    const auto runs = HF_TRY(RunStore::open(path));
    return !HF_TRY(runs->under_way()).empty();
}

}  // namespace

Result<bool> remove_old_seals(const Home& home, vault::Vault& vault) {
    if (!HF_TRY(vault::has_other_seals(vault))) return true;
    const auto lock = vault.lock_keys();
    if (!lock && lock.error().code == Errc::Conflict) return false;
    if (!lock) return lock.error();
    if (HF_TRY(somebody_reads(home, vault))) return false;
    HF_TRY(vault::remove_other_seals(vault));
    return true;
}

}  // namespace holdfast::agent::cli
