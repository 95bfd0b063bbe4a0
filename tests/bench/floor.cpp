#include "tests/bench/floor.h"

#include "vault/base/file.h"
#include "vault/chunk/codec.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/merkle.h"
#include "vault/crypto/random.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

namespace holdfast::bench {
namespace {

namespace fs = std::filesystem;
using vault::Cipher;
using vault::Encoder;
using vault::Sealer;

constexpr std::uint64_t file_bytes_max = 4_GiB;
constexpr std::size_t pack_aim = 16_MiB;

std::uint64_t total(const std::vector<Buffer>& all) {
    std::uint64_t sum = 0;
    for (const Buffer& one : all) sum += one.size();
    return sum;
}

/// Calls the workers that make() gives, one a thread, with each of 0 … count-1 once.
template <class Make>
Result<void> each(std::size_t count, unsigned threads, Make make) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    Result<void> outcome;
    const auto run = [&] {
        auto work = make();
        for (std::size_t i = next++; i < count; i = next++) {
            Result<void> done = work(i);
            if (done) continue;
            const std::lock_guard lock(mutex);
            outcome = std::move(done);
            return;
        }
    };
    std::vector<std::thread> pool;
    for (unsigned i = 1; i < threads; ++i) pool.emplace_back(run);
    run();
    for (std::thread& thread : pool) thread.join();
    return outcome;
}

/// One measurement: the folder's bytes on their way through the stages.
class Floor {
public:
    Floor(std::vector<std::string> paths, std::string scratch, unsigned threads)
        : paths_(std::move(paths)), scratch_(std::move(scratch)), threads_(threads) {}

    Result<std::vector<Stage>> run() {
        HF_TRY(timed("read", 0, [&] { return read(); }));
        stages_.back().bytes = total(files_);
        HF_TRY(timed("cut", total(files_), [&] { return cut(); }));
        HF_TRY(timed("hash", total(files_), [&] { return hash(); }));
        HF_TRY(timed("code", total(files_), [&] { return code(); }));
        HF_TRY(timed("seal", total(coded_), [&] { return seal(); }));
        coded_.clear();
        gather();
        HF_TRY(timed("merkle", total(packs_), [&] { return merkle(); }));
        const Result<void> written = timed("write+fsync", total(packs_), [&] { return write(); });
        for (std::size_t i = 0; i < packs_.size(); ++i) ::unlink(pack_path(i).c_str());
        HF_TRY(Result<void>(written));
        return stages_;
    }

private:
    template <class Work>
    Result<void> timed(const char* name, std::uint64_t bytes, Work work) {
        const auto start = std::chrono::steady_clock::now();
        HF_TRY(work());
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        stages_.push_back({name, taken.count(), bytes});
        return {};
    }

    Result<void> read() {
        files_.resize(paths_.size());
        return each(paths_.size(), threads_, [&] {
            return [&](std::size_t i) -> Result<void> {
                files_[i] = HF_TRY(read_file(paths_[i], file_bytes_max));
                return {};
            };
        });
    }

    Result<void> cut() {
        vault::GearTable table;
        vault::system_random().fill({reinterpret_cast<std::uint8_t*>(table.data()), sizeof table});
        const vault::Chunker chunker(table);
        std::vector<std::vector<View>> cuts(files_.size());
        HF_TRY(each(files_.size(), threads_, [&] {
            return [&](std::size_t i) -> Result<void> {
                for (View rest = files_[i]; !rest.empty();) {
                    const std::size_t length = chunker.next_cut(rest, true);
                    cuts[i].push_back(rest.first(length));
                    rest = rest.subspan(length);
                }
                return {};
            };
        }));
        for (const auto& one : cuts) chunks_.insert(chunks_.end(), one.begin(), one.end());
        return {};
    }

    Result<void> hash() {
        const vault::Secret key(32);
        ids_.resize(chunks_.size());
        return each(chunks_.size(), threads_, [&] {
            return [&](std::size_t i) -> Result<void> {
                ids_[i] = vault::keyed_hash(key, chunks_[i]);
                return {};
            };
        });
    }

    Result<void> code() {
        coded_.resize(chunks_.size());
        return each(chunks_.size(), threads_, [&] {
            return [&, encoder = Encoder(), out = Buffer()](std::size_t i) mutable -> Result<void> {
                encoder.encode(chunks_[i], {}, out);
                coded_[i].assign(out.begin(), out.end());
                return {};
            };
        });
    }

    Result<void> seal() {
        sealed_.resize(chunks_.size());
        return each(chunks_.size(), threads_, [&] {
            return [&, sealer = Sealer(Cipher::Aes256Gcm, vault::Secret(32))](
                       std::size_t i) mutable -> Result<void> {
                sealed_[i].reserve(coded_[i].size() + vault::seal_tag_bytes);
                sealer.seal(i, ids_[i].view(), coded_[i], sealed_[i]);
                return {};
            };
        });
    }

    void gather() {
        for (const Buffer& one : sealed_) {
            if (packs_.empty() || packs_.back().size() + one.size() > pack_aim) {
                packs_.emplace_back().reserve(pack_aim);
            }
            packs_.back().insert(packs_.back().end(), one.begin(), one.end());
        }
        sealed_.clear();
    }

    Result<void> merkle() {
        std::vector<Digest> roots(packs_.size());
        return each(packs_.size(), threads_, [&] {
            return [&](std::size_t i) -> Result<void> {
                roots[i] = vault::merkle_root_of_file(packs_[i]);
                return {};
            };
        });
    }

    std::string pack_path(std::size_t i) const { return scratch_ + "/pack-" + std::to_string(i); }

    Result<void> write() {
        return each(packs_.size(), threads_, [&] {
            return [&](std::size_t i) -> Result<void> {
                const std::string path = pack_path(i);
                const Fd file = HF_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL));
                HF_TRY(write_all(file, packs_[i], path));
                return sync_file(file, path);
            };
        });
    }

    std::vector<std::string> paths_;
    std::string scratch_;
    unsigned threads_;
    std::vector<Stage> stages_;
    std::vector<Buffer> files_;
    std::vector<View> chunks_;  // Of files_.
    std::vector<ChunkId> ids_;
    std::vector<Buffer> coded_;
    std::vector<Buffer> sealed_;
    std::vector<Buffer> packs_;
};

Result<std::vector<std::string>> regular_files(const std::string& folder) {
    std::error_code code;
    std::vector<std::string> paths;
    auto at = fs::recursive_directory_iterator(folder, code);
    for (; !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
        if (at->symlink_status().type() == fs::file_type::regular) paths.push_back(at->path());
    }
    if (code) return io_error(code.value(), "list " + folder);
    if (paths.empty()) return Error{Errc::NotFound, folder + ": no files in it"};
    return paths;
}

}  // namespace

Result<std::vector<Stage>> measure_floor(const std::string& folder, const std::string& scratch,
                                         unsigned threads) {
    const auto paths = HF_TRY(regular_files(folder));
    for (const std::string& path : paths) HF_TRY(read_file(path, file_bytes_max));
    return Floor(paths, scratch, threads).run();
}

}  // namespace holdfast::bench
