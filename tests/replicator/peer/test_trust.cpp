#include "tests/replicator/peer/test_trust.h"

#include "vault/base/file.h"
#include "vault/keys/key_file.h"
#include "vault/snapshot/tree_reader.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace holdfast::replicator::test {
namespace {

using vault::system_random;

vault::SigningKey same(const vault::SigningKey& key) {
    return vault::SigningKey::from_seed(key.seed.clone());
}

}  // namespace

std::uint16_t free_port() {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket.get(), generic, size) == 0);
    REQUIRE(::getsockname(socket.get(), generic, &size) == 0);
    return ntohs(address.sin_port);
}

bool eventually(const std::function<bool()>& holds) {
    const std::int64_t deadline = system_clock().steady_ns() + patience_ms * 1'000'000LL;
    while (!holds()) {
        if (system_clock().steady_ns() > deadline) return false;
        ::poll(nullptr, 0, 10);
    }
    return true;
}

RunningReplicator::RunningReplicator(const ReplicatorSettings& settings)
    : loop_(must(Loop::make())),
      replicator_(must(Replicator::make(*loop_, settings, system_clock()))) {
    thread_ = std::thread([this] {
        loop_->run();
        replicator_.reset();
    });
}

RunningReplicator::~RunningReplicator() {
    loop_->post([this] { loop_->stop(); });
    thread_.join();
}

ReplicatorProgram::ReplicatorProgram(const ReplicatorSettings& s, const std::string& fault)
    : log_(s.state + "/program.log") {
    const std::vector<std::string> words{
        HF_REPLICATOR, "--vault",  s.vault,  "--tenants", s.tenants, "--state",     s.state,
        "--keys",      s.keys,     "--run",  s.run,       "--trust", s.trust.hex(), "--name",
        s.name,        "--listen", s.listen, "--address", s.address};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::vector<std::string> lines;
    for (char** line = environ; *line != nullptr; ++line) lines.emplace_back(*line);
    if (!fault.empty()) lines.push_back("HOLDFAST_FAULT=" + fault);
    std::vector<char*> environment;
    for (std::string& line : lines) environment.push_back(line.data());
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int failed = ::posix_spawn(&pid_, HF_REPLICATOR, &actions, nullptr, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(failed == 0);
    const auto ready = [&] {
        const auto text = read_file(log_, 1 << 20);
        return ended() || stopped() ||
               (text && as_text(*text).find("ready") != std::string_view::npos);
    };
    REQUIRE(eventually(ready));
}

ReplicatorProgram::~ReplicatorProgram() {
    if (pid_ > 0) stop();
}

bool ReplicatorProgram::ended() {
    int status = 0;
    if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
    return pid_ < 0;
}

bool ReplicatorProgram::stopped() {
    int status = 0;
    if (!stopped_ && pid_ > 0 && ::waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_) {
        stopped_ = WIFSTOPPED(status);
        if (!stopped_) pid_ = -1;
    }
    return stopped_;
}

void ReplicatorProgram::go_on() {
    ::kill(pid_, SIGCONT);
    stopped_ = false;
}

std::string ReplicatorProgram::stop() {
    if (pid_ > 0) {
        // Not SIGCONT once it may be ending: LeakSanitizer stops it then, and would wait for ever.
        ::kill(pid_, SIGCONT);  // A fault point may have stopped it,
        ::kill(pid_, SIGTERM);
        int status = 0;
        while (::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status)) {
            ::kill(pid_, SIGCONT);  // or does so now.
        }
        pid_ = -1;
    }
    const auto text = read_file(log_, 1 << 20);
    return text ? std::string(as_text(*text)) : std::string();
}

TestTrust::TestTrust(const std::string& name)
    : trust_(vault::SigningKey::make(system_random())),
      officer_(vault::SigningKey::make(system_random())),
      ledger_(vault::SigningKey::make(system_random())),
      link_(vault::SigningKey::make(system_random())),
      box_(vault::BoxKey::make(system_random())),
      recovery_(vault::BoxKey::make(system_random())) {
    tls_ = must(TlsIdentity::make(name));
    roster_.trust = vault::trust_id(trust_.public_key);
    roster_.name = name;
    roster_.time = 1;
    roster_.trust_key = trust_.public_key;
    roster_.recovery_key = recovery_.public_key;
    roster_.nodes.push_back({"node-1", vault::NodeState::Active, ledger_.public_key,
                             box_.public_key, link_.public_key, Digest{tls_->key_hash().digest}});
    roster_.officers.push_back({"office", officer_.public_key});
    const Buffer object = must(vault::sign_roster(roster_, trust_));
    roster_ = must(vault::parse_roster(object));
    const std::uint16_t port = free_port();
    settings_ = {folder_ / "vault",
                 folder_ / "tenants",
                 folder_ / "state",
                 folder_ / "keys",
                 folder_ / "run",
                 roster_.trust,
                 "node-1",
                 "127.0.0.1:" + std::to_string(port),
                 "127.0.0.1:" + std::to_string(port),
                 0};
    must(vault::make_vault({settings_.vault, settings_.state, settings_.keys}, object));
    must(make_folders(settings_.keys));
    must(make_folders(settings_.state));
    const vault::Secret key = vault::Secret::copy_of(tls_->key_pem());
    const vault::Secret certificate = vault::Secret::copy_of(tls_->certificate_pem());
    must(vault::write_key_file(settings_.keys + "/link.key", {&link_.seed, &key, &certificate}));
}

