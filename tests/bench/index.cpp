#include "tests/bench/index.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/index/chunk_index.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <random>

namespace holdfast::bench {
namespace {

using vault::ChunkIndex;

constexpr std::uint64_t chunks_a_pack = 512;  // 64 MiB of chunks of 128 KiB.
constexpr std::uint32_t content_bytes = 128 << 10;
constexpr std::uint64_t look_ups = 20'000;
constexpr std::uint64_t first_told = 100'000;

/// The n-th chunk's id: as random as a hash.
ChunkId chunk_id(std::uint64_t n) {
    std::mt19937_64 engine(n);
    ChunkId id;
    for (std::size_t i = 0; i < id.digest.size(); i += 8) {
        const std::uint64_t word = engine();
        for (std::size_t j = 0; j < 8; ++j) {
            id.digest[i + j] = static_cast<std::uint8_t>(word >> (8 * j));
        }
    }
    return id;
}

PackId pack_id(std::uint64_t n) {
    return PackId{chunk_id(~n).digest};
}

Result<void> add_pack(ChunkIndex& index, std::uint64_t first) {
    vault::Directory directory;
    vault::DirectorySegment segment;
    segment.name.kind = vault::Kind::Data;
    for (std::uint64_t n = first; n < first + chunks_a_pack; ++n) {
        vault::DirectoryChunk chunk;
        chunk.id = chunk_id(n);
        chunk.sealed_bytes = content_bytes / 2;
        chunk.content_bytes = content_bytes;
        segment.chunks.push_back(chunk);
    }
    directory.segments.push_back(std::move(segment));
    return index.add_pack(pack_id(first), chunks_a_pack * content_bytes / 2, directory);
}

double resident_mib() {
    std::ifstream statm("/proc/self/statm");
    double pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// Microseconds a call.
template <class Call>
Result<double> time_of(std::uint64_t calls, Call call) {
    const std::int64_t start = system_clock().steady_ns();
    for (std::uint64_t i = 0; i < calls; ++i) HF_TRY(call(i));
    const auto ns = static_cast<double>(system_clock().steady_ns() - start);
    return ns / 1000 / static_cast<double>(calls);
}

Result<void> tell(ChunkIndex& index, const std::string& path, std::uint64_t there, double add_us) {
    std::mt19937_64 random(there);
    const double known = HF_TRY(time_of(look_ups, [&](std::uint64_t) -> Result<void> {
        HF_TRY(index.find(chunk_id(random() % there)));
        return {};
    }));
    const double unknown = HF_TRY(time_of(look_ups, [&](std::uint64_t i) -> Result<void> {
        if (!HF_TRY(index.is_sound(chunk_id(there + (1ULL << 40) + i)))) return {};
        return Error{Errc::Corrupt, "the index has what was never there"};
    }));
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) return io_error(errno, "look at " + path);
    const auto bytes = static_cast<double>(about.st_size);
    std::printf("%12llu %10.1f MiB %6.1f B %9.1f MiB %8.2f us %8.2f us %8.2f us\n",
                static_cast<unsigned long long>(there), bytes / (1 << 20),
                bytes / static_cast<double>(there), resident_mib(), known, unknown, add_us);
    std::fflush(stdout);
    return {};
}

}  // namespace

Result<void> measure_index(const std::string& path, std::uint64_t count) {
    if (path_exists(path)) return Error{Errc::Conflict, path + " is there already"};
    auto index = HF_TRY(ChunkIndex::open(path));
    std::printf("%12s %14s %8s %13s %11s %11s %11s\n", "chunks", "file", "a chunk", "resident",
                "known", "new", "add");
    std::uint64_t there = 0;
    for (std::uint64_t next = first_told; there < count; next *= 10) {
        const std::uint64_t until = std::min(next, count);
        const std::uint64_t packs = (until - there + chunks_a_pack - 1) / chunks_a_pack;
        const double pack_us = HF_TRY(time_of(
            packs, [&](std::uint64_t i) { return add_pack(*index, there + i * chunks_a_pack); }));
        there += packs * chunks_a_pack;
        HF_TRY(tell(*index, path, there, pack_us / static_cast<double>(chunks_a_pack)));
    }
    return {};
}

}  // namespace holdfast::bench
