// holdfast_bench: makes a folder to measure with, measures the floor over a folder, what the index
// costs, and what a year of snapshots comes to.
#include "tests/bench/dataset.h"
#include "tests/bench/floor.h"
#include "tests/bench/index.h"
#include "tests/bench/year.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

using namespace holdfast;
using namespace holdfast::bench;

namespace {

int usage() {
    std::fprintf(stderr,
                 "usage: holdfast_bench make FOLDER MEGABYTES\n"
                 "       holdfast_bench files FOLDER COUNT\n"
                 "       holdfast_bench floor FOLDER SCRATCH\n"
                 "       holdfast_bench index FILE CHUNKS\n"
                 "       holdfast_bench year FOLDER DAYS SYSTEMS MINUTES\n");
    return 2;
}

int fail(const Error& error) {
    std::fprintf(stderr, "holdfast_bench: %s\n", error.message.c_str());
    return 1;
}

void print(const std::vector<Stage>& stages, unsigned threads) {
    double sum = 0;
    for (const Stage& stage : stages) {
        const double megabytes = static_cast<double>(stage.bytes) / 1e6;
        std::printf("%-12s %u thread%s %8.3f s %8.0f MB/s\n", stage.name.c_str(), threads,
                    threads == 1 ? " " : "s", stage.seconds, megabytes / stage.seconds);
        sum += stage.seconds;
    }
    std::printf("%-12s %u thread%s %8.3f s\n", "floor", threads, threads == 1 ? " " : "s", sum);
}

int floor_of(const char* folder, const char* scratch) {
    const unsigned all = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned threads = 1; threads <= all; ++threads) {
        const auto stages = measure_floor(folder, scratch, threads);
        if (!stages) return fail(stages.error());
        print(*stages, threads);
    }
    return 0;
}

int year(char** argv) {
    YearSettings settings;
    settings.folder = argv[2];
    settings.days = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
    settings.systems = static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10));
    settings.minutes = static_cast<unsigned>(std::strtoul(argv[5], nullptr, 10));
    if (settings.days == 0 || settings.systems == 0 || settings.minutes == 0) return usage();
    const auto measured = measure_year(settings);
    return measured ? 0 : fail(measured.error());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 6 && std::string_view(argv[1]) == "year") return year(argv);
    if (argc != 4) return usage();
    const std::string_view verb = argv[1];
    if (verb == "floor") return floor_of(argv[2], argv[3]);
    const unsigned long long amount = std::strtoull(argv[3], nullptr, 10);
    if (amount == 0) return usage();
    if (verb == "files") {
        const auto made = make_many_files(argv[2], amount);
        return made ? 0 : fail(made.error());
    }
    if (verb == "index") {
        const auto measured = measure_index(argv[2], amount);
        return measured ? 0 : fail(measured.error());
    }
    if (verb != "make" || amount > 1'000'000) return usage();
    const auto made = make_dataset(argv[2], amount);
    return made ? 0 : fail(made.error());
}
