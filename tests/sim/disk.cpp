#include "tests/sim/disk.h"

#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace holdfast::sim {
namespace {

constexpr std::uint64_t sector_bytes = 512;

bool coin(std::mt19937_64& random) {
    return random() % 2 == 0;
}

void write_at(Buffer& content, std::uint64_t offset, View data) {
    if (content.size() < offset + data.size()) content.resize(offset + data.size());
    std::copy(data.begin(), data.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// Those sectors of the write that the coin leaves.
void write_torn(Buffer& content, const Change& write, std::mt19937_64& random) {
    const std::uint64_t end = write.offset + write.data.size();
    for (std::uint64_t at = write.offset; at < end;) {
        const std::uint64_t next = std::min(end, (at / sector_bytes + 1) * sector_bytes);
        if (coin(random)) {
            write_at(content, at, View(write.data).subspan(at - write.offset, next - at));
        }
        at = next;
    }
}

}  // namespace

void Disk::apply(const Change& change) {
    switch (change.kind) {
        case Change::Kind::Create:
            if (change.is_folder) folders_[change.inode];
            if (!change.is_folder) files_[change.inode];
            return;
        case Change::Kind::Name:
            return rename({{change.folder, change.name, change.inode}});
        case Change::Kind::Unname:
            return rename({{change.folder, change.name, 0}});
        case Change::Kind::Rename:
            return rename({{change.folder, change.name, 0},
                           {change.to_folder, change.to_name, change.inode}});
        case Change::Kind::Write:
            write_at(files_[change.inode].now, change.offset, change.data);
            files_[change.inode].unsynced.push_back(change);
            return;
        case Change::Kind::Truncate:
            files_[change.inode].now.resize(change.offset);
            files_[change.inode].unsynced.push_back(change);
            return;
        case Change::Kind::SyncFile: {
            File& file = files_[change.inode];
            file.synced = file.now;
            file.unsynced.clear();
            return;
        }
        case Change::Kind::SyncFolder:
            return sync_folder(change.inode);
        case Change::Kind::SyncAll:
            for (auto& [inode, file] : files_) {
                file.synced = file.now;
                file.unsynced.clear();
            }
            while (!unsynced_.empty()) sync_folder(unsynced_.front().front().folder);
            return;
    }
}

void Disk::rename(Step step) {
    unsynced_.push_back(std::move(step));
}

/// What is to last brings with it whatever came before it in the same folders.
void Disk::sync_folder(Inode folder) {
    std::set<Inode> asked{folder};
    std::vector<bool> lasts(unsynced_.size());
    for (std::size_t at = unsynced_.size(); at-- > 0;) {
        lasts[at] = std::any_of(unsynced_[at].begin(), unsynced_[at].end(),
                                [&](const NameChange& one) { return asked.contains(one.folder); });
        if (!lasts[at]) continue;
        for (const NameChange& one : unsynced_[at]) asked.insert(one.folder);
    }
    std::vector<Step> rest;
    for (std::size_t at = 0; at < unsynced_.size(); ++at) {
        if (!lasts[at]) {
            rest.push_back(std::move(unsynced_[at]));
            continue;
        }
        for (const NameChange& one : unsynced_[at]) {
            if (one.inode == 0) folders_[one.folder].erase(one.name);
            if (one.inode != 0) folders_[one.folder][one.name] = one.inode;
        }
    }
    unsynced_ = std::move(rest);
}

std::map<std::string, Buffer> Disk::after_cut(Left left, std::mt19937_64& random) const {
    std::map<Inode, Names> folders = folders_;
    std::set<Inode> behind;  // Folders of which something was lost: nothing later of them lasts.
    for (const Step& step : unsynced_) {
        bool lasts = left == Left::Everything || (left == Left::Some && coin(random));
        for (const NameChange& one : step) lasts = lasts && !behind.contains(one.folder);
        for (const NameChange& one : step) {
            if (!lasts) behind.insert(one.folder);
            if (lasts && one.inode == 0) folders[one.folder].erase(one.name);
            if (lasts && one.inode != 0) folders[one.folder][one.name] = one.inode;
        }
    }
    std::map<std::string, Buffer> out;
    collect(folders, root, "", left, random, out);
    return out;
}

void Disk::collect(const std::map<Inode, Names>& folders, Inode folder, const std::string& path,
                   Left left, std::mt19937_64& random, std::map<std::string, Buffer>& out) const {
    for (const auto& [name, inode] : folders.at(folder)) {
        const std::string at = path + name;
        if (folders.contains(inode)) {
            out[at + "/"];
            collect(folders, inode, at + "/", left, random, out);
        } else {
            out[at] = content_after(files_.at(inode), left, random);
        }
    }
}

Buffer Disk::content_after(const File& file, Left left, std::mt19937_64& random) const {
    if (left == Left::Everything) return file.now;
    Buffer content = file.synced;
    if (left == Left::Nothing) return content;
    for (const Change& change : file.unsynced) {
        if (change.kind == Change::Kind::Write) write_torn(content, change, random);
        if (change.kind == Change::Kind::Truncate && coin(random)) content.resize(change.offset);
    }
    return content;
}

Result<void> Disk::write_out(const std::map<std::string, Buffer>& files,
                             const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) != 0) return io_error(errno, "make " + folder);
    for (const auto& [path, content] : files) {
        const std::string at = folder + "/" + path;
        if (path.ends_with('/')) {
            if (::mkdir(at.c_str(), 0700) != 0) return io_error(errno, "make " + at);
            continue;
        }
        const Fd fd = HF_TRY(open_file(at, O_WRONLY | O_CREAT | O_EXCL, 0600));
        HF_TRY(write_all(fd, content, at));
    }
    return {};
}

}  // namespace holdfast::sim
