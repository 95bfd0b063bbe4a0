#include "agent/source/image/copy.h"

#include "agent/source/image/nbd_export.h"
#include "tests/agent/source/files/collecting_sink.h"
#include "tests/harness/scratch_folder.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

using namespace holdfast;
using namespace holdfast::agent::image;
using test::CollectingSink;
using test::random_bytes;
using test::run_program;
using test::ScratchFolder;

namespace {

const Progress go_on = [](std::uint64_t, std::uint64_t) { return true; };

/// nbdkit or qemu-nbd, which go to the background once they listen; ended with the object.
class Server {
public:
    Server(const ScratchFolder& scratch, std::vector<std::string> command)
        : pid_file_(scratch / "server.pid") {
        REQUIRE(run_program(command));
    }
    ~Server() { end(SIGTERM); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void end(int signal) {
        const auto text = read_file(pid_file_, 64);
        if (text) ::kill(std::stoi(std::string(as_text(*text))), signal);
        (void)::unlink(pid_file_.c_str());
    }

private:
    std::string pid_file_;
};

struct Disks {
    ScratchFolder scratch;
    std::string uri = "nbd+unix:///?socket=" + (scratch / "nbd");

    std::vector<std::string> nbdkit(std::vector<std::string> rest) const {
        std::vector<std::string> command{"nbdkit", "-r",           "-P", scratch / "server.pid",
                                         "-U",     scratch / "nbd"};
        command.insert(command.end(), rest.begin(), rest.end());
        return command;
    }

    /// Pieces of noise and holes: 'n' a piece of noise, 'z' one of written zeros, '.' a hole.
    std::string image(const std::string& name, const std::string& pattern,
                      std::size_t more_bytes = 0) const {
        const Fd fd(::open((scratch / name).c_str(), O_RDWR | O_CREAT | O_TRUNC, 0640));
        std::string content(pattern.size() * piece_bytes + more_bytes, '\0');
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            if (pattern[i] == 'n') {
                content.replace(i * piece_bytes, piece_bytes, random_bytes(piece_bytes, i + 1));
            }
            if (pattern[i] == '.') continue;
            REQUIRE(::pwrite(fd.get(), content.data() + i * piece_bytes, piece_bytes,
                             static_cast<off_t>(i * piece_bytes)) ==
                    static_cast<ssize_t>(piece_bytes));
        }
        REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(content.size())) == 0);
        return content;
    }

    ImageSettings local(const std::string& name) const {
        return {scratch / name, false, "disk.img", {}};
    }
    ImageSettings remote(const std::string& bitmap = {}) const {
        return {uri, true, "disk.img", bitmap};
    }
};

std::string content_of(const CollectingSink& sink) {
    return std::string(as_text(sink.at("disk.img").content));
}

}  // namespace

TEST_CASE("an image file comes in with its holes, and zeros become holes", "[source][image]") {
    Disks disks;
    const std::string content = disks.image("a", "nn..nzzn.z", 777);
    CollectingSink sink;
    const auto facts = copy_image(disks.local("a"), sink, go_on);
    REQUIRE(facts);
    CHECK(content_of(sink) == content);
    CHECK(sink.at("disk.img").shape == agent::Shape::Pages);
    CHECK(sink.at("disk.img").entry.mode == 0640);
    CHECK(sink.at("disk.img").hole_bytes == 6 * piece_bytes + 777);
    CHECK(facts->hole_bytes == 6 * piece_bytes + 777);
    CHECK(facts->bytes == content.size());
    CHECK_FALSE(facts->changed);
    CHECK(sink.warnings.empty());
}

