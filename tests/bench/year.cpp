#include "tests/bench/year.h"

#include "agent/backup/backup.h"
#include "agent/node/init.h"
#include "agent/node/node.h"
#include "agent/prune/judge.h"
#include "agent/prune/keep_text.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/prune/carry_over.h"
#include "vault/prune/erase.h"
#include "vault/prune/repack.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace holdfast::bench {
namespace {

using namespace holdfast::agent;

constexpr std::int64_t first_day_ms = 1'790'000'000'000;
constexpr unsigned open_tries = 5;

class SetClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return wall; }
    std::int64_t steady_ns() const override { return wall * 1'000'000; }
    std::int64_t wall = first_day_ms;
};

double seconds_of(const std::function<Result<void>()>& work, Result<void>& outcome) {
    const auto start = std::chrono::steady_clock::now();
    outcome = work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Year {
public:
    explicit Year(const YearSettings& settings) : settings_(settings) {}

    Result<void> run() {
        HF_TRY(begin());
        std::printf("%5s %10s %8s %8s %8s %8s %8s %9s %9s %9s\n", "day", "snapshots", "standing",
                    "objects", "ledger", "lists", "packs", "ms each", "ms open", "prune s");
        for (unsigned day = 1; day <= settings_.days; ++day) {
            HF_TRY(one_day());
            HF_TRY(prune());
            vault_ = HF_TRY(open());  // What a process knows of old, the next one does not.
            if (day % settings_.told_each_days == 0 || day == settings_.days) HF_TRY(tell(day));
        }
        return {};
    }

private:
    Result<std::unique_ptr<vault::Vault>> open() {
        return vault::Vault::open({home_.vault, home_.state, home_.keys}, keys_.for_vault(), trust_,
                                  clock_, vault::system_random());
    }

    Result<void> begin() {
        home_ = Home::at(settings_.folder + "/home");
        InitSettings init;
        init.trust_name = "Bench";
        init.node_name = "bench-1";
        init.passphrase = vault::Secret::copy_of(as_view("bench"));
        init.kit_memory_bytes = 8 << 20;
        trust_ = HF_TRY(init_node(home_, std::move(init), clock_, vault::system_random())).trust;
        keys_ = HF_TRY(read_agent_keys(home_.keys));
        rules_ =
            HF_TRY(parse_keep({"within=1d", "hourly=48", "daily=31", "weekly=52", "monthly=12"}));
        for (unsigned i = 0; i < settings_.systems; ++i) {
            const std::string name = "system-" + std::to_string(i);
            const std::string folder = settings_.folder + "/" + name;
            HF_TRY(make_folders(folder, 0755));
            systems_.push_back(HF_TRY(parse_system(
                "name = \"" + name + "\"\ntitle = \"Bench\"\n\n[[source]]\nname = \"files\"\n" +
                    "kind = \"files\"\npath = \"" + folder + "\"\n",
                name + ".toml")));
        }
        vault_ = HF_TRY(open());
        return {};
    }

    Result<void> one_day() {
        const std::int64_t step_ms = settings_.minutes * minute_ms;
        Result<void> outcome;
        today_ = 0;
        today_s_ = 0;
        for (std::int64_t at = 0; at < day_ms; at += step_ms) {
            clock_.wall += step_ms;
            today_s_ += seconds_of([&] { return one_round(); }, outcome);
            HF_TRY(outcome);
        }
        return {};
    }

    Result<void> one_round() {
        for (unsigned i = 0; i < settings_.systems; ++i) {
            const std::string text = "of " + std::to_string(clock_.wall) + "\n";
            HF_TRY(write_file_durably(
                settings_.folder + "/system-" + std::to_string(i) + "/notes.txt", as_view(text)));
            HF_TRY(take_snapshot(*vault_, systems_[i], clock_, {}));
            ++today_;
            ++taken_;
        }
        return {};
    }

    /// As `holdfast prune` does, in a process of its own.
    Result<void> prune() {
        Result<void> outcome;
        prune_s_ = seconds_of(
            [&]() -> Result<void> {
                const auto vault = HF_TRY(open());
                std::map<std::string, std::vector<vault::SnapshotRecord>> by_system;
                for (const auto& record : vault->reader().snapshots()) {
                    by_system[record.system].push_back(record);
                }
                std::vector<vault::SnapshotId> forgotten;
                for (const auto& [system, records] : by_system) {
                    for (const Verdict& one : judge(records, rules_, clock_.wall)) {
                        if (!one.keep) forgotten.push_back(one.record.id);
                    }
                }
                HF_TRY(vault->forget(forgotten));
                vault::RepackSettings repack;
                repack.unused_percent_max = 10;
                HF_TRY(vault::repack(*vault, repack));
                HF_TRY(vault::erase_unneeded(*vault, {}));
                HF_TRY(vault::carry_ledger_over(*vault, {}));
                return {};
            },
            outcome);
        return outcome;
    }

    Result<void> tell(unsigned day) {
        std::map<std::string, std::uint64_t> objects;
        std::uint64_t all = 0;
        HF_TRY(vault_->store().list("", [&](const std::string& name) -> Result<void> {
            ++objects[name.substr(0, name.find('/'))];
            ++all;
            return {};
        }));
        Result<void> outcome;
        double open_s = 0;
        std::size_t standing = 0;
        for (unsigned i = 0; i < open_tries; ++i) {
            open_s += seconds_of(
                [&]() -> Result<void> {
                    const auto vault = HF_TRY(open());
                    standing = vault->reader().snapshots().size();
                    return {};
                },
                outcome);
            HF_TRY(outcome);
        }
        std::printf("%5u %10llu %8zu %8llu %8llu %8llu %8llu %9.2f %9.2f %9.2f\n", day,
                    number(taken_), standing, number(all), number(objects["ledger"]),
                    number(objects["list"]), number(objects["pack"]),
                    today_s_ * 1000 / static_cast<double>(today_), open_s * 1000 / open_tries,
                    prune_s_);
        std::fflush(stdout);
        return {};
    }

    static unsigned long long number(std::uint64_t n) { return n; }

    YearSettings settings_;
    SetClock clock_;
    Home home_;
    TrustId trust_;
    AgentKeys keys_;
    KeepSettings rules_;
    std::vector<SystemSettings> systems_;
    std::unique_ptr<vault::Vault> vault_;  // Of the process that takes the snapshots.
    std::uint64_t taken_ = 0;
    std::uint64_t today_ = 0;
    double today_s_ = 0;
    double prune_s_ = 0;
};

}  // namespace

Result<void> measure_year(const YearSettings& settings) {
    return Year(settings).run();
}

}  // namespace holdfast::bench
