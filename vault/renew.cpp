#include "vault/renew.h"

#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/keys/key_file.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace holdfast::vault {
namespace {

namespace fs = std::filesystem;

/// A domain as it was, and the key that opens it from now on.
struct TurningDomain {
    DomainKeys before;
    PublicKey opening;
};

class Renewal {
public:
    Renewal(Vault& vault, const BoxKey& before, const UnderRecovery& under, std::int64_t now_ms,
            Random& random)
        : vault_(&vault), before_(&before), under_(&under), now_ms_(now_ms), random_(&random) {}

    Result<Renewed> run();

private:
    Result<void> renew_domain_keys(const DomainRecord& record);
    Result<PublicKey> new_opening(const DomainRecord& record, const DomainKeys& before);
    Result<void> renew_epoch(const EpochId& id);

    Vault* vault_;
    const BoxKey* before_;
    const UnderRecovery* under_;
    std::int64_t now_ms_;
    Random* random_;
    std::vector<PublicKey> nodes_;
    std::map<DomainId, TurningDomain> domains_;
    Renewed renewed_;
};

Result<Renewed> Renewal::run() {
    const Roster& roster = vault_->roster();
    if (before_->public_key != roster.recovery_key) {
        return Error{Errc::Denied, "the kit is another trust's, or older than the roster"};
    }
    for (const RosterNode& node : roster.nodes) {
        if (node.state == NodeState::Active) nodes_.push_back(node.box_key);
    }
    std::vector<Damage> damaged;
    for (const DomainRecord& record : HF_TRY(read_domains(vault_->store(), roster, damaged))) {
        HF_TRY(renew_domain_keys(record));
    }
    if (!damaged.empty()) {
        return Error{Errc::Corrupt, damaged.front().object + ": " + damaged.front().what +
                                        "; repair it first (holdfast repair)"};
    }
    std::vector<EpochId> epochs;
    HF_TRY(vault_->store().list("epoch/", [&](const std::string& name) -> Result<void> {
        const SealedName sealed = HF_TRY(sealed_name(name));
        if (sealed.seal == roster.seal) epochs.push_back(EpochId{sealed.id.digest});
        return {};
    }));
    for (const EpochId& id : epochs) HF_TRY(renew_epoch(id));
    return renewed_;
}

Result<void> Renewal::renew_domain_keys(const DomainRecord& record) {
    DomainKeys before = HF_TRY(open_domain(record, *before_));
    const PublicKey opening = HF_TRY(new_opening(record, before));
    domains_.emplace(record.id, TurningDomain{std::move(before), opening});
    return {};
}

/// That of an earlier run, if its record is there.
Result<PublicKey> Renewal::new_opening(const DomainRecord& record, const DomainKeys& before) {
    PosixStore& store = vault_->store();
    const std::string name = domain_name(record.id, under_->seal);
    const auto there = store.get_all(name, record_bytes_max);
    if (there) return HF_TRY(parse_domain(*there, record.id, vault_->roster())).opening_key;
    if (there.error().code != Errc::NotFound) return there.error();
    const DomainKeys keys{BoxKey::make(*random_), before.naming.clone()};
    // The key file first: a record in force whose keys are nowhere here would end all snapshots.
    HF_TRY(write_domain_keys(vault_->places().keys, record.id, under_->seal, record.opening_keys,
                             keys));
    fault_point("renewed key file written");
    HF_TRY(store.put(name, renew_domain(record, keys, *under_, vault_->node().ledger, now_ms_)));
    ++renewed_.domains;
    fault_point("domain record renewed");
    return keys.opening.public_key;
}

Result<void> Renewal::renew_epoch(const EpochId& id) {
    PosixStore& store = vault_->store();
    const std::string name = epoch_name(id, under_->seal);
    if (store.size(name)) return {};
    const std::string old_name = epoch_name(id, vault_->roster().seal);
    const Buffer object = HF_TRY(store.get_all(old_name, epoch_object_max));
    const EpochInfo info = HF_TRY(parse_epoch(object, id));
    const auto domain = domains_.find(info.domain);
    if (domain == domains_.end()) {
        return Error{Errc::Corrupt, old_name + ": of a domain that is not there"};
    }
    const Epoch epoch = HF_TRY(open_epoch(info, &domain->second.before.opening, nullptr));
    if (epoch.content.empty() || epoch.map.empty()) {
        return Error{Errc::Corrupt, old_name +
                                        " does not open with its domain's key: fetch it "
                                        "from a partner (holdfast repair)"};
    }
    HF_TRY(store.put(name, encode_epoch(epoch, domain->second.opening, nodes_)));
    ++renewed_.epochs;
    fault_point("epoch renewed");
    return {};
}

/// All names in `folder`, of the seal in force and of others.
struct BySeal {
    std::vector<std::string> in_force;
    std::vector<std::string> others;
};

Result<BySeal> by_seal(const Vault& vault, PosixStore& store, const std::string& folder) {
    BySeal out;
    HF_TRY(store.list(folder, [&](const std::string& name) -> Result<void> {
        const bool ours = HF_TRY(sealed_name(name)).seal == vault.roster().seal;
        (ours ? out.in_force : out.others).push_back(name);
        return {};
    }));
    return out;
}

Result<void> remove_key_files(const Vault& vault) {
    const std::string folder = vault.places().keys + "/domains";
    std::set<std::string> kept;
    for (const auto& [id, domain] : vault.domains()) {
        kept.insert(domain_key_path(vault.places().keys, id, vault.roster().seal));
    }
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string path = at->path().string();
        const std::string name = at->path().stem().string();
        if (kept.contains(path) || !path.ends_with(".key")) continue;
        const auto sealed = sealed_name(name);
        if (!sealed || sealed->seal == vault.roster().seal) continue;
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return io_error(errno, "remove " + path);
    }
    if (failed) return Error{Errc::Io, "read " + folder + ": " + failed.message()};
    return sync_folder(folder);
}

}  // namespace

Result<Renewed> renew_keys(Vault& vault, const BoxKey& before, const UnderRecovery& under,
                           std::int64_t now_ms, Random& random) {
    return Renewal(vault, before, under, now_ms, random).run();
}

Result<bool> has_other_seals(Vault& vault) {
    for (const char* folder : {"epoch/", "domain/"}) {
        if (!HF_TRY(by_seal(vault, vault.store(), folder)).others.empty()) return true;
    }
    return false;
}

Result<void> remove_other_seals(Vault& vault) {
    PosixStore& store = vault.store();
    const BySeal epochs = HF_TRY(by_seal(vault, store, "epoch/"));
    const BySeal domains = HF_TRY(by_seal(vault, store, "domain/"));
    std::set<Digest> there;
    for (const std::string& name : epochs.in_force) {
        there.insert(HF_TRY(sealed_name(name)).id);
    }
    for (const std::string& name : epochs.others) {
        if (there.contains(HF_TRY(sealed_name(name)).id)) continue;
        return Error{Errc::Corrupt, name +
                                        " is not there under the seal in force; it stays, and "
                                        "all of its seal"};
    }
    for (const std::string& name : epochs.others) HF_TRY(store.remove(name));
    for (const std::string& name : domains.others) HF_TRY(store.remove(name));
    fault_point("objects of other seals removed");
    return remove_key_files(vault);
}

}  // namespace holdfast::vault
