// What programs expect of any file system, asked of a mount.
#include "agent/mount/mount.h"
#include "tests/agent/mount/mounted.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

using namespace holdfast;
using namespace holdfast::agent;
namespace fs = std::filesystem;

namespace {

std::string pattern(std::size_t bytes, unsigned seed) {
    std::string out(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) {
        out[i] = static_cast<char>('a' + (i * 7 + i / 4096 + seed) % 26);
    }
    return out;
}

void put(const std::string& path, std::string_view text) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
    REQUIRE(fd);
    REQUIRE(write_all(fd, as_view(text), path));
}

struct stat info_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    return info;
}

/// A mount over a small snapshot.
struct Served {
    ScratchFolder scratch;
    std::string lower = scratch.path() + "/lower/";
    Mounted mount{scratch.path()};

    Served() {
        put(lower + "big", pattern(1'000'003, 1));
        put(lower + "small", "small");
        fs::create_directories(lower + "folder/deep");
        put(lower + "folder/deep/leaf", "leaf");
        fs::create_hard_link(lower + "big", lower + "folder/big-too");
        fs::create_symlink("folder/deep/leaf", lower + "pointer");
        REQUIRE(::mkfifo((lower + "pipe").c_str(), 0640) == 0);
        REQUIRE(::setxattr((lower + "small").c_str(), "user.colour", "green", 5, 0) == 0);
        REQUIRE(::chmod((lower + "small").c_str(), 0604) == 0);
        REQUIRE(::chown((lower + "small").c_str(), 123, 456) == 0);
    }
    std::string at(const std::string& below) const { return mount.path(below); }
};

}  // namespace

TEST_CASE("a mount shows the snapshot as it is", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    CHECK(get(s.at("big")) == pattern(1'000'003, 1));
    CHECK(get(s.at("pointer")) == "leaf");
    CHECK(fs::read_symlink(s.at("pointer")) == "folder/deep/leaf");
    CHECK(S_ISFIFO(info_of(s.at("pipe")).st_mode));
    CHECK(info_of(s.at("big")).st_nlink == 2);
    CHECK(info_of(s.at("big")).st_ino == info_of(s.at("folder/big-too")).st_ino);
    CHECK(info_of(s.at("folder")).st_nlink == 3);
    const auto small = info_of(s.at("small"));
    const auto below = info_of(s.lower + "small");
    CHECK((small.st_mode == below.st_mode && small.st_uid == 123 && small.st_gid == 456));
    CHECK(small.st_mtim.tv_nsec == below.st_mtim.tv_nsec);
    std::array<char, 16> value{};
    CHECK(::getxattr(s.at("small").c_str(), "user.colour", value.data(), value.size()) == 5);
    CHECK(s.mount.unmount() == 0);
}

