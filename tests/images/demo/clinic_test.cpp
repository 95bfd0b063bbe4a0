#include "tests/images/demo/clinic.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace holdfast::test {
namespace {

std::string new_folder() {
    std::string path = "/tmp/holdfast-demo-test-XXXXXX";
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    return path;
}

std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

void redirect(int fd, const std::string& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::dup2(file, fd) < 0) std::_Exit(126);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments) : folder_(new_folder()) {
    std::vector<std::string> words{HF_DEMO_EPR};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        redirect(STDOUT_FILENO, folder_ + "/out");
        redirect(STDERR_FILENO, folder_ + "/err");
        ::execv(argv[0], argv.data());
        std::_Exit(127);
    }
    REQUIRE(pid_ > 0);
}

Program::~Program() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
}

void Program::terminate() const {
    ::kill(pid_, SIGTERM);
}

Outcome Program::wait() {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(folder_ + "/out"),
            text_of(folder_ + "/err")};
}

Outcome run(const std::vector<std::string>& arguments) {
    return Program(arguments).wait();
}

PostgresServer& server() {
    static PostgresServer one = [] {
        auto made = PostgresServer::create({});
        INFO((made ? "" : made.error().message));
        REQUIRE(made);
        return *std::move(made);
    }();
    return one;
}

Clinic::Clinic(std::uint64_t seed, std::uint64_t megabytes)
    : folder_(new_folder()), seed_(std::to_string(seed)), megabytes_(std::to_string(megabytes)) {
    static int number = 0;
    name_ = "clinic" + std::to_string(++number);
    REQUIRE(server().sql("CREATE DATABASE " + name_));
    database = server().conninfo(name_);
    documents = folder_ + "/documents";
    log = folder_ + "/acknowledged.log";
    loaded = run({"load", "--seed", seed_, "--megabytes", megabytes_, "--database", database,
                  "--documents", documents});
    INFO(loaded.err);
    REQUIRE(loaded.exit == 0);
}

Clinic::~Clinic() {
    std::filesystem::remove_all(folder_);
    (void)server().sql("DROP DATABASE " + name_ + " WITH (FORCE)");
}

std::vector<std::string> Clinic::write_arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"write",       "--seed",  seed_,   "--database", database,
                                 "--documents", documents, "--log", log};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

Outcome Clinic::write(std::uint64_t count) const {
    return run(write_arguments({"--rate", "0", "--count", std::to_string(count)}));
}

Outcome Clinic::prove() const {
    return run({"prove", "--seed", seed_, "--megabytes", megabytes_, "--database", database,
                "--documents", documents, "--json"});
}

Outcome Clinic::lost(std::uint64_t n) const {
    return run({"lost", "--log", log, "--n", std::to_string(n), "--json"});
}

void Clinic::sql(const std::string& text) const {
    const auto done = server().sql(text, name_);
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
}

std::string Clinic::ask_sql(const std::string& text) const {
    const auto rows = server().sql(text, name_);
    INFO((rows ? "" : rows.error().message));
    REQUIRE(rows);
    REQUIRE(!rows->empty());
    return rows->front().front();
}

}  // namespace holdfast::test
