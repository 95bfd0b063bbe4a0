#include "vault/own_domains.h"

#include "vault/keys/key_file.h"

namespace holdfast::vault {
namespace {

Result<DomainRecord> read_domain(const Store& store, const std::string& name,
                                 const SealedName& sealed, const Roster& roster) {
    const Buffer object = HF_TRY(store.get_all(name, record_bytes_max));
    DomainRecord record = HF_TRY(parse_domain(object, DomainId{sealed.id.digest}, roster));
    if (record.seal == sealed.seal) return record;
    return Error{Errc::Corrupt, "domain " + record.name + ": its record is of another seal"};
}

}  // namespace

Result<std::vector<DomainRecord>> read_domains(const Store& store, const Roster& roster,
                                               std::vector<Damage>& damaged) {
    std::vector<DomainRecord> records;
    HF_TRY(store.list("domain/", [&](const std::string& name) -> Result<void> {
        const SealedName sealed = HF_TRY(sealed_name(name));
        if (sealed.seal != roster.seal) return {};
        auto record = read_domain(store, name, sealed, roster);
        if (record) {
            records.push_back(*std::move(record));
        } else if (record.error().code == Errc::Unreachable) {
            return record.error();
        } else {
            damaged.push_back({name, record.error().message});
        }
        return {};
    }));
    return records;
}

std::string domain_key_path(const std::string& keys_folder, const DomainId& id,
                            const std::string& seal) {
    const std::string name = domain_name(id, seal);
    return keys_folder + "/domains/" + name.substr(name.rfind('/') + 1) + ".key";
}

Result<std::map<DomainId, OwnDomain>> read_own_domains(const Store& store, const Roster& roster,
                                                       const std::string& keys_folder,
                                                       std::vector<Damage>& damaged) {
    std::map<DomainId, OwnDomain> out;
    for (DomainRecord& record : HF_TRY(read_domains(store, roster, damaged))) {
        const DomainId id = record.id;
        OwnDomain& domain = out[id];
        auto secrets = read_key_file(domain_key_path(keys_folder, id, record.seal), 2);
        domain.record = std::move(record);
        if (!secrets && secrets.error().code != Errc::NotFound) return std::move(secrets).error();
        if (!secrets) continue;
        domain.naming = std::move((*secrets)[0]);
        if (!(*secrets)[1].empty()) domain.opening = BoxKey::from_secret(std::move((*secrets)[1]));
    }
    return out;
}

Result<void> write_domain_keys(const std::string& keys_folder, const DomainId& id,
                               const std::string& seal, OpeningKeys mode, const DomainKeys& keys) {
    const Secret none(0);
    const bool keeps = mode == OpeningKeys::Node;
    return write_key_file(domain_key_path(keys_folder, id, seal),
                          {&keys.naming, keeps ? &keys.opening.secret : &none});
}

void add_openings(const std::map<DomainId, OwnDomain>& domains, LazyKeys& keys) {
    for (const auto& [id, domain] : domains) {
        if (!domain.opening) continue;
        keys.add_opening(id, BoxKey::from_secret(domain.opening->secret.clone()));
    }
}

}  // namespace holdfast::vault
