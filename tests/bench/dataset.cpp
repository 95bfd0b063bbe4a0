#include "tests/bench/dataset.h"

#include "vault/base/file.h"
#include "vault/base/units.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace holdfast::bench {
namespace {

constexpr std::uint64_t letter_bytes = 24_KiB;
constexpr std::uint64_t table_bytes = 8_MiB;
constexpr std::uint64_t image_bytes = 512_KiB;
constexpr std::uint64_t files_per_folder = 500;
constexpr std::uint64_t many_per_folder = 1000;
constexpr off_t sparse_bytes = 4096;

/// splitmix64.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t n) { return next() % n; }

private:
    std::uint64_t state_;
};

/// Words of which a few are frequent, as in every language.
Buffer letter(Draw& draw) {
    static constexpr std::array words{"the patient", "was seen",   "in clinic",    "with",
                                      "and",         "reports no", "chest pain",   "blood pressure",
                                      "follow-up",   "mg daily",   "as discussed", "referred",
                                      "stable"};
    Buffer out;
    ByteWriter writer(out);
    while (out.size() < letter_bytes) {
        const std::uint64_t pick = draw.below(16);
        const std::string number = std::to_string(draw.below(100'000));
        writer.bytes(as_view(pick < words.size() ? words[pick] : number));
        writer.u8(draw.below(12) == 0 ? '\n' : ' ');
    }
    return out;
}

/// Pages of 8 KiB of rows whose fields grow slowly or are small.
Buffer table(Draw& draw) {
    Buffer out;
    ByteWriter writer(out);
    std::uint64_t key = draw.below(1 << 30);
    while (out.size() < table_bytes) {
        writer.u64(key += 1 + draw.below(3));
        writer.u64(1'790'000'000'000 + key * 1000 + draw.below(1000));
        writer.u32(static_cast<std::uint32_t>(draw.below(200)));
        writer.u32(static_cast<std::uint32_t>(draw.next()));
        writer.u64(draw.below(4));
    }
    return out;
}

/// Samples of 16 bits along slow curves, with noise in the lowest bits.
Buffer image(Draw& draw) {
    Buffer out;
    ByteWriter writer(out);
    std::uint64_t level = 2000;
    while (out.size() < image_bytes) {
        level = (level + draw.below(9) + 4092) % 4096;
        writer.u16(static_cast<std::uint16_t>(level));
    }
    return out;
}

using Make = Buffer (*)(Draw&);

Result<void> fill(const std::string& folder, std::uint64_t bytes, Make make, Draw& draw) {
    std::uint64_t number = 0;
    for (std::uint64_t written = 0; written < bytes; ++number) {
        const std::string parent = folder + "/" + std::to_string(number / files_per_folder);
        HF_TRY(make_folders(parent, 0755));
        const std::string path = parent + "/" + std::to_string(number);
        const Buffer content = make(draw);
        const Fd file = HF_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
        HF_TRY(write_all(file, content, path));
        written += content.size();
    }
    return {};
}

}  // namespace

Result<void> make_dataset(const std::string& folder, std::uint64_t megabytes) {
    if (path_exists(folder)) return Error{Errc::Conflict, folder + " exists already"};
    const std::uint64_t third = megabytes * 1'000'000 / 3;
    Draw draw(megabytes);
    HF_TRY(fill(folder + "/letters", third, letter, draw));
    HF_TRY(fill(folder + "/tables", third, table, draw));
    HF_TRY(fill(folder + "/images", third, image, draw));
    return {};
}

Result<void> make_many_files(const std::string& folder, std::uint64_t count) {
    if (path_exists(folder)) return Error{Errc::Conflict, folder + " is there already"};
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string below = folder + "/" + std::to_string(i / many_per_folder);
        if (i % many_per_folder == 0) HF_TRY(make_folders(below, 0755));
        const std::string path = below + "/letter-" + std::to_string(i) + ".txt";
        const Fd fd = HF_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
        if (::ftruncate(fd.get(), sparse_bytes) != 0) return io_error(errno, "grow " + path);
    }
    return {};
}

}  // namespace holdfast::bench