TEST_CASE("a write changes its own bytes and leaves the snapshot alone", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    std::string expected = pattern(1'000'003, 1);
    for (const auto& [offset, bytes] : {std::pair{0U, 1U},
                                        {5000U, 10U},
                                        {8190U, 4U},
                                        {12288U, 4096U},
                                        {999'990U, 13U},
                                        {500'000U, 70'000U},
                                        {4095U, 2U}}) {
        const std::string text = pattern(bytes, offset + 3);
        overwrite(s.at("big"), offset, text);
        expected.replace(offset, bytes, text);
        REQUIRE(get(s.at("folder/big-too")) == expected);
    }
    overwrite(s.at("big"), 1'010'000, "far");
    expected.resize(1'010'000, '\0');
    expected += "far";
    CHECK(get(s.at("big")) == expected);
    CHECK(get(s.lower + "big") == pattern(1'000'003, 1));
    CHECK(s.mount.stop() == 0);
    REQUIRE(s.mount.start());
    CHECK(get(s.at("big")) == expected);
}

TEST_CASE("what truncation cuts off reads as zeros when the file grows again", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    const std::string whole = pattern(1'000'003, 1);
    const auto check = [&](const std::string& path, std::string expected, std::size_t cut,
                           std::size_t grown) {
        REQUIRE(::truncate(path.c_str(), static_cast<off_t>(cut)) == 0);
        expected.resize(cut);
        CHECK(get(path) == expected);
        REQUIRE(::truncate(path.c_str(), static_cast<off_t>(grown)) == 0);
        expected.resize(grown, '\0');
        CHECK(get(path) == expected);
    };
    check(s.at("big"), whole, 5000, 20'000);
    put(s.at("written"), whole);
    check(s.at("written"), whole, 5000, 20'000);
    overwrite(s.at("written"), 6000, "x");
    std::string expected = whole.substr(0, 5000);
    expected.resize(20'000, '\0');
    expected[6000] = 'x';
    CHECK(get(s.at("written")) == expected);
    check(s.at("written"), expected, 6001, 6100);
    put(s.at("written"), "short");
    overwrite(s.at("written"), 100, "y");
    CHECK(get(s.at("written")) == "short" + std::string(95, '\0') + "y");
}

TEST_CASE("names are made, linked, renamed and removed", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    put(s.at("new"), "new");
    REQUIRE(::rename(s.at("new").c_str(), s.at("small").c_str()) == 0);
    CHECK(get(s.at("small")) == "new");
    CHECK_FALSE(path_exists(s.at("new")));
    CHECK(::renameat2(AT_FDCWD, s.at("small").c_str(), AT_FDCWD, s.at("big").c_str(),
                      RENAME_NOREPLACE) == -1);
    CHECK(errno == EEXIST);
    REQUIRE(::renameat2(AT_FDCWD, s.at("small").c_str(), AT_FDCWD, s.at("folder").c_str(),
                        RENAME_EXCHANGE) == 0);
    CHECK(get(s.at("folder")) == "new");
    CHECK(get(s.at("small/deep/leaf")) == "leaf");
    REQUIRE(::link(s.at("folder").c_str(), s.at("small/deep/linked").c_str()) == 0);
    CHECK(info_of(s.at("folder")).st_nlink == 2);
    CHECK(::rmdir(s.at("small/deep").c_str()) == -1);
    CHECK(errno == ENOTEMPTY);
    CHECK(::unlink(s.at("small/deep").c_str()) == -1);
    CHECK(errno == EISDIR);
    REQUIRE(::mkdir(s.at("empty").c_str(), 0700) == 0);
    REQUIRE(::rename(s.at("small/deep").c_str(), s.at("empty").c_str()) == 0);
    CHECK(get(s.at("empty/linked")) == "new");
    CHECK(info_of(s.at("small")).st_nlink == 2);
    CHECK(fs::remove_all(s.at("empty")) == 3);
    CHECK(info_of(s.at("folder")).st_nlink == 1);
    CHECK(::open(s.at(std::string(256, 'n')).c_str(), O_CREAT | O_WRONLY, 0600) == -1);
    CHECK(errno == ENAMETOOLONG);
    REQUIRE(::mknod(s.at("null").c_str(), S_IFCHR | 0666, 0x103) == 0);
    CHECK(info_of(s.at("null")).st_rdev == 0x103);
    REQUIRE(::symlink("nowhere", s.at("dangling").c_str()) == 0);
    CHECK(fs::read_symlink(s.at("dangling")) == "nowhere");
    CHECK(s.mount.stop() == 0);
    REQUIRE(s.mount.start());
    CHECK(get(s.at("folder")) == "new");
    CHECK_FALSE(path_exists(s.at("empty")));
    CHECK(fs::read_symlink(s.at("dangling")) == "nowhere");
}

TEST_CASE("a removed file serves those who hold it open, then gives back its space", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    for (const char* name : {"big", "fresh"}) {
        if (name == std::string("fresh")) put(s.at(name), "fresh");
        Fd fd(::open(s.at(name).c_str(), O_RDWR));
        REQUIRE(::unlink(s.at(name).c_str()) == 0);
        REQUIRE(::pwrite(fd.get(), "held", 4, 9000) == 4);
        std::array<char, 4> back{};
        REQUIRE(::pread(fd.get(), back.data(), 4, 9000) == 4);
        CHECK(std::string_view(back.data(), 4) == "held");
        CHECK(::fsync(fd.get()) == 0);
        CHECK(::ftruncate(fd.get(), 10) == 0);
        CHECK(::pwrite(fd.get(), "again", 5, 5) == 5);
    }
    CHECK(::unlink(s.at("folder/big-too").c_str()) == 0);
    CHECK(s.mount.stop() == 0);
    REQUIRE(s.mount.start());
    CHECK_FALSE(path_exists(s.at("big")));
    CHECK_FALSE(path_exists(s.at("fresh")));
    CHECK(fs::is_empty(s.mount.overlay() + "/data"));
}

TEST_CASE("two processes append without overwriting each other", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    constexpr int lines = 300;
    std::array<pid_t, 2> children{};
    for (std::size_t c = 0; c < children.size(); ++c) {
        children[c] = ::fork();
        if (children[c] != 0) continue;
        const int fd = ::open(s.at("small").c_str(), O_WRONLY | O_APPEND);
        const char* line = c == 0 ? "one line of one\n" : "and one of other\n";
        for (int i = 0; i < lines; ++i) {
            if (::write(fd, line, std::strlen(line)) < 0) ::_exit(1);
        }
        ::_exit(0);
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    const std::string text = get(s.at("small"));
    CHECK(text.size() == 5 + lines * (16 + 17));
    std::size_t ones = 0;
    for (std::size_t at = 0; (at = text.find("one line of one\n", at)) != text.npos; ++at) ++ones;
    CHECK(ones == lines);
}

TEST_CASE("a shared mapping reads the snapshot and writes the overlay", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    {
        const Fd fd(::open(s.at("big").c_str(), O_RDWR));
        void* map = ::mmap(nullptr, 1'000'003, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
        REQUIRE(map != MAP_FAILED);
        char* bytes = static_cast<char*>(map);
        CHECK(std::string_view(bytes, 1'000'003) == pattern(1'000'003, 1));
        std::memcpy(bytes + 4000, "mapped and written", 18);
        std::memcpy(bytes + 1'000'000, "end", 3);
        CHECK(::msync(map, 1'000'003, MS_SYNC) == 0);
        CHECK(::munmap(map, 1'000'003) == 0);
    }
    s.mount.kill();  // msync is fsync: nothing of it may be lost.
    REQUIRE(s.mount.start());
    std::string expected = pattern(1'000'003, 1);
    expected.replace(4000, 18, "mapped and written");
    expected.replace(1'000'000, 3, "end");
    CHECK(get(s.at("big")) == expected);
}

TEST_CASE("attributes are set and outlive the mount", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    const std::string path = s.at("small");
    REQUIRE(::chmod(path.c_str(), 06755) == 0);
    CHECK(info_of(path).st_mode == (S_IFREG | 06755));
    REQUIRE(::chown(path.c_str(), 7, 8) == 0);
    CHECK((info_of(path).st_mode & 07777) == 0755);  // The kernel drops set-id bits.
    const std::array<timespec, 2> times{timespec{1000, 5'000'000}, timespec{2000, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
    REQUIRE(::setxattr(path.c_str(), "user.size", "large", 5, XATTR_CREATE) == 0);
    CHECK(::setxattr(path.c_str(), "user.size", "x", 1, XATTR_CREATE) == -1);
    CHECK(errno == EEXIST);
    REQUIRE(::removexattr(path.c_str(), "user.colour") == 0);
    CHECK(::removexattr(path.c_str(), "user.colour") == -1);
    CHECK(errno == ENODATA);
    CHECK(s.mount.stop() == 0);
    REQUIRE(s.mount.start());
    const auto info = info_of(path);
    CHECK((info.st_uid == 7 && info.st_gid == 8 && (info.st_mode & 07777) == 0755));
    CHECK((info.st_atim.tv_sec == 1000 && info.st_mtim.tv_nsec == 123'456'789));
    std::array<char, 64> names{};
    CHECK(::listxattr(path.c_str(), names.data(), names.size()) == 10);
    CHECK(std::string_view(names.data()) == "user.size");
    struct statvfs space {};
    CHECK(::statvfs(path.c_str(), &space) == 0);
    CHECK(space.f_bavail > 0);
}

TEST_CASE("space is allocated, punched and zeroed", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    std::string expected = pattern(1'000'003, 1);
    const Fd fd(::open(s.at("big").c_str(), O_RDWR));
    const auto zero = [&](int mode, std::size_t offset, std::size_t bytes) {
        REQUIRE(::fallocate(fd.get(), mode, static_cast<off_t>(offset),
                            static_cast<off_t>(bytes)) == 0);
        const std::size_t end = std::min(offset + bytes, expected.size());
        if (offset < end) std::fill(&expected[offset], &expected[end - 1] + 1, '\0');
        REQUIRE(get(s.at("big")) == expected);
    };
    zero(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 50);
    zero(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 30'000);
    zero(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 990'000, 900'000);
    zero(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 500'000, 8192);
    expected.resize(1'100'000, '\0');
    zero(FALLOC_FL_ZERO_RANGE, 999'000, 101'000);
    expected.resize(2'000'000, '\0');
    REQUIRE(::posix_fallocate(fd.get(), 10, 1'999'990) == 0);
    CHECK(get(s.at("big")) == expected);
    CHECK(::fallocate(fd.get(), FALLOC_FL_COLLAPSE_RANGE, 0, 4096) == -1);
    CHECK(errno == EOPNOTSUPP);
    CHECK(s.mount.stop() == 0);
    REQUIRE(s.mount.start());
    CHECK(get(s.at("big")) == expected);
}

TEST_CASE("a folder of 10,000 files is listed while it changes", "[mount]") {
    if (!can_mount()) return;
    Served s;
    constexpr int count = 10'000;
    fs::create_directory(s.lower + "many");
    const auto name = [](int i) { return "file-" + std::to_string(i); };
    for (int i = 0; i < count; ++i) {
        REQUIRE(Fd(::open((s.lower + "many/" + name(i)).c_str(), O_CREAT | O_WRONLY, 0600)));
    }
    REQUIRE(s.mount.start());
    std::multiset<std::string> seen;
    DIR* listing = ::opendir(s.at("many").c_str());
    REQUIRE(listing != nullptr);
    int step = 0;
    while (const dirent* entry = ::readdir(listing)) {
        seen.insert(entry->d_name);
        if (++step % 10 != 0 || step >= count) continue;
        REQUIRE(::unlink(s.at("many/" + name(step)).c_str()) == 0);
        put(s.at("many/made-" + std::to_string(step)), "");
    }
    for (int i = 1; i < count; ++i) {
        const auto times = seen.count(name(i));
        if (times > 1 || (times == 0 && i % 10 != 0)) FAIL(name(i) << " seen " << times);
    }
    ::rewinddir(listing);
    std::size_t again = 0;
    while (::readdir(listing) != nullptr) ++again;
    ::closedir(listing);
    CHECK(again == count + 2);
}

TEST_CASE("permissions are enforced for other users", "[mount]") {
    if (!can_mount()) return;
    Served s;
    put(s.lower + "secret", "secret");
    REQUIRE(::chmod((s.lower + "secret").c_str(), 0600) == 0);
    REQUIRE(s.mount.start());
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(1);
        if (::open(s.at("secret").c_str(), O_RDONLY) >= 0 || errno != EACCES) ::_exit(2);
        if (::open(s.at("mine").c_str(), O_WRONLY | O_CREAT, 0600) >= 0) ::_exit(3);
        if (::open(s.at("small").c_str(), O_RDONLY) < 0) ::_exit(4);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a mount without an overlay refuses every change", "[mount]") {
    if (!can_mount()) return;
    Served s;
    s.mount.overlay_argument = "-";
    REQUIRE(s.mount.start());
    CHECK(get(s.at("small")) == "small");
    const auto refused = [](int result) { return result == -1 && errno == EROFS; };
    CHECK(refused(::open(s.at("small").c_str(), O_WRONLY)));
    CHECK(refused(::open(s.at("new").c_str(), O_WRONLY | O_CREAT, 0600)));
    CHECK(refused(::unlink(s.at("small").c_str())));
    CHECK(refused(::mkdir(s.at("d").c_str(), 0700)));
    CHECK(refused(::rename(s.at("small").c_str(), s.at("x").c_str())));
    CHECK(refused(::chmod(s.at("small").c_str(), 0600)));
    CHECK(refused(::truncate(s.at("small").c_str(), 0)));
    CHECK(refused(::setxattr(s.at("small").c_str(), "user.a", "b", 1, 0)));
    CHECK(s.mount.stop() == 0);
}

TEST_CASE("what the snapshot cannot give is an I/O error with a logged reason", "[mount]") {
    if (!can_mount()) return;
    Served s;
    s.mount.options = {"fail=big:500000"};
    REQUIRE(s.mount.start());
    const Fd fd(::open(s.at("big").c_str(), O_RDWR));
    std::array<char, 4096> bytes{};
    CHECK(::pread(fd.get(), bytes.data(), bytes.size(), 0) == 4096);
    CHECK(::pread(fd.get(), bytes.data(), bytes.size(), 800'000) == -1);
    CHECK(errno == EIO);
    CHECK(::pwrite(fd.get(), "x", 1, 800'000) == -1);
    CHECK(errno == EIO);
    CHECK(::pwrite(fd.get(), bytes.data(), 4096, 4096 * 200) == 4096);
    CHECK(::pread(fd.get(), bytes.data(), bytes.size(), 4096 * 200) == 4096);
    CHECK_THAT(s.mount.log(), Catch::Contains("read big at 798720") &&
                                  Catch::Contains("leaf 7 does not match its hash"));
    CHECK(s.mount.stop() == 0);
    const auto status = read_mount_status(s.scratch.path() + "/status");
    REQUIRE(status);
    CHECK(status->lower_failures >= 2);
    CHECK(status->dirty_blocks == 1);
}

TEST_CASE("a mount ends with a folder open, and leaks nothing", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    DIR* listing = ::opendir(s.at("").c_str());
    REQUIRE(listing != nullptr);
    CHECK(::readdir(listing) != nullptr);
    CHECK(s.mount.stop() == 0);
    CHECK(s.mount.log() == "");  // What a sanitizer finds would be there.
    ::closedir(listing);
}

TEST_CASE("an overlay serves one mount at a time and one snapshot only", "[mount]") {
    if (!can_mount()) return;
    Served s;
    REQUIRE(s.mount.start());
    ScratchFolder other;
    Mounted second{other.path()};
    second.overlay_argument = s.mount.overlay();
    CHECK_FALSE(second.start());
    CHECK_THAT(second.log(), Catch::Contains("another mount uses this overlay"));
    CHECK(s.mount.stop() == 0);
    second.snapshot_id = "snapshot-2";
    CHECK_FALSE(second.start());
    CHECK_THAT(second.log(), Catch::Contains("belongs to snapshot snapshot-1"));
}