TEST_CASE("holes that begin and end within pieces leave all bytes right", "[source][image]") {
    Disks disks;
    const std::string path = disks.scratch / "a";
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT, 0600));
    std::string content(1'000'000, '\0');
    for (const std::size_t at : {4'096U, 73'728U, 200'704U, 204'800U, 655'360U, 999'424U}) {
        const std::string noise = random_bytes(std::min<std::size_t>(4'096, 1'000'000 - at), at);
        content.replace(at, noise.size(), noise);
        REQUIRE(::pwrite(fd.get(), noise.data(), noise.size(), static_cast<off_t>(at)) ==
                static_cast<ssize_t>(noise.size()));
    }
    REQUIRE(::ftruncate(fd.get(), 1'000'000) == 0);
    CollectingSink sink;
    REQUIRE(copy_image(disks.local("a"), sink, go_on));
    CHECK(content_of(sink) == content);
    CHECK(sink.at("disk.img").hole_bytes == 11 * piece_bytes);
}

TEST_CASE("an image file that is as before is not read", "[source][image]") {
    Disks disks;
    const std::string content = disks.image("a", "nn.n");
    CollectingSink first;
    REQUIRE(copy_image(disks.local("a"), first, go_on));
    CollectingSink second;
    second.before = &first;
    const auto facts = copy_image(disks.local("a"), second, go_on);
    REQUIRE(facts);
    CHECK(facts->read_bytes == 0);
    CHECK(facts->unchanged_bytes == content.size());
    CHECK(content_of(second) == content);
}

TEST_CASE("an image file that is written to meanwhile is a warning", "[source][image]") {
    Disks disks;
    disks.image("a", "nnnn");
    CollectingSink sink;
    sink.on_write = [&] {
        const Fd fd(::open((disks.scratch / "a").c_str(), O_WRONLY | O_APPEND));
        REQUIRE(::write(fd.get(), "x", 1) == 1);
    };
    const auto facts = copy_image(disks.local("a"), sink, go_on);
    REQUIRE(facts);
    CHECK(facts->changed);
    CHECK(sink.warned_of("disk.img"));
}

TEST_CASE("an export comes in as the file behind it", "[source][image][nbd]") {
    Disks disks;
    const std::string content = disks.image("a", std::string(40, 'n') + "..nzz." + "nnn", 512);
    const Server server(disks.scratch, disks.nbdkit({"file", disks.scratch / "a"}));
    CollectingSink sink;
    const auto facts = copy_image(disks.remote(), sink, go_on);
    INFO((facts ? "" : facts.error().message));
    REQUIRE(facts);
    CHECK(content_of(sink) == content);
    CHECK(sink.at("disk.img").hole_bytes == 5 * piece_bytes + 512);
    CHECK(facts->read_bytes <= 46 * piece_bytes);
    CHECK(facts->read_bytes >= 44 * piece_bytes);
}

TEST_CASE("an export of a server that knows no extents is read whole", "[source][image][nbd]") {
    Disks disks;
    const std::string content = disks.image("a", "n..nz");
    const Server server(disks.scratch, disks.nbdkit({"--filter=noextents", "--filter=nozero",
                                                     "file", disks.scratch / "a"}));
    CollectingSink sink;
    const auto facts = copy_image(disks.remote(), sink, go_on);
    REQUIRE(facts);
    CHECK(content_of(sink) == content);
    CHECK(facts->read_bytes == content.size());
    CHECK(facts->hole_bytes == 3 * piece_bytes);
}

TEST_CASE("what a dirty bitmap calls clean is not read", "[source][image][nbd]") {
    Disks disks;
    const std::string disk = disks.scratch / "d.qcow2";
    const auto write = [&](const std::string& command) {
        REQUIRE(run_program({"qemu-io", "-c", command, disk}));
    };
    const auto serve = [&](std::vector<std::string> more) {
        std::vector<std::string> command{"qemu-nbd",
                                         "-r",
                                         "-t",
                                         "--fork",
                                         "-k",
                                         disks.scratch / "nbd",
                                         "--pid-file=" + (disks.scratch / "server.pid")};
        command.insert(command.end(), more.begin(), more.end());
        command.push_back(disk);
        return command;
    };
    REQUIRE(run_program({"qemu-img", "create", "-q", "-f", "qcow2", disk, "8M"}));
    write("write -P 17 0 5M");
    CollectingSink first;
    {
        const Server server(disks.scratch, serve({}));
        REQUIRE(copy_image(disks.remote(), first, go_on));
    }
    REQUIRE(run_program({"qemu-img", "bitmap", "--add", disk, "b0"}));
    write("write -P 34 1M 100k");
    write("write -P 51 6M 4k");
    write("write -z 3M 1M");
    CollectingSink whole;
    {
        const Server server(disks.scratch, serve({}));
        REQUIRE(copy_image(disks.remote(), whole, go_on));
        const auto refused = copy_image(disks.remote("b1"), whole, go_on);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::Invalid);
        CHECK_THAT(refused.error().message, Catch::Contains("does not export the dirty bitmap"));
    }
    CollectingSink second;
    second.before = &first;
    {
        const Server server(disks.scratch, serve({"-B", "b0"}));
        const auto facts = copy_image(disks.remote("b0"), second, go_on);
        INFO((facts ? "" : facts.error().message));
        REQUIRE(facts);
        CHECK(facts->read_bytes == 3 * piece_bytes);
        CHECK(facts->unchanged_bytes > 3'500'000);
    }
    CHECK(content_of(second) == content_of(whole));
}

