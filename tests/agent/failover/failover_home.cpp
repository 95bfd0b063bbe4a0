#include "tests/agent/failover/failover_home.h"

#include "agent/attach/attach.h"
#include "agent/backup/backup.h"
#include "agent/config/systems.h"
#include "agent/failover/approval.h"
#include "agent/failover/holder.h"
#include "agent/host/room.h"
#include "agent/node/init.h"
#include "agent/process/proc_file.h"
#include "vault/base/file.h"

#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;
using namespace agent;

constexpr const char* letters_system = R"(name = "letters"
title = "Letters"
opening_keys = "{opening}"
[objectives]
data_age = "15m"
time_to_run = "30m"
[[source]]
name = "documents"
kind = "files"
path = "{source}"
[plan]
runtime = "sleeper"
hosts = []
[[check]]
name = "a letter is there"
kind = "command"
command = "look"
[[endpoint]]
name = "letters"
source = "documents"
port = 8099
[fence]
kind = "attested"
say = "Is the old server off?"
)";

constexpr const char* sleeper_runtime = R"(name = "sleeper"
kind = "command"
user = "nobody"
source = "documents"
start = ["/usr/bin/sleep", "infinity"]
ready = ["/usr/bin/true"]
stop_seconds = 5
[commands]
look = ["{check}", "-f", "{mount}/documents/letter.txt"]
)";

std::string with(std::string text, const std::string& word, const std::string& value) {
    const std::size_t at = text.find(word);
    return at == std::string::npos ? text : text.replace(at, word.size(), value);
}

void end_room(const std::string& folder) {
    (void)close_room(folder, 1);
    (void)detach(folder);
}

}  // namespace

bool can_run_systems() {
    const bool able = ::geteuid() == 0 && path_exists("/dev/fuse");
    if (!able) std::puts("skipped: rooms and mounts need root and /dev/fuse");
    return able;
}

FailoverHome::FailoverHome() : home_(Home::at(scratch_.path() + "/home")) {
    std::signal(SIGPIPE, SIG_IGN);
    ::setenv("HOLDFAST_PROGRAMS", HF_PROGRAMS, 1);
    ::chmod(scratch_.path().c_str(), 0755);
    InitSettings settings;
    settings.trust_name = "Camberwick Green";
    settings.passphrase = vault::Secret::copy_of(as_view("a passphrase"));
    settings.kit_memory_bytes = 8192;
    REQUIRE(init_node(home_, std::move(settings), system_clock(), vault::system_random()));
}

FailoverHome::~FailoverHome() {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(home_.mounts, ignored)) {
        end_room(entry.path().string());
    }
}

void FailoverHome::write(const std::string& path, const std::string& text) {
    REQUIRE(make_folders(path.substr(0, path.rfind('/')), 0755));
    REQUIRE(write_file_durably(path, as_view(text), 0644));
}

void FailoverHome::add_letters(const std::string& check_command, const std::string& opening_keys) {
    write(folder() + "/source/letter.txt", "Dear patient");
    const std::string system = with(letters_system, "{source}", folder() + "/source");
    write(home_.systems + "/letters.toml", with(system, "{opening}", opening_keys));
    write(home_.runtimes + "/sleeper.toml", with(sleeper_runtime, "{check}", check_command));
    snapshot("letters");
}

void FailoverHome::snapshot(const std::string& system) {
    const auto node = open_node(home_);
    REQUIRE(node);
    const auto settings = load_system(home_, system);
    INFO((settings ? "" : settings.error().message));
    REQUIRE(settings);
    const auto taken = take_snapshot(*node->vault, *settings, system_clock(), {});
    INFO((taken ? "" : taken.error().message));
    REQUIRE(taken);
}

TestPerson FailoverHome::add_person(const std::string& name, std::vector<vault::Role> roles) {
    const auto node = open_node(home_);
    REQUIRE(node);
    TestPerson person{name, vault::SigningKey::make(vault::system_random())};
    const auto made = agent::add_person(home_, node->vault->roster(), node->keys.office,
                                        {name, std::move(roles), person.key.public_key},
                                        system_clock(), vault::system_random());
    INFO((made ? "" : made.error().message));
    REQUIRE(made);
    return person;
}

Result<void> FailoverHome::approve(Engine& engine, std::int64_t id, const TestPerson& person,
                                   const std::string& attest) {
    const Run run = HF_TRY(engine.store().run(id));
    vault::Record record = HF_TRY(order_of(engine.store(), run));
    const Holder holder = HF_TRY(parse_holder(record));
    vault::sign(record, person.key);
    std::optional<Buffer> attested;
    if (!attest.empty()) {
        vault::Record words =
            attestation_record({holder_digest(record), "", attest, 1}, holder.host, holder.term);
        vault::sign(words, person.key);
        attested = vault::encode(words);
    }
    return engine.approve(id, vault::encode(record), attested);
}

std::unique_ptr<Engine> FailoverHome::engine() {
    auto made = Engine::open(home_, system_clock());
    INFO((made ? "" : made.error().message));
    REQUIRE(made);
    return std::move(*made);
}

std::string FailoverHome::remains() const {
    std::string out;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(home_.mounts, ignored)) {
        out += entry.path().string() + "\n";
    }
    const auto mounts = read_proc_file("/proc/self/mountinfo");
    if (mounts && mounts->find(folder()) != std::string::npos) out += "a mount\n";
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const auto command = read_proc_file(entry.path().string() + "/cmdline");
        if (command && command->find(folder()) != std::string::npos) {
            out += "process " + entry.path().filename().string() + "\n";
        }
        const auto root = fs::read_symlink(entry.path() / "root", ignored);
        if (root.string().find(folder()) != std::string::npos) out += "a room\n";
    }
    return out;
}

}  // namespace holdfast::test
