// Clinic: a loaded example clinical system for one test: a database of the shared server, a
// documents folder and a writer's log; and the program itself, run as its user would.
#pragma once

#include "tests/harness/postgres_server.h"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::test {

struct Outcome {
    int exit = -1;  // -1: a signal ended it.
    std::string out;
    std::string err;
};

/// holdfast-demo-epr, started; its output goes to files in a folder of its own.
class Program {
public:
    explicit Program(const std::vector<std::string>& arguments);
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program();

    void terminate() const;
    Outcome wait();

private:
    std::string folder_;
    pid_t pid_ = -1;
};

Outcome run(const std::vector<std::string>& arguments);

/// One server for all tests of this binary.
PostgresServer& server();

class Clinic {
public:
    /// Loads `megabytes` of `seed`.
    explicit Clinic(std::uint64_t seed = 42, std::uint64_t megabytes = 2);
    Clinic(const Clinic&) = delete;
    Clinic& operator=(const Clinic&) = delete;
    ~Clinic();

    std::vector<std::string> write_arguments(const std::vector<std::string>& more) const;
    Outcome write(std::uint64_t count) const;
    Outcome prove() const;
    Outcome lost(std::uint64_t n) const;
    void sql(const std::string& text) const;
    /// The first field of the answer.
    std::string ask_sql(const std::string& text) const;
    std::uint64_t last() const { return std::stoull(ask_sql("SELECT last FROM ledger")); }

    std::string database;   // The conninfo.
    std::string documents;  // The folder.
    std::string log;
    Outcome loaded;

private:
    std::string name_;
    std::string folder_;
    std::string seed_;
    std::string megabytes_;
};

}  // namespace holdfast::test
