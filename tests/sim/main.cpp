// sim: lives of a node from seeds (tests/sim/long_run.h).
//
//     holdfast_sim [--seeds N] [--from SEED] [--steps N]
//
// Ends with 1 if one of them broke a promise; what it prints names the seed, to live it again.
#include "tests/sim/long_run.h"

#include <charconv>
#include <cstdio>
#include <cstring>

using namespace holdfast::sim;

namespace {

/// The number after `name`; `otherwise` if it is not given. Ends the program if it is none.
std::uint64_t option(int count, char** arguments, const char* name, std::uint64_t otherwise) {
    for (int i = 1; i < count; i += 2) {
        if (std::strcmp(arguments[i], name) != 0) continue;
        const char* text = i + 1 < count ? arguments[i + 1] : "";
        const auto read = std::from_chars(text, text + std::strlen(text), otherwise);
        if (read.ec == std::errc() && *read.ptr == '\0' && *text != '\0') return otherwise;
        std::fprintf(stderr, "%s needs a number\n", name);
        std::exit(2);
    }
    return otherwise;
}

bool known(int count, char** arguments) {
    for (int i = 1; i < count; i += 2) {
        bool one_of_ours = false;
        for (const char* name : {"--seeds", "--from", "--steps"}) {
            one_of_ours = one_of_ours || std::strcmp(arguments[i], name) == 0;
        }
        if (!one_of_ours) return false;
    }
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    if (!known(count, arguments)) {
        std::fprintf(stderr, "usage: holdfast_sim [--seeds N] [--from SEED] [--steps N]\n");
        return 2;
    }
    const std::uint64_t seeds = option(count, arguments, "--seeds", 20);
    const std::uint64_t from = option(count, arguments, "--from", 1);
    const auto steps = static_cast<unsigned>(option(count, arguments, "--steps", 40));
    LongRun all;
    std::uint64_t broken = 0;
    for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
        const LongRun run = live(seed, steps);
        all.steps += run.steps;
        all.snapshots += run.snapshots;
        all.repaired += run.repaired;
        all.counts += run.counts;
        if (!run.problems.empty()) ++broken;
        for (const std::string& one : run.problems) {
            std::printf("seed %llu, %s\n", static_cast<unsigned long long>(seed), one.c_str());
        }
    }
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf(
        "%llu seeds, %llu steps: %llu snapshots, %llu failed calls, %llu losses of power, "
        "%llu objects repaired; %llu seeds broke a promise\n",
        number(seeds), number(all.steps), number(all.snapshots), number(all.counts.faults),
        number(all.counts.cuts), number(all.repaired), number(broken));
    return broken == 0 ? 0 : 1;
}
