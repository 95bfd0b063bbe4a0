// FailoverHome: a node with one system, its snapshot and a runtime, for tests of runs.
#pragma once

#include "agent/failover/engine.h"
#include "agent/node/node.h"
#include "agent/people/people_book.h"
#include "tests/harness/scratch_folder.h"

#include <optional>
#include <string>

namespace holdfast::test {

constexpr int run_ms_max = 240'000;  // A failover takes seconds; patience for a slow machine.

/// True if this process may make namespaces and mounts; else the reason is printed.
bool can_run_systems();

struct TestPerson {
    std::string name;
    vault::SigningKey key;
};

class FailoverHome {
public:
    FailoverHome();
    /// Whatever a failed test left running is ended.
    ~FailoverHome();
    FailoverHome(const FailoverHome&) = delete;
    FailoverHome& operator=(const FailoverHome&) = delete;

    /// The system "letters": a folder, and a runtime that sleeps over it; takes its snapshot.
    void add_letters(const std::string& check_command = "/usr/bin/test",
                     const std::string& opening_keys = "node");
    void write(const std::string& path, const std::string& text);
    /// Takes a snapshot of the system now.
    void snapshot(const std::string& system);

    TestPerson add_person(const std::string& name, std::vector<vault::Role> roles);
    /// Signs the run's order as the command line does.
    Result<void> approve(agent::Engine& engine, std::int64_t run, const TestPerson& person,
                         const std::string& attest);

    std::unique_ptr<agent::Engine> engine();

    const agent::Home& home() const { return home_; }
    const std::string& folder() const { return scratch_.path(); }
    /// What of a run is still there: folders, mounts, processes. Empty: nothing.
    std::string remains() const;

private:
    ScratchFolder scratch_;
    agent::Home home_;
};

}  // namespace holdfast::test
