#include "agent/recover/bring_back.h"

#include "agent/config/system_settings.h"
#include "agent/people/custody_files.h"
#include "agent/people/people_book.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/own_domains.h"

#include <set>

namespace holdfast::agent {

Result<const RecoveredDomains::Domain*> RecoveredDomains::find(const DomainId& id) {
    const auto known = known_.find(id);
    if (known != known_.end()) return &known->second;
    const std::string name = vault::domain_name(id, roster_->seal);
    const Buffer object = HF_TRY(store_->get_all(name, vault::record_bytes_max));
    auto record = HF_TRY(vault::parse_domain(object, id, *roster_));
    auto keys = HF_TRY(vault::open_domain(record, *recovery_));
    const auto at = known_.emplace(id, Domain{std::move(record), std::move(keys)}).first;
    return &at->second;
}

Result<Buffer> RecoveredDomains::rewrap(const EpochId& id, Buffer object,
                                        const PublicKey& node_box) {
    const vault::EpochInfo info = HF_TRY(vault::parse_epoch(object, id));
    const Domain* domain = HF_TRY(find(info.domain));
    if (domain->record.opening_keys == vault::OpeningKeys::Node) return object;
    const vault::Epoch epoch = HF_TRY(vault::open_epoch(info, &domain->keys.opening, nullptr));
    return vault::encode_epoch(epoch, domain->record.opening_key, {node_box});
}

Result<void> RecoveredDomains::write_keys(const Home& home, std::vector<std::string>& warnings) {
    HF_TRY(make_folders(home.keys + "/domains"));
    return each([&](const std::string& name, const DomainId& id) -> Result<void> {
        const auto domain = find(id);
        if (!domain) {
            warnings.push_back(name + ": " + domain.error().message);
            return {};
        }
        HF_TRY(vault::write_domain_keys(home.keys, id, roster_->seal,
                                        (*domain)->record.opening_keys, (*domain)->keys));
        fault_point("domain key written");
        return {};
    });
}

Result<void> RecoveredDomains::open_all(vault::LazyKeys& keys) {
    return each([&](const std::string&, const DomainId& id) -> Result<void> {
        const auto domain = find(id);
        if (!domain) return {};  // write_keys() has told it.
        keys.add_opening(id, vault::BoxKey::from_secret((*domain)->keys.opening.secret.clone()));
        return {};
    });
}

/// The domains in force.
Result<void> RecoveredDomains::each(
    const std::function<Result<void>(const std::string&, const DomainId&)>& visit) const {
    return store_->list("domain/", [&](const std::string& name) -> Result<void> {
        const vault::SealedName sealed = HF_TRY(vault::sealed_name(name));
        if (sealed.seal != roster_->seal) return {};
        return visit(name, DomainId{sealed.id.digest});
    });
}

namespace {

/// From the newest snapshot's manifest. Errors: those of reading it; Invalid.
Result<void> bring_system(const Home& home, vault::VaultReader& reader, const std::string& name) {
    const std::string file = HF_TRY(home.system_file(name));
    if (path_exists(file)) return {};
    const vault::SnapshotRecord record = HF_TRY(reader.latest(name));
    const vault::Manifest manifest = HF_TRY(reader.manifest(record));
    const SystemSettings system =
        HF_TRY(parse_system(manifest.plan, "the plan in snapshot " + record.id.brief()));
    if (system.name != name) return Error{Errc::Corrupt, "its plan is of " + system.name};
    HF_TRY(make_folders(home.systems, 0755));
    HF_TRY(write_file_durably(file, as_view(manifest.plan), 0644));
    fault_point("system written");
    return {};
}

}  // namespace

Result<void> bring_systems(const Home& home, vault::PosixStore& store, const vault::Roster& roster,
                           RecoveredDomains& domains, RecoverReport& report) {
    vault::LazyKeys keys(store, roster.seal, std::nullopt);
    HF_TRY(domains.open_all(keys));
    const auto index = HF_TRY(vault::ChunkIndex::open(":memory:"));
    vault::VaultReader reader(store, *index, keys, roster);
    HF_TRY(reader.refresh());
    report.snapshots = reader.snapshots().size();
    std::set<std::string> names;
    for (const vault::SnapshotRecord& one : reader.snapshots()) names.insert(one.system);
    for (const std::string& name : names) {
        const auto brought = bring_system(home, reader, name);
        if (brought) {
            report.systems.push_back(name);
        } else if (brought.error().code == Errc::Io || brought.error().code == Errc::Full) {
            return brought.error();
        } else {
            report.warnings.push_back("settings of " + name + ": " + brought.error().message);
        }
    }
    return {};
}

Result<void> bring_people(const Home& home, const std::vector<Buffer>& papers,
                          const vault::Roster& roster, std::int64_t founders_until_ms,
                          RecoverReport& report) {
    for (const Buffer& paper : papers) {
        const auto one = vault::parse_certificate(paper, roster);
        if (!one) continue;  // An envelope, or what no officer of ours signed.
        HF_TRY(keep_certificate(home, *one, paper));
        ++report.persons;
        fault_point("certificate written");
    }
    if (report.persons == 0) {
        report.warnings.push_back(
            "the host kept no certificates of our people: name them anew (holdfast person add); "
            "they can approve after a day");
    }
    return end_founding(home, founders_until_ms);
}

Result<void> bring_custodians(const Home& home, const vault::Store& store,
                              const vault::Roster& roster, RecoverReport& report) {
    const auto custody = load_custody(store, roster);
    if (!custody && custody.error().code == Errc::NotFound) return {};
    if (!custody) {
        report.warnings.push_back("custodians: " + custody.error().message);
        return {};
    }
    for (const vault::CustodyShare& share : custody->set.shares) {
        const auto added = add_custodian(home, {share.custodian, share.key});
        if (!added && added.error().code != Errc::Conflict) return added.error();
        fault_point("custodian written");
    }
    return {};
}

}  // namespace holdfast::agent