TEST_CASE("a server that fails or is silent is told, and leaves nothing", "[source][image][nbd]") {
    Disks disks;
    disks.image("a", std::string(500, 'n'));
    SECTION("it fails at a read") {
        const Server server(
            disks.scratch, disks.nbdkit({"--filter=error", "file", disks.scratch / "a", "error=EIO",
                                         "error-pread-rate=100%"}));
        CollectingSink sink;
        const auto facts = copy_image(disks.remote(), sink, go_on);
        REQUIRE_FALSE(facts);
        CHECK(facts.error().code == Errc::Io);
        CHECK_THAT(facts.error().message, Catch::Contains("read byte 0 of nbd+unix://"));
        CHECK(sink.find("disk.img") == nullptr);
    }
    SECTION("it goes away") {
        Server server(disks.scratch, disks.nbdkit({"file", disks.scratch / "a"}));
        CollectingSink sink;
        sink.on_write = [&] { server.end(SIGKILL); };
        const auto facts = copy_image(disks.remote(), sink, go_on);
        REQUIRE_FALSE(facts);
        CHECK(sink.find("disk.img") == nullptr);
        CollectingSink again;
        const auto refused = copy_image(disks.remote(), again, go_on);
        REQUIRE_FALSE(refused);
        INFO(refused.error().message);
        CHECK(refused.error().code == Errc::Unreachable);
    }
    SECTION("it says nothing") {
        const Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (disks.scratch / "nbd").copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                0);
        REQUIRE(::listen(socket.get(), 1) == 0);
        const auto disk = NbdExport::open(disks.uri, "", 200);
        REQUIRE_FALSE(disk);
        CHECK(disk.error().code == Errc::Unreachable);
        CHECK_THAT(disk.error().message, Catch::Contains("the server was silent"));
    }
}

TEST_CASE("what is no disk is refused", "[source][image]") {
    Disks disks;
    CollectingSink sink;
    disks.scratch.folder("folder");
    REQUIRE(run_program({"mkfifo", disks.scratch / "pipe"}));
    CHECK(copy_image(disks.local("folder"), sink, go_on).error().code == Errc::Invalid);
    CollectingSink second;
    CHECK(copy_image(disks.local("pipe"), second, go_on).error().code == Errc::Invalid);
    CollectingSink third;
    CHECK(copy_image(disks.local("nothing"), third, go_on).error().code == Errc::NotFound);
    disks.image("a", "n");
    ImageSettings with_bitmap = disks.local("a");
    with_bitmap.bitmap = "b0";
    CollectingSink fourth;
    CHECK(copy_image(with_bitmap, fourth, go_on).error().code == Errc::Invalid);
}

TEST_CASE("an image copy stops when told to", "[source][image]") {
    Disks disks;
    disks.image("a", "nnnnnnnn");
    CollectingSink sink;
    const auto facts =
        copy_image(disks.local("a"), sink, [](std::uint64_t, std::uint64_t) { return false; });
    REQUIRE_FALSE(facts);
    CHECK(facts.error().code == Errc::Interrupted);
    CHECK(sink.find("disk.img") == nullptr);
}
