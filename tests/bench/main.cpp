// holdfast_bench: makes a folder to measure with, and measures the floor over a folder.
#include "tests/bench/dataset.h"
#include "tests/bench/floor.h"

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
                 "       holdfast_bench floor FOLDER SCRATCH\n");
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

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return usage();
    const std::string_view verb = argv[1];
    if (verb == "floor") return floor_of(argv[2], argv[3]);
    if (verb != "make") return usage();
    const unsigned long long megabytes = std::strtoull(argv[3], nullptr, 10);
    if (megabytes == 0 || megabytes > 1'000'000) return usage();
    const auto made = make_dataset(argv[2], megabytes);
    return made ? 0 : fail(made.error());
}
