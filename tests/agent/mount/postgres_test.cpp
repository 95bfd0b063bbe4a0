// PostgreSQL 15 over a mount: what it acknowledged survives the mount process.
#include "tests/agent/mount/mounted.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace holdfast;
using namespace holdfast::agent;

namespace {

const std::string bin = "/usr/lib/postgresql/15/bin/";

/// Runs a shell command as the user postgres. Answers its exit status and output.
std::pair<int, std::string> as_postgres(const std::string& command) {
    const std::string line =
        "cd / && setpriv --reuid postgres --regid postgres --clear-groups "
        "sh -c '" +
        command + "' 2>&1 </dev/null";
    FILE* pipe = ::popen(line.c_str(), "r");
    HF_ASSERT(pipe != nullptr);
    std::string out;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
    const int status = ::pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out};
}

bool can_run_postgres() {
    const bool able = can_mount() && path_exists(bin + "postgres");
    if (!able) std::puts("skipped: needs PostgreSQL 15");
    return able;
}

/// A cluster in a folder; reached by a socket beside it.
class Cluster {
public:
    Cluster(std::string scratch, std::string data)
        : scratch_(std::move(scratch)), data_(std::move(data)) {}
    ~Cluster() { stop(); }
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    std::string make() { return as_postgres(bin + "initdb -N -A trust -D " + data_).second; }
    std::string start() {
        // pg_ctl's output goes to a file: the server would keep a pipe open.
        const auto [status, out] = as_postgres(
            bin + "pg_ctl start -w -t 60 -D " + data_ + " -l " + scratch_ + "/pg.log -o \"" +
            "-c listen_addresses= -c unix_socket_directories=" + scratch_ +
            " -c fsync=on -c shared_buffers=16MB\" >" + scratch_ + "/ctl.log");
        running_ = status == 0;
        return running_ ? "" : out + log();
    }
    void stop() {
        if (!running_) return;
        as_postgres(bin + "pg_ctl stop -m immediate -w -D " + data_ + " >/dev/null");
        running_ = false;
    }
    /// After the mount under it is gone, pg_ctl cannot find the server: its pid is known.
    void kill_orphan(pid_t postmaster) {
        const Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, postmaster, 0)));
        HF_ASSERT(watched);
        ::kill(postmaster, SIGQUIT);
        pollfd ended{watched.get(), POLLIN, 0};
        HF_ASSERT(::poll(&ended, 1, 60'000) == 1);
        running_ = false;
    }
    pid_t postmaster() const {
        std::ifstream in(data_ + "/postmaster.pid");
        pid_t pid = 0;
        in >> pid;
        return pid;
    }
    std::string sql(const std::string& text) {
        return as_postgres(bin + "psql -X -A -t -q -h " + scratch_ + " -d postgres -c \"" + text +
                           "\"")
            .second;
    }
    std::string run(const std::string& program) {
        return as_postgres(bin + program + " -h " + scratch_ + " postgres").second;
    }
    std::string log() const {
        const auto text = read_file(scratch_ + "/pg.log", 4 << 20);
        return text ? std::string(as_text(*text)) : std::string();
    }

private:
    std::string scratch_;
    std::string data_;
    bool running_ = false;
};

