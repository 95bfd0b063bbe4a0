// TestTrust: a whole trust of one node below /tmp: keys, roster, vault, an officer, and a
// replicator in a thread or as the program that ships. Real TLS on loopback.
#pragma once

#include "replicator/control/control_client.h"
#include "replicator/control/replicator.h"
#include "tests/harness/scratch_folder.h"
#include "vault/vault.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace holdfast::replicator::test {

constexpr int patience_ms = 60'000;

/// A TCP port on loopback that was free a moment ago.
std::uint16_t free_port();

/// Asks again until it holds; answers whether it did before patience ran out.
bool eventually(const std::function<bool()>& holds);

/// A replicator on a loop and thread of its own.
class RunningReplicator {
public:
    explicit RunningReplicator(const ReplicatorSettings& settings);
    ~RunningReplicator();

private:
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<Replicator> replicator_;
    std::thread thread_;
};

/// holdfast-replicator as a child. `fault` as HOLDFAST_FAULT.
class ReplicatorProgram {
public:
    ReplicatorProgram(const ReplicatorSettings& settings, const std::string& fault);
    ~ReplicatorProgram();
    /// True if it has ended.
    bool ended();
    /// True if a fault point has stopped it.
    bool stopped();
    void go_on();
    /// SIGTERM, then what it had written to stderr.
    std::string stop();

private:
    pid_t pid_ = -1;
    bool stopped_ = false;
    std::string log_;
};

class TestTrust {
public:
    explicit TestTrust(const std::string& name);

    const TrustId& id() const { return roster_.trust; }
    const vault::Roster& roster() const { return roster_; }
    const ReplicatorSettings& settings() const { return settings_; }
    const vault::SigningKey& officer() const { return officer_; }
    const vault::SigningKey& ledger_key() const { return ledger_; }
    const vault::SigningKey& trust_key() const { return trust_; }
    const vault::BoxKey& recovery() const { return recovery_; }
    const TlsIdentity& tls() const { return *tls_; }
    PeerEnd end_for(const TrustId& caller) const;
    vault::PosixStore store() const;
    std::unique_ptr<vault::Vault> open_vault() const;

    /// One file of `bytes` as a snapshot of `system`.
    vault::SnapshotRecord snapshot(const std::string& system, const std::string& bytes) const;
    /// The same, read from any copy of this trust's vault.
    std::string read_back(vault::Store& copy, const vault::SnapshotRecord& record) const;
    /// As if its disk had been put back to before it wrote its chain's last head down.
    void forget_head() const;
    /// Signs roster number + 1 and puts it into the vault.
    void next_roster(const std::function<void(vault::Roster&)>& change);

    void start();
    void stop() { running_.reset(); }
    ControlClient control() const;

private:
    vault::NodeKeys node_keys() const;

    holdfast::test::ScratchFolder folder_;
    vault::SigningKey trust_;
    vault::SigningKey officer_;
    vault::SigningKey ledger_;
    vault::SigningKey link_;
    vault::BoxKey box_;
    vault::BoxKey recovery_;
    std::optional<TlsIdentity> tls_;
    vault::Roster roster_;
    ReplicatorSettings settings_;
    std::optional<RunningReplicator> running_;
};

/// Both run; `guest` accepts an invitation of `inviter`. Answers the guest's view.
PartnerInfo pair_up(TestTrust& inviter, TestTrust& guest);

Agreement usual_terms(const TestTrust& owner, const TestTrust& host);
/// Signed by both officers.
Buffer signed_agreement(const Agreement& terms, const TestTrust& owner, const TestTrust& host);
/// The owner proposes, the host signs. Both run and are paired.
void agree(TestTrust& owner, TestTrust& host);

/// Runs a transfer to its end.
TransferInfo replicate(TestTrust& owner, const TrustId& host);

template <class T>
T must(Result<T> result) {
    INFO((result ? std::string("fine") : result.error().message));
    REQUIRE(result);
    return *std::move(result);
}
inline void must(const Result<void>& result) {
    INFO((result ? std::string("fine") : result.error().message));
    REQUIRE(result);
}

}  // namespace holdfast::replicator::test
