#include "agent/source/sqlite/copy.h"

#include "agent/source/files/status.h"
#include "agent/source/passing_name.h"
#include "vault/base/file.h"
#include "vault/index/sqlite_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

namespace holdfast::agent::sqlite {
namespace {

constexpr std::size_t read_bytes = 1 << 20;

/// The passing copy: nobody else's to read, gone at the end, and, if this process is killed, with
/// the next one.
class PassingFile {
public:
    static Result<PassingFile> make(const std::string& folder) {
        HF_TRY(sweep(folder));
        std::string path = folder + "/" + passing_name(prefix);
        HF_TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
        return PassingFile(std::move(path));
    }
    PassingFile(PassingFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    PassingFile(const PassingFile&) = delete;
    PassingFile& operator=(const PassingFile&) = delete;
    ~PassingFile() {
        if (!path_.empty()) remove(path_);
    }
    const std::string& path() const { return path_; }

private:
    static constexpr std::string_view prefix = "sqlite-copy-";

    explicit PassingFile(std::string path) : path_(std::move(path)) {}

    static void remove(const std::string& path) {
        for (const char* end : {"", "-journal", "-wal", "-shm"}) {
            (void)::unlink((path + end).c_str());
        }
    }

    /// Removes the copies of processes that are gone.
    static Result<void> sweep(const std::string& folder) {
        std::error_code failed;
        for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
             at.increment(failed)) {
            if (is_left_over(at->path().filename().string(), prefix)) {
                (void)::unlink(at->path().c_str());
            }
        }
        if (failed) return Error{Errc::Io, "read " + folder + ": " + failed.message()};
        return {};
    }

    std::string path_;
};

Result<vault::Entry> entry_of(const std::string& path, const std::string& name) {
    const Fd fd = HF_TRY(open_file(path, O_RDONLY));
    files::Status status{};
    if (const int failed = files::look_at(fd.get(), status); failed != 0) {
        return io_error(failed, "look at " + path);
    }
    files::Owners owners;
    vault::Entry entry;
    files::fill(entry, status, owners);
    entry.path = name;
    return entry;
}

Result<void> pour(const std::string& path, std::uint64_t bytes, Sink& sink) {
    const Fd fd = HF_TRY(open_file(path, O_RDONLY));
    for (std::uint64_t at = 0; at < bytes;) {
        const std::uint64_t n = std::min<std::uint64_t>(read_bytes, bytes - at);
        HF_TRY(sink.write(HF_TRY(read_exact(fd, at, n, path))));
        at += n;
    }
    return {};
}

}  // namespace

Result<DatabaseFacts> copy_database(const DatabaseSettings& settings, Sink& sink,
                                    const Progress& progress) {
    const std::size_t slash = settings.path.rfind('/');
    const std::string folder = settings.path.substr(0, std::max<std::size_t>(slash, 1));
    const std::string name = settings.path.substr(slash + 1);
    vault::Entry root = HF_TRY(entry_of(folder, ""));
    vault::Entry entry = HF_TRY(entry_of(settings.path, name));
    const PassingFile copy = HF_TRY(PassingFile::make(settings.scratch));
    const vault::SqliteCopy copied =
        HF_TRY(vault::copy_sqlite(settings.path, copy.path(), progress).within(settings.path));
    if (!copied.fault.empty()) {
        sink.warn({name, "the database says of itself: " + copied.fault});
    }
    HF_TRY(sink.add(std::move(root), 0));
    const ContentHandle content = HF_TRY(sink.begin_content(Shape::Pages));
    auto poured = pour(copy.path(), copied.bytes, sink);
    if (!poured) {
        sink.drop_content();
        return std::move(poured).error();
    }
    HF_TRY(sink.end_content());
    entry.type = vault::FileType::Regular;
    entry.size = copied.bytes;
    entry.hard_link = 0;
    HF_TRY(sink.add(std::move(entry), copied.bytes == 0 ? 0 : content));
    return DatabaseFacts{copied.bytes, copied.page_bytes, copied.fault.empty()};
}

}  // namespace holdfast::agent::sqlite