PeerEnd TestTrust::end_for(const TrustId& caller) const {
    return {settings_.address, tls_->key_hash(), caller, 0};
}

vault::PosixStore TestTrust::store() const {
    return must(vault::PosixStore::open(settings_.vault));
}

vault::NodeKeys TestTrust::node_keys() const {
    return {same(ledger_), vault::BoxKey::from_secret(box_.secret.clone())};
}

std::unique_ptr<vault::Vault> TestTrust::open_vault() const {
    return must(vault::Vault::open({settings_.vault, settings_.state, settings_.keys}, node_keys(),
                                   roster_.trust, system_clock(), system_random()));
}

void TestTrust::forget_head() const {
    const std::string path = settings_.state + "/chain";
    const Buffer text = must(read_file(path, 4096));
    must(write_file_durably(path, View(text).first(64)));
}

vault::SnapshotRecord TestTrust::snapshot(const std::string& system,
                                          const std::string& bytes) const {
    const auto own = open_vault();
    const auto writing = must(own->begin_writing("data", vault::OpeningKeys::Node));
    vault::SnapshotWriter writer(own->context(writing, 1));
    writer.begin_source("files", "files", "/data");
    vault::Entry root;
    root.type = vault::FileType::Directory;
    root.mode = 0755;
    must(writer.add(root, {}));
    const auto content = must(writer.content().begin(vault::Cut::ByContent));
    must(writer.content().write(as_view(bytes)));
    must(writer.content().end());
    must(writer.content().flush());
    vault::Entry file;
    file.path = "file";
    file.mode = 0644;
    file.size = bytes.size();
    must(writer.add(file, *writer.content().take(content)));
    must(writer.end_source("{}"));
    vault::Manifest manifest;
    manifest.system = system;
    manifest.time = system_clock().wall_ms();
    const auto written = must(writer.finish(std::move(manifest)));
    return must(own->commit(writing, written, system, system_clock().wall_ms(), 0));
}

std::string TestTrust::read_back(vault::Store& copy, const vault::SnapshotRecord& record) const {
    const auto own = open_vault();
    const auto index = must(vault::ChunkIndex::open(":memory:"));
    const vault::Roster roster = must(vault::read_roster(copy, roster_.trust));
    vault::VaultReader reader(copy, *index, own->keys(), roster);
    must(reader.refresh());
    const auto found = must(reader.find(record.id.hex()));
    const vault::Manifest manifest = must(reader.manifest(found));
    const auto chunks = reader.chunk_reader();
    const auto tree = must(vault::TreeReader::open(manifest.sources.at(0).tree, *chunks));
    const vault::Item item = must(tree.find("file"));
    std::string out;
    for (const vault::Extent& extent : must(tree.extents(item))) {
        const auto chunk = must(chunks->read(extent.chunk));
        out += as_text(View(*chunk).subspan(extent.skip, extent.length));
    }
    return out;
}

void TestTrust::next_roster(const std::function<void(vault::Roster&)>& change) {
    vault::Roster next = vault::next_roster(roster_, 2);
    change(next);
    const Buffer object = must(vault::sign_roster(next, trust_));
    roster_ = must(vault::parse_roster(object));
    must(store().put(vault::roster_name(roster_.number), object));
}

void TestTrust::start() {
    running_.emplace(settings_);
}

ControlClient TestTrust::control() const {
    return must(ControlClient::make(settings_.run));
}

PartnerInfo pair_up(TestTrust& inviter, TestTrust& guest) {
    auto host = inviter.control();
    auto other = guest.control();
    const std::string invitation = must(host.invite());
    return must(other.accept(invitation));
}

Agreement usual_terms(const TestTrust& owner, const TestTrust& host) {
    Agreement terms;
    terms.owner = owner.id();
    terms.host = host.id();
    terms.quota_bytes = 1_GiB;
    terms.longest_hold_days = 365;
    terms.minimum_hold_days = 30;
    terms.valid_from = system_clock().wall_ms() - 1000;
    terms.valid_to = terms.valid_from + 365LL * 24 * 3600 * 1000;
    return terms;
}

Buffer signed_agreement(const Agreement& terms, const TestTrust& owner, const TestTrust& host) {
    vault::Record record = must(agreement_record(terms));
    vault::sign(record, owner.officer());
    vault::sign(record, host.officer());
    return vault::encode(record);
}

void agree(TestTrust& owner, TestTrust& host) {
    vault::Record proposal = must(agreement_record(usual_terms(owner, host)));
    vault::sign(proposal, owner.officer());
    REQUIRE(must(owner.control().put_agreement(vault::encode(proposal))).delivered);
    const auto held = must(host.control().agreements(owner.id()));
    const auto ours = std::ranges::find_if(
        held, [&](const HeldAgreement& one) { return one.terms.owner == owner.id(); });
    REQUIRE(ours != held.end());
    CHECK(ours->signatures.owner);
    CHECK_FALSE(ours->signatures.host);
    vault::Record record = must(vault::parse_record(ours->object));
    vault::sign(record, host.officer());
    REQUIRE(must(host.control().put_agreement(vault::encode(record))).delivered);
}

TransferInfo replicate(TestTrust& owner, const TrustId& host) {
    auto control = owner.control();
    const auto ids = must(control.replicate(host));
    REQUIRE(ids.size() == 1);
    TransferInfo found;
    REQUIRE(eventually([&] {
        for (const TransferInfo& one : must(control.transfers())) {
            if (one.id == ids[0]) found = one;
        }
        return found.ended_ms != 0;
    }));
    return found;
}

}  // namespace holdfast::replicator::test
