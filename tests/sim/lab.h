// Lab: one node on a disk of its own, and the plain map of what it must hold.
//
// The node is a real one, made by init and opened as every process opens it; what is simulated is
// the disk below it, the clock, and chance. Each step opens the vault anew, as another process
// would. What a check finds wrong comes back as lines; none: all is as it must be.
#pragma once

#include "agent/config/home.h"
#include "agent/config/system_settings.h"
#include "agent/restore/overwrite.h"
#include "tests/harness/scratch_folder.h"
#include "vault/repair/repair.h"
#include "vault/vault.h"
#include "vault/verify.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace holdfast::sim {

using vault::SnapshotId;

using Files = std::map<std::string, std::string>;
using Problems = std::vector<std::string>;

class SetClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return wall; }
    std::int64_t steady_ns() const override { return wall * 1'000'000; }
    std::int64_t wall = 1'790'000'000'000;
};

/// The same names and salts for the same seed.
class SeededRandom final : public vault::Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::uint8_t> out) override {
        const std::lock_guard lock(mutex_);
        for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
    }

private:
    std::mutex mutex_;
    std::mt19937_64 engine_;
};

/// What the vault must hold.
struct Expect {
    std::map<SnapshotId, Files> there;
    std::map<SnapshotId, Files> leaving;  // May be forgotten already.
    std::optional<Files> coming;          // There may be more snapshots, all of these files.
};

class Lab {
public:
    explicit Lab(std::uint64_t seed);

    /// All that the node has is in it; a test may put another in its place.
    std::string folder() const { return scratch_ / "node"; }
    /// A folder that no fault concerns.
    std::string beside(const std::string& name) const { return scratch_ / name; }

    Result<void> init();
    Result<void> open() const;
    /// Those that are there now. Errors: those of opening a vault.
    Result<std::set<SnapshotId>> snapshots() const;
    /// The next snapshots are of these.
    void set_files(const Files& files);
    const Files& files() const { return files_; }
    Result<vault::SnapshotRecord> snapshot();
    Result<void> forget(const std::vector<SnapshotId>& snapshots);
    Result<void> erase();
    Result<void> repack();
    Result<void> carry_over();  // However few entries there are.
    Result<vault::VerifyReport> verify();
    /// Mends what verify names from the vault that was copied to `copy`, as often as that helps.
    /// Another recovery key, once; then what is left of the first is removed.
    Result<void> renew();
    /// Looks whether the kit that the roster names opens all that is in force.
    Problems check_kit() const;
    Result<vault::RepairReport> repair(const std::string& copy);
    /// The newest snapshot, into `folder`.
    Result<void> restore(const std::string& folder,
                         agent::Overwrite overwrite = agent::Overwrite::Refuse);
    Result<void> record_fact();

    /// Is everything there that must be, and no other snapshot, whole?
    Problems check(const Expect& expect);
    /// The same after erase(), with nobody at work: nothing may lie around that nothing needs.
    Problems check_tidy(const Expect& expect);
    /// Temporary files.
    Problems half_written() const;
    /// A node looks at their age before it sweeps them.
    void age_temporaries() const;

    /// Adds what is wrong with a Result that should have held.
    template <class SomeResult>
    static void need(const SomeResult& result, const std::string& what, Problems& problems) {
        if (!result) problems.push_back(what + ": " + result.error().message);
    }

    SetClock clock;
    bool locked = false;  // Are snapshots taken without a key that opens them?

private:
    Result<std::unique_ptr<vault::Vault>> open_vault() const;
    Result<vault::VerifyReport> verify(vault::Vault& vault) const;
    Result<Files> read(vault::Vault& vault, const vault::SnapshotRecord& record) const;
    void check(vault::Vault& vault, const Expect& expect, Problems& problems) const;
    void find_unneeded(vault::Vault& vault, Problems& problems) const;

    test::ScratchFolder scratch_;
    agent::Home home_;
    agent::SystemSettings system_;
    Files files_;
    mutable SeededRandom random_;
};

/// A few files of a clinic; `version` changes some, and adds one.
Files sample_files(unsigned version);

}  // namespace holdfast::sim
