// Runs a fuzz target over the files of a folder: what takes libFuzzer's place without clang.
#include "vault/base/file.h"

#include <cstdio>
#include <filesystem>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    constexpr std::uint64_t seed_bytes_max = 64 << 20;
    int seeds = 0;
    for (const auto& file : std::filesystem::directory_iterator(argv[1])) {
        const auto bytes = holdfast::read_file(file.path().string(), seed_bytes_max);
        if (!bytes) {
            std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
            return 1;
        }
        LLVMFuzzerTestOneInput(bytes->data(), bytes->size());
        ++seeds;
    }
    if (seeds == 0) std::fprintf(stderr, "%s: no seeds\n", argv[1]);
    return seeds == 0 ? 1 : 0;
}
