#include "tests/sim/long_run.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/temporary.h"

#include <filesystem>

namespace holdfast::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t calls_of_a_step = 160;  // About; a fault that comes later strikes nothing.

class Life {
public:
    Life(std::uint64_t seed, LongRun& run) : lab_(seed), random_(seed), run_(&run) {}

    void live(unsigned steps) {
        need(lab_.init(), "init");
        for (unsigned step = 0; step < steps && run_->problems.empty(); ++step) {
            where_ = "step " + std::to_string(step);
            ++run_->steps;
            one_step();
        }
        if (!run_->problems.empty()) return;
        where_ = "the end";
        snapshot();
        if (run_->problems.empty()) end();
    }

private:
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

    template <class SomeResult>
    bool need(const SomeResult& result, const std::string& what) {
        Lab::need(result, where_ + ", " + what, run_->problems);
        return bool(result);
    }

    void one_step() {
        const std::uint64_t what = below(100);
        if (what < 45)
            return disturbed("snapshot", change_files(), [&]() -> Result<void> {
                HF_TRY(take());
                return {};
            });
        if (what < 60) return forget_some();
        if (what < 72) return disturbed("erase", {}, [&] { return lab_.erase(); });
        if (what < 79) return disturbed("repack", {}, [&] { return lab_.repack(); });
        if (what < 83) return disturbed("carry over", {}, [&] { return lab_.carry_over(); });
        if (what < 87)
            return disturbed("verify", {}, [&]() -> Result<void> {
                HF_TRY(lab_.verify());
                return {};
            });
        if (what < 90) return disturbed("a fact", {}, [&] { return lab_.record_fact(); });
        if (what < 93) return lose_index();
        if (what < 96) return damage_and_repair();
        lab_.clock.wall += static_cast<std::int64_t>(below(20 * day_ms)) - 10 * day_ms;
    }

    /// Again if it was to build on a pack that was found damaged: then it stores that anew.
    Result<vault::SnapshotRecord> take() {
        auto record = lab_.snapshot();
        if (record || record.error().code != Errc::Corrupt) return record;
        return lab_.snapshot();
    }