/// A psql that inserts numbers one by one and prints each that was committed.
class Writer {
public:
    Writer(const std::string& socket, int first) {
        std::array<int, 2> pipe{};
        HF_ASSERT(::pipe2(pipe.data(), O_CLOEXEC) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(pipe[1], STDOUT_FILENO);
            const std::string script =
                "i=" + std::to_string(first) +
                "; while :; do echo \"insert into t values ($i, "
                "repeat(md5($i::text), 50)) returning id;\"; i=$((i+1)); done | " +
                bin + "psql -X -A -t -q -h " + socket + " -d postgres 2>/dev/null";
            ::execlp("setpriv", "setpriv", "--reuid", "postgres", "--regid", "postgres",
                     "--clear-groups", "sh", "-c", script.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(pipe[1]);
        from_ = ::fdopen(pipe[0], "r");
    }
    ~Writer() {
        std::fclose(from_);
        ::waitpid(pid_, nullptr, 0);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Reads acknowledgements: `count` of them, or all until the writer ends if that is 0.
    void read(std::size_t count, std::set<int>& acknowledged) {
        int id = 0;
        for (std::size_t n = 0; count == 0 || n < count; ++n) {
            if (std::fscanf(from_, "%d", &id) != 1) return;
            acknowledged.insert(id);
        }
    }

private:
    pid_t pid_ = -1;
    FILE* from_ = nullptr;
};

struct Setting {
    ScratchFolder scratch;
    Mounted mount{scratch.path()};

    Setting() {
        const std::string lower = scratch.path() + "/lower";
        std::filesystem::permissions(scratch.path(), std::filesystem::perms(0777));
        HF_ASSERT(
            ::system(("chown postgres:postgres " + lower + " && chmod 700 " + lower).c_str()) == 0);
        Cluster cluster(scratch.path(), lower);
        INFO(cluster.make());
        REQUIRE(path_exists(lower + "/PG_VERSION"));
    }
    std::string data() const { return scratch.path() + "/mnt"; }
};

}  // namespace

TEST_CASE("every commit that PostgreSQL acknowledged outlives a killed mount", "[mount]") {
    if (!can_run_postgres()) return;
    Setting setting;
    setting.mount.options = {"flush_ms=1000"};
    std::set<int> acknowledged;
    for (int round = 0; round < 4; ++round) {
        INFO("round " << round);
        REQUIRE(setting.mount.start());
        // Its server has ended, but init may not have collected it yet, and pg_ctl would wait.
        std::filesystem::remove(setting.data() + "/postmaster.pid");
        Cluster cluster(setting.scratch.path(), setting.data());
        REQUIRE(cluster.start() == "");
        if (round == 0) cluster.sql("create table t (id int primary key, body text)");
        std::istringstream rows(cluster.sql("select id from t"));
        std::set<int> present;
        for (int id = 0; rows >> id;) present.insert(id);
        for (const int id : acknowledged) REQUIRE(present.contains(id));
        CHECK(cluster.sql("select count(*) from t where body <> repeat(md5(id::text), 50)") ==
              "0\n");
        Writer writer(setting.scratch.path(), round * 1'000'000);
        writer.read(150, acknowledged);
        if (round == 2) cluster.sql("checkpoint");
        writer.read(50, acknowledged);
        const pid_t postmaster = cluster.postmaster();
        setting.mount.kill();
        cluster.kill_orphan(postmaster);
        writer.read(0, acknowledged);
    }
    CHECK(acknowledged.size() >= 800);
    REQUIRE(setting.mount.start());
    std::filesystem::remove(setting.data() + "/postmaster.pid");
    Cluster cluster(setting.scratch.path(), setting.data());
    REQUIRE(cluster.start() == "");
    CHECK(std::stoul(cluster.sql("select count(*) from t")) >= acknowledged.size());
    cluster.sql("create extension amcheck");
    CHECK(cluster.sql("select count(bt_index_check(indexrelid, true)) from pg_index, pg_class "
                      "where pg_class.oid = indrelid and relnamespace = 2200") == "1\n");
}

TEST_CASE("PostgreSQL's speed over a mount, beside a plain folder", "[.measure]") {
    if (!can_run_postgres()) return;
    Setting setting;
    const auto tps = [&](const std::string& data) {
        Cluster cluster(setting.scratch.path(), data);
        REQUIRE(cluster.start() == "");
        cluster.run("pgbench -i -q -s 10");
        for (const char* options : {"-T 5 -c 4 -j 2", "-T 5 -c 1", "-T 5 -c 4 -j 2 -S"}) {
            const std::string out = cluster.run(std::string("pgbench -n ") + options);
            std::printf("%s %s %s\n", data.c_str(), options,
                        out.substr(out.find("tps = "), 20).c_str());
        }
        cluster.stop();
    };
    REQUIRE(setting.mount.start());
    tps(setting.data());
    CHECK(setting.mount.stop() == 0);
    tps(setting.scratch.path() + "/lower");
}

TEST_CASE("reading in order over a mount, beside a plain folder", "[.measure]") {
    if (!can_mount()) return;
    const ScratchFolder scratch;
    const std::string lower = scratch.path() + "/lower/file";
    constexpr int megabytes = 1024;
    {
        std::ofstream out(lower, std::ios::binary);
        const std::string text(1 << 20, 'm');
        for (int i = 0; i < megabytes; ++i) out << text;
    }
    Mounted mount(scratch.path());
    REQUIRE(mount.start());
    std::string buffer(1 << 20, '\0');
    const auto read_all = [&](const std::string& path) {
        const auto start = std::chrono::steady_clock::now();
        const Fd fd(::open(path.c_str(), O_RDONLY));
        while (::read(fd.get(), buffer.data(), buffer.size()) > 0) continue;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        std::printf("%s: %.0f MB/s\n", path.c_str(), megabytes / took.count());
    };
    for (int round = 0; round < 3; ++round) {
        read_all(lower);
        const Fd fd(::open(mount.path("file").c_str(), O_RDONLY));
        ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
        read_all(mount.path("file"));
    }
    const auto write_all_of = [&](const std::string& path, std::size_t step) {
        const auto start = std::chrono::steady_clock::now();
        const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
        for (std::size_t at = 0; at < 256U << 20; at += step) {
            REQUIRE(::write(fd.get(), buffer.data(), step) == static_cast<ssize_t>(step));
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        std::printf("write by %zu to %s: %.0f MB/s\n", step, path.c_str(), 256 / took.count());
    };
    for (const std::size_t step : {8192U, 1U << 20}) {
        write_all_of(scratch.path() + "/lower/new", step);
        write_all_of(mount.path("new"), step);
    }
}
