#include "tests/agent/source/postgres/folder_sink.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace fs = std::filesystem;

namespace holdfast::test {

FolderSink::FolderSink(std::string folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_ + ".contents");
}

std::string FolderSink::content_path(agent::ContentHandle handle) const {
    return folder_ + ".contents/" + std::to_string(handle);
}

Result<agent::ContentHandle> FolderSink::begin_content(agent::Shape shape) {
    HF_ASSERT(!open_);
    contents_.push_back(shape);
    sizes_.push_back(0);
    file_ = ::open(content_path(contents_.size()).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    HF_ASSERT(file_ >= 0);
    open_ = true;
    return contents_.size();
}

Result<void> FolderSink::write(View data) {
    HF_ASSERT(open_);
    written_ += data.size();
    if (full_after != 0 && written_ > full_after) return Error{Errc::Full, "the vault is full"};
    sizes_.back() += data.size();
    HF_ASSERT(::write(file_, data.data(), data.size()) == static_cast<ssize_t>(data.size()));
    return {};
}

Result<void> FolderSink::hole(std::uint64_t length) {
    const Buffer zeros(length);
    return write(zeros);
}

Result<void> FolderSink::end_content() {
    HF_ASSERT(open_);
    ::close(file_);
    open_ = false;
    return {};
}

void FolderSink::drop_content() {
    HF_ASSERT(open_);
    ::close(file_);
    open_ = false;
    ++drops;
}

Result<void> FolderSink::add(vault::Entry entry, agent::ContentHandle content) {
    HF_ASSERT(!open_);
    HF_ASSERT(entries.empty() || vault::compare_paths(last_path_, entry.path) < 0);
    last_path_ = entry.path;
    const std::string path = entry.path.empty() ? folder_ : folder_ + "/" + entry.path;
    if (entry.type == vault::FileType::Directory) {
        HF_ASSERT(::mkdir(path.c_str(), 0700) == 0);
    } else if (content != 0) {
        HF_ASSERT(sizes_[content - 1] == entry.size);
        HF_ASSERT(::rename(content_path(content).c_str(), path.c_str()) == 0);
        shapes[entry.path] = contents_[content - 1];
    } else {
        HF_ASSERT(entry.size == 0);
        HF_ASSERT(Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600)));
    }
    HF_ASSERT(::chmod(path.c_str(), entry.mode) == 0);
    entries.emplace(entry.path, std::move(entry));
    return {};
}

}  // namespace holdfast::test
