// Bring back: what a node keeps beside its vault, made again from the vault and the papers.
#pragma once

#include "agent/node/node_keys.h"
#include "agent/recover/recover.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast::agent {

/// The keys of all domains, opened with the recovery key as they are first asked for.
class RecoveredDomains {
public:
    /// All outlive it; `store` holds the domains' records.
    RecoveredDomains(const vault::Store& store, const vault::Roster& roster,
                     const vault::BoxKey& recovery)
        : store_(&store), roster_(&roster), recovery_(&recovery) {}

    struct Domain {
        vault::DomainRecord record;
        vault::DomainKeys keys;
    };
    /// Errors: NotFound, Corrupt (not under this recovery key), Denied, Io.
    Result<const Domain*> find(const DomainId& id);

    /// For replicator::PullSettings: epochs of locked domains are wrapped for this node's box key,
    /// since their map keys were wrapped for the lost node alone.
    Result<Buffer> rewrap(const EpochId& id, Buffer object, const PublicKey& node_box);

    /// Writes keys/domains/ID.key of each domain, the opening key only where it lives on nodes.
    /// What does not open becomes a warning. Errors: Full, Io.
    Result<void> write_keys(const Home& home, std::vector<std::string>& warnings);

    /// Adds all opening keys. Errors: Io.
    Result<void> open_all(vault::LazyKeys& keys);

private:
    Result<void> each(
        const std::function<Result<void>(const std::string&, const DomainId&)>& visit) const;

    const vault::Store* store_;
    const vault::Roster* roster_;
    const vault::BoxKey* recovery_;
    std::map<DomainId, Domain> known_;
};

/// systems/NAME.toml of each system that has a snapshot, from its newest manifest; what is there
/// stays. Errors: Full, Io.
Result<void> bring_systems(const Home& home, vault::PosixStore& store, const vault::Roster& roster,
                           RecoveredDomains& domains, RecoverReport& report);

/// Certificates among the papers that a host kept. Errors: Full, Io.
Result<void> bring_people(const Home& home, const std::vector<Buffer>& papers,
                          const vault::Roster& roster, std::int64_t founders_until_ms,
                          RecoverReport& report);

/// The custodians whom the newest custody record names. Errors: Full, Io.
Result<void> bring_custodians(const Home& home, const vault::Store& store,
                              const vault::Roster& roster, RecoverReport& report);

}  // namespace holdfast::agent
