#include "images/demo/epr/documents.h"

#include "images/demo/epr/image.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

namespace holdfast::demo {
namespace {

constexpr unsigned folder_mode = 0750;
constexpr unsigned file_mode = 0640;

std::string parent(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

/// Writes files below one folder, making each folder once; durable only after sync().
class BulkWriter {
public:
    explicit BulkWriter(const std::string& folder) : folder_(folder) {}

    Result<void> put(const std::string& path, View content) {
        const std::string full = folder_ + "/" + path;
        if (made_.insert(parent(full)).second) {
            HF_TRY(make_folders(parent(full), folder_mode));
        }
        const Fd fd = HF_TRY(open_file(full, O_WRONLY | O_CREAT | O_EXCL, file_mode));
        HF_TRY(write_all(fd, content, full));
        ++written_.files;
        written_.bytes += content.size();
        return {};
    }

    Result<Written> sync() {
        const Fd fd = HF_TRY(open_file(folder_, O_RDONLY | O_DIRECTORY));
        if (::syncfs(fd.get()) != 0) return io_error(errno, "sync " + folder_);
        return written_;
    }

private:
    std::string folder_;
    std::set<std::string> made_;
    Written written_;
};

}  // namespace

Result<void> expect_empty(const std::string& folder) {
    std::error_code error;
    const std::filesystem::directory_iterator entries(folder, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    if (error) return io_error(error.value(), "list " + folder);
    if (entries == std::filesystem::directory_iterator()) return {};
    return Error{Errc::Conflict, folder + " is not empty: give a new folder to load into"};
}

Result<Written> write_documents(const Dataset& data, const std::string& folder) {
    HF_TRY(make_folders(folder, folder_mode));
    BulkWriter out(folder);
    for (std::uint64_t id = 1; id <= data.letters(); ++id) {
        const Letter of = letter(data, id);
        const std::string content = render(of);
        HF_TRY(out.put(of.path, as_view(content)));
    }
    for (std::uint64_t id = 1; id <= data.images(); ++id) {
        const Image of = image(data, id);
        HF_TRY(out.put(of.path, image_file(data, id, of)));
    }
    return out.sync();
}

void remove_documents(const std::string& folder) {
    std::error_code ignored;  // The failure that leads here is the one to tell.
    std::filesystem::remove_all(folder + "/letters", ignored);
    std::filesystem::remove_all(folder + "/images", ignored);
}

Result<void> write_letter(const Letter& letter, const std::string& folder) {
    const std::string path = folder + "/" + letter.path;
    HF_TRY(make_folders(parent(path), folder_mode));
    const std::string content = render(letter);
    return write_file_durably(path, as_view(content), file_mode);
}

}  // namespace holdfast::demo
