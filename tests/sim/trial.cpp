#include "tests/sim/trial.h"

#include "vault/base/file.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

namespace holdfast::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_bytes_max = 256_MiB;

struct FaultName {
    FaultKind kind;
    int error;
    const char* name;
};
constexpr FaultName all_faults[] = {
    {FaultKind::Fail, EIO, "fails"},
    {FaultKind::FailForEver, EIO, "and all after it fail"},
    {FaultKind::Fail, ENOSPC, "finds no room"},
    {FaultKind::FailForEver, ENOSPC, "and all after it find no room"},
    {FaultKind::Short, 0, "does half"}};

/// Every how manieth call or change is tried. Which are, differs from step to step.
std::uint64_t stride() {
    const char* text = std::getenv("HOLDFAST_SIM_STRIDE");
    std::uint64_t out = 1;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), out);
    HF_ASSERT(out > 0);
    return out;
}

std::uint64_t first_of(const Step& step, std::uint64_t every) {
    return 1 + std::hash<std::string>()(step.name) % every;
}

std::ptrdiff_t open_files() {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

void add(Outcome& outcome, const Problems& problems, const std::string& where) {
    for (const std::string& one : problems) {
        if (outcome.problems.size() < problems_max) outcome.problems.push_back(where + ": " + one);
    }
}

/// Tries again, with nothing in the way.
void try_again(const Lab& lab, const Step& step, const std::string& where, Outcome& outcome) {
    add(outcome, step.between(), where + ", before it is tried again");
    Problems problems;
    Lab::need(step.run(), "it fails when it is tried again", problems);
    add(outcome, problems, where);
    lab.age_temporaries();
    add(outcome, step.after(), where + ", and tried again");
}

}  // namespace

std::map<std::string, Buffer> take_image(const Lab& lab) {
    std::map<std::string, Buffer> files;
    for (const auto& item : fs::recursive_directory_iterator(lab.folder())) {
        const std::string path = fs::relative(item.path(), lab.folder());
        if (path.ends_with("-shm")) continue;
        if (item.is_directory()) {
            files[path + "/"];
            continue;
        }
        auto content = read_file(item.path(), file_bytes_max);
        HF_ASSERT(content);
        files[path] = std::move(*content);
    }
    return files;
}

void put_in_place(const std::map<std::string, Buffer>& files, const Lab& lab) {
    std::error_code failed;
    fs::remove_all(lab.folder(), failed);
    HF_ASSERT(!failed);
    HF_ASSERT(Disk::write_out(files, lab.folder()));
}

Outcome try_faults(const Lab& lab, const Step& step) {
    const std::uint64_t every = stride();
    const auto before = take_image(lab);
    Outcome outcome;
    for (const FaultName& fault : all_faults) {
        bool struck = true;
        for (std::uint64_t at = first_of(step, every);
             struck && outcome.problems.size() < problems_max; at += every) {
            put_in_place(before, lab);
            const std::string where = step.name + ", call " + std::to_string(at) + " " + fault.name;
            const auto open_before = open_files();
            Result<void> done;
            {
                Calls calls(lab.folder());
                calls.arm({at, fault.kind, fault.error});
                done = step.run();
                struck = calls.struck();
            }
            if (!struck) {
                Problems problems;
                Lab::need(done, "it fails by itself", problems);
                add(outcome, problems, step.name);
                break;
            }
            ++outcome.counts.faults;
            Problems problems;
            if (open_files() != open_before) problems.push_back("a file stays open");
            if (!done && done.error().message.empty()) problems.push_back("an error says nothing");
            add(outcome, problems, where);
            // One that could not be removed, since that call failed too, is swept a day later.
            if (fault.error != EIO) add(outcome, lab.half_written(), where);
            try_again(lab, step, where, outcome);
        }
    }
    put_in_place(before, lab);
    return outcome;
}

Outcome try_cuts(const Lab& lab, const Step& step, std::uint64_t seed) {
    const auto before = take_image(lab);
    Outcome outcome;
    std::vector<Change> changes;
    std::size_t first = 0;
    {
        Calls calls(lab.folder());
        first = calls.changes().size();
        Problems problems;
        Lab::need(step.run(), "it fails by itself", problems);
        add(outcome, problems, step.name);
        changes = calls.changes();
    }
    std::mt19937_64 random(seed);
    const std::uint64_t every = stride();
    for (const Left left : {Left::Nothing, Left::Everything, Left::Some}) {
        Disk disk;
        std::map<std::string, Buffer> last;
        std::uint64_t seen = 0;
        for (std::size_t at = 0; at < changes.size(); ++at) {
            disk.apply(changes[at]);
            if (at + 1 < first || outcome.problems.size() >= problems_max) continue;
            auto files = disk.after_cut(left, random);
            if (files == last) continue;
            last = std::move(files);
            if (++seen % every != 0) continue;
            put_in_place(last, lab);
            ++outcome.counts.cuts;
            const char* words[] = {"nothing", "everything", "some"};
            try_again(lab, step,
                      step.name + ", cut after change " + std::to_string(at + 1 - first) + " of " +
                          std::to_string(changes.size() - first) + ", " +
                          words[static_cast<int>(left)] + " of what was not synced left",
                      outcome);
        }
    }
    put_in_place(before, lab);
    return outcome;
}

}  // namespace holdfast::sim