    std::optional<Files> change_files() {
        Files files = lab_.files();
        const std::uint64_t changes = 1 + below(3);
        for (std::uint64_t i = 0; i < changes; ++i) {
            const std::string path = "f" + std::to_string(below(8));
            if (below(4) == 0) files.erase(path);
            if (below(4) != 0) files[path] = test::random_bytes(below(60'000), random_());
        }
        lab_.set_files(files);
        return files;
    }

    void snapshot() {
        lab_.set_files(*change_files());
        const auto record = take();
        if (need(record, "snapshot")) expect_.there[record->id] = lab_.files();
        check();
    }

    void forget_some() {
        std::vector<SnapshotId> ids;
        for (const auto& [id, files] : expect_.there) {
            if (below(3) != 0) continue;
            ids.push_back(id);
            expect_.leaving[id] = files;
        }
        for (const SnapshotId& id : ids) expect_.there.erase(id);
        disturbed("forget", {}, [&] { return lab_.forget(ids); });
    }

    /// Runs the step, perhaps with a fault, or with a cut somewhere in it; then what is there must
    /// be what could be there.
    void disturbed(const std::string& name, const std::optional<Files>& coming,
                   const std::function<Result<void>()>& step) {
        where_ += ": " + name;
        expect_.coming = coming;
        const std::uint64_t kind = below(10);
        bool whole = false;
        if (kind < 4) {
            whole = need(step(), name);
        } else if (kind < 7) {
            whole = with_fault(step);
        } else {
            with_cut(step);
        }
        check();
        adopt(coming, whole);
    }

    bool with_fault(const std::function<Result<void>()>& step) {
        constexpr FaultKind kinds[] = {FaultKind::Fail, FaultKind::FailForEver, FaultKind::Short};
        const Fault fault{1 + below(calls_of_a_step), kinds[below(3)],
                          below(2) == 0 ? EIO : ENOSPC};
        where_ += ", call " + std::to_string(fault.at) + " struck";
        Calls calls(lab_.folder());
        calls.arm(fault);
        const auto done = step();
        if (calls.struck()) ++run_->counts.faults;
        if (!calls.struck()) return need(done, "without a fault");
        return bool(done);
    }

    void with_cut(const std::function<Result<void>()>& step) {
        std::vector<Change> changes;
        std::size_t first = 0;
        {
            Calls calls(lab_.folder());
            first = calls.changes().size();
            need(step(), "before a cut");
            changes = calls.changes();
        }
        const std::size_t at = first + below(changes.size() - first + 1);
        where_ += ", cut after change " + std::to_string(at - first);
        Disk disk;
        for (std::size_t i = 0; i < at; ++i) disk.apply(changes[i]);
        constexpr Left lefts[] = {Left::Nothing, Left::Everything, Left::Some, Left::Some};
        put_in_place(disk.after_cut(lefts[below(4)], random_), lab_);
        ++run_->counts.cuts;
    }

    void check() {
        for (const std::string& one : lab_.check(expect_)) {
            run_->problems.push_back(where_ + ": " + one);
        }
    }

    /// What a step left in doubt is settled by what is there; not if it said that it was done.
    void adopt(const std::optional<Files>& coming, bool whole) {
        const auto there = lab_.snapshots();
        if (!need(there, "list")) return;
        bool came = !coming;
        for (const SnapshotId& id : *there) {
            if (expect_.there.contains(id)) continue;
            const auto leaving = expect_.leaving.find(id);
            if (leaving != expect_.leaving.end()) {
                if (whole) run_->problems.push_back(where_ + ": it was not forgotten");
                expect_.there.insert(*leaving);
                continue;
            }
            came = true;
            ++run_->snapshots;
            if (coming) expect_.there[id] = *coming;
        }
        if (whole && !came) run_->problems.push_back(where_ + ": the snapshot is not there");
        expect_.leaving.clear();
        expect_.coming.reset();
    }

    void lose_index() {
        where_ += ": the index is lost";
        for (const char* end : {"", "-wal", "-shm"}) {
            std::error_code failed;
            fs::remove(lab_.folder() + "/state/index.db" + end, failed);
            HF_ASSERT(!failed);
        }
        check();
    }

    /// A partner's copy stands by.
    void damage_and_repair() {
        where_ += ": repair";
        if (expect_.there.empty()) return;
        const std::string vault = lab_.folder() + "/vault";
        const std::string copy = lab_.beside("copy");
        std::error_code failed;
        fs::remove_all(copy, failed);
        fs::copy(vault, copy, fs::copy_options::recursive, failed);
        HF_ASSERT(!failed);
        std::vector<std::string> objects;
        for (const auto& item : fs::recursive_directory_iterator(vault + "/pack")) {
            const std::string path = item.path();
            if (item.is_regular_file() && !is_temporary(path)) objects.push_back(path);
        }
        if (objects.empty()) return;
        const std::string object = objects[below(objects.size())];
        Buffer bytes = *read_file(object, vault::object_bytes_max);
        bytes[below(bytes.size())] ^= 1;
        HF_ASSERT(write_file_durably(object, bytes));
        const auto report = lab_.repair(copy);
        if (need(report, "repair")) run_->repaired += report->mended.size();
        check();
    }

    void end() {
        lab_.age_temporaries();
        need(lab_.repack(), "repack");
        need(lab_.erase(), "erase");
        for (const std::string& one : lab_.check_tidy(expect_)) {
            run_->problems.push_back(where_ + ": " + one);
        }
    }

    Lab lab_;
    std::mt19937_64 random_;
    LongRun* run_;
    Expect expect_;
    std::string where_;
};

}  // namespace

LongRun live(std::uint64_t seed, unsigned steps) {
    LongRun run;
    Life(seed, run).live(steps);
    return run;
}

}  // namespace holdfast::sim
