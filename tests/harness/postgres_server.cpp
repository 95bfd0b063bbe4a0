#include "tests/harness/postgres_server.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fs = std::filesystem;

namespace holdfast::test {

namespace {

constexpr const char* server_user = "postgres";

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void put(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    give_to_server_user(path);
}

std::string quoted(const std::string& word) {
    std::string out = "'";
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// Runs to the end with output in `output`; answers the exit status, -1 if it could not start.
int run(std::vector<std::string> words, const std::string& output) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_TRUNC | O_CREAT,
                                       0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t pid = 0;
    const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (failed != 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

}  // namespace

ServerFolder::ServerFolder() {
    std::string name = "/tmp/hf-pg-XXXXXX";
    HF_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    fs::permissions(path_, fs::perms(0755));
    give_to_server_user(path_);
}

ServerFolder::~ServerFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

PostgresClient::PostgresClient(pg_conn* conn) : conn_(conn, PQfinish) {}

Result<PostgresClient> PostgresClient::open(const std::string& conninfo) {
    PostgresClient client(PQconnectdb(conninfo.c_str()));
    if (PQstatus(client.conn_.get()) != CONNECTION_OK) {
        return Error{Errc::Unreachable, PQerrorMessage(client.conn_.get())};
    }
    PQsetNoticeProcessor(
        client.conn_.get(), [](void*, const char*) {}, nullptr);
    return client;
}

Result<Rows> PostgresClient::sql(const std::string& text) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(conn_.get(), text.c_str()),
                                                                PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        return Error{Errc::Io, PQerrorMessage(conn_.get())};
    }
    Rows rows(static_cast<std::size_t>(PQntuples(result.get())));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < PQnfields(result.get()); ++column) {
            rows[row].emplace_back(PQgetvalue(result.get(), static_cast<int>(row), column));
        }
    }
    return rows;
}

Result<PostgresServer> PostgresServer::create(const PostgresOptions& options) {
    PostgresServer server;
    server.data_dir_ = server.folder_.path() + "/data";
    server.socket_dir_ = server.folder_.path();
    server.port_ = free_port();
    std::vector<std::string> init{postgres_bin_dir() + "/initdb",
                                  "-D",
                                  server.data_dir_,
                                  "-A",
                                  "trust",
                                  "-U",
                                  "postgres",
                                  "-E",
                                  "UTF8",
                                  "--no-sync",
                                  "--locale=C.UTF-8"};
    if (options.checksums) init.push_back("-k");
    HF_TRY(run_as_server_user(init));
    std::string config =
        "listen_addresses = '127.0.0.1'\nfsync = off\nport = " + std::to_string(server.port_) +
        "\nunix_socket_directories = '" + server.socket_dir_ + "'\n";
    for (const std::string& line : options.settings) config += line + "\n";
    std::string rules;
    for (const std::string& line : options.access_rules) rules += line + "\n";
    put(server.data_dir_ + "/postgresql.conf", config);
    put(server.data_dir_ + "/pg_hba.conf", rules + "local all postgres trust\n");
    HF_TRY(server.start());
    return server;
}

Result<PostgresServer> PostgresServer::adopt(const std::string& data_dir, std::uint16_t port,
                                             const std::string& socket_dir,
                                             const std::vector<std::string>& arguments) {
    PostgresServer server;
    server.data_dir_ = data_dir;
    server.socket_dir_ = socket_dir;
    server.port_ = port;
    for (std::size_t i = 2; i < arguments.size(); ++i) {
        server.start_options_ += " " + quoted(arguments[i]);
    }
    server.start_options_ += " -c fsync=off";  // Saves seconds a start; no test cuts the power.
    give_to_server_user(data_dir);
    HF_TRY(server.start());
    return server;
}

PostgresServer::~PostgresServer() {
    if (running_ && !folder_.path().empty()) static_cast<void>(stop("immediate"));
}

std::string PostgresServer::conninfo(const std::string& database) const {
    return "host=" + socket_dir_ + " port=" + std::to_string(port_) +
           " user=postgres connect_timeout=10 dbname=" + database;
}

Result<PostgresClient> PostgresServer::client(const std::string& database) const {
    return PostgresClient::open(conninfo(database));
}

Result<Rows> PostgresServer::sql(const std::string& text, const std::string& database) const {
    PostgresClient session = HF_TRY(client(database));
    return session.sql(text);
}

Result<void> PostgresServer::start() {
    const auto started =
        run_as_server_user({postgres_bin_dir() + "/pg_ctl", "start", "-w", "-t", "120", "-D",
                            data_dir_, "-l", folder_.path() + "/server.log", "-o", start_options_});
    if (!started) return Error(started.error()).within(log());
    running_ = true;
    // pg_ctl is content with a server in recovery that lets nobody in.
    const auto over = [&] { return client() || !is_running(); };
    if (eventually(over, 120'000) && is_running()) return {};
    return Error{Errc::Io, "the server does not let anybody in: " + log()};
}

bool PostgresServer::is_running() const {
    return static_cast<bool>(
        run_as_server_user({postgres_bin_dir() + "/pg_ctl", "status", "-D", data_dir_}));
}

Result<void> PostgresServer::stop(const std::string& mode) {
    HF_TRY(run_as_server_user(
        {postgres_bin_dir() + "/pg_ctl", "stop", "-w", "-D", data_dir_, "-m", mode}));
    running_ = false;
    return {};
}

std::string PostgresServer::log() const {
    return slurp(folder_.path() + "/server.log");
}

std::string postgres_bin_dir() {
    for (int major = 17; major >= 13; --major) {
        const std::string path = "/usr/lib/postgresql/" + std::to_string(major) + "/bin";
        if (path_exists(path + "/initdb")) return path;
    }
    return {};
}

Result<std::string> run_as_server_user(const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    if (::geteuid() == 0) {
        words = {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"};
    }
    words.insert(words.end(), arguments.begin(), arguments.end());
    const ServerFolder folder;
    const int status = run(words, folder.path() + "/output");
    const std::string output = slurp(folder.path() + "/output");
    if (status != 0) return Error{Errc::Io, arguments[0] + " failed: " + output};
    return output;
}

void give_to_server_user(const std::string& path) {
    const passwd* user = ::geteuid() == 0 ? ::getpwnam(server_user) : nullptr;
    if (user == nullptr) return;
    const auto give = [&](const std::string& one) {
        HF_ASSERT(::lchown(one.c_str(), user->pw_uid, user->pw_gid) == 0);
    };
    give(path);
    if (!fs::is_directory(fs::symlink_status(path))) return;
    for (const auto& entry : fs::recursive_directory_iterator(path)) give(entry.path().string());
}

std::uint16_t free_port() {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    HF_ASSERT(::bind(socket.get(), plain, length) == 0);
    HF_ASSERT(::getsockname(socket.get(), plain, &length) == 0);
    return ntohs(address.sin_port);
}

bool eventually(const std::function<bool()>& condition, int timeout_ms) {
    const std::int64_t deadline = system_clock().steady_ns() + std::int64_t{timeout_ms} * 1'000'000;
    while (!condition()) {
        if (system_clock().steady_ns() > deadline) return false;
        ::poll(nullptr, 0, 20);
    }
    return true;
}

}  // namespace holdfast::test
