// An overlay on a disk that fills up.
#include "tests/agent/mount/mounted.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cerrno>
#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent;

namespace {

/// A tmpfs of 6 MiB, gone with the object.
class SmallDisk {
public:
    explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
        std::filesystem::create_directories(folder_);
        REQUIRE(::mount("small", folder_.c_str(), "tmpfs", 0, "size=6m") == 0);
    }
    ~SmallDisk() { (void)::umount2(folder_.c_str(), MNT_DETACH); }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

private:
    std::string folder_;
};

std::string block_text(int number) {
    return std::string(64 << 10, static_cast<char>('a' + number % 26));
}

/// Appends to `path` until the disk is full. Answers how many blocks went in.
int fill(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    REQUIRE(fd);
    for (int n = 0;; ++n) {
        const std::string text = block_text(n);
        const ssize_t written = ::pwrite(fd.get(), text.data(), text.size(), n * (64 << 10));
        if (written == static_cast<ssize_t>(text.size())) continue;
        CHECK(errno == ENOSPC);
        CHECK(::ftruncate(fd.get(), n * (64 << 10)) == 0);
        CHECK(::fsync(fd.get()) == 0);
        return n;
    }
}

void check_filled(const std::string& path, int blocks) {
    const std::string text = get(path);
    REQUIRE(text.size() == static_cast<std::size_t>(blocks) << 16);
    for (int n = 0; n < blocks; ++n) {
        REQUIRE((text.substr(static_cast<std::size_t>(n) << 16, 1 << 16) == block_text(n)));
    }
}

}  // namespace

TEST_CASE("a full overlay refuses writes, serves reads, and takes removals", "[mount]") {
    if (!can_mount()) return;
    const ScratchFolder scratch;
    REQUIRE(write_file_durably(scratch.path() + "/lower/kept", as_view("kept"), 0644));
    Mounted mount(scratch.path());
    mount.with_status = false;
    const SmallDisk disk(mount.overlay());
    REQUIRE(mount.start());

    const int first = fill(mount.path("one"));
    CHECK(first > 40);
    check_filled(mount.path("one"), first);
    CHECK(get(mount.path("kept")) == "kept");

    REQUIRE(::unlink(mount.path("one").c_str()) == 0);
    const int second = fill(mount.path("two"));
    CHECK(second >= first - 1);

    mount.kill();
    REQUIRE(mount.start());
    CHECK_FALSE(path_exists(mount.path("one")));
    check_filled(mount.path("two"), second);
    CHECK(get(mount.path("kept")) == "kept");

    // Cutting a file gives space back too, and renames never need any.
    REQUIRE(::rename(mount.path("two").c_str(), mount.path("three").c_str()) == 0);
    REQUIRE(::truncate(mount.path("three").c_str(), (second - 10) << 16) == 0);
    check_filled(mount.path("three"), second - 10);
    CHECK(fill(mount.path("four")) >= 8);
    CHECK(mount.stop() == 0);
}

TEST_CASE("a journal that cannot grow acknowledges nothing, and goes on when it can", "[mount]") {
    if (!can_mount()) return;
    const ScratchFolder scratch;
    Mounted mount(scratch.path());
    mount.with_status = false;
    mount.options = {"flush_ms=0"};
    const SmallDisk disk(mount.overlay());
    REQUIRE(mount.start());
    const std::string ballast = mount.overlay() + "/ballast";
    {
        const Fd fd(::open(ballast.c_str(), O_WRONLY | O_CREAT, 0600));
        const std::string text = block_text(0);
        while (::write(fd.get(), text.data(), text.size()) > 0) continue;
    }
    // Folders need no data blocks: only the journal is in their way.
    const Fd root(::open(mount.path().c_str(), O_RDONLY | O_DIRECTORY));
    int made = 0;
    int error = 0;
    for (; made < 200'000 && error == 0; ++made) {
        const std::string name = "folder-" + std::string(200, 'x') + std::to_string(made);
        if (::mkdir(mount.path(name).c_str(), 0700) != 0) error = errno;
        if (error == 0 && made % 100 == 0 && ::fsync(root.get()) != 0) error = errno;
    }
    CHECK(error == ENOSPC);
    REQUIRE(::unlink(ballast.c_str()) == 0);
    REQUIRE(::mkdir(mount.path("after").c_str(), 0700) == 0);
    REQUIRE(::fsync(root.get()) == 0);
    mount.kill();
    REQUIRE(mount.start());
    CHECK(path_exists(mount.path("after")));
    std::size_t seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(mount.path())) {
        seen += entry.is_directory() ? 1 : 0;
    }
    CHECK(seen == static_cast<std::size_t>(made));
    CHECK(mount.stop() == 0);
}
