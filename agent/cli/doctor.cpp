#include "agent/cli/doctor.h"

#include "agent/config/systems.h"
#include "agent/node/node.h"
#include "replicator/http/fingerprint.h"
#include "vault/base/file.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "vault/base/json.h"

#include <vector>

namespace holdfast::agent::cli {
namespace {

constexpr std::uint64_t free_bytes_min = 1_GiB;
constexpr std::uint64_t certificate_bytes_max = 16'384;

struct Finding {
    enum class Level { Good, Warning, Bad };
    Level level;
    std::string what;
};

using Findings = std::vector<Finding>;

void check_home(const Home& home, Findings& out) {
    auto node = open_node(home);
    if (!node) {
        out.push_back({Finding::Level::Bad, node.error().message});
        return;
    }
    out.push_back(
        {Finding::Level::Good, fmt::format("vault of {}: {} snapshots", node->vault->roster().name,
                                           node->vault->reader().snapshots().size())});
    if (path_exists(home.kit + "/passphrase.txt")) {
        out.push_back({Finding::Level::Warning,
                       home.kit + "/passphrase.txt is still on this node: move the recovery kit "
                                  "and its passphrase to two other places"});
    }
}

void check_systems(const Home& home, Findings& out) {
    auto names = list_systems(home);
    if (!names) {
        out.push_back({Finding::Level::Bad, names.error().message});
        return;
    }
    for (const std::string& name : *names) {
        auto system = load_system(home, name);
        if (system) {
            out.push_back({Finding::Level::Good, "settings of " + name});
        } else {
            out.push_back({Finding::Level::Bad, system.error().message});
        }
    }
}

/// What a person compares when a browser asks whether to trust the console.
void check_console(const Home& home, Findings& out) {
    const auto node = load_node(home);
    if (!node || !node->console) return;
    const std::string at = "console at https://" + node->console->listen;
    const auto pem = read_file(home.state + "/console.crt", certificate_bytes_max);
    const auto print =
        pem ? replicator::certificate_fingerprint(*pem) : Result<std::string>(pem.error());
    if (print) {
        out.push_back({Finding::Level::Good, at + ", certificate SHA-256 " + *print});
    } else if (print.error().code == Errc::NotFound) {
        out.push_back({Finding::Level::Good, at + ": not started yet"});
    } else {
        out.push_back({Finding::Level::Bad, at + ": " + print.error().message});
    }
}

void check_space(const Home& home, Findings& out) {
    struct statvfs space {};
    if (statvfs(home.vault.c_str(), &space) != 0) return;
    const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    const auto level = free_bytes < free_bytes_min ? Finding::Level::Warning : Finding::Level::Good;
    out.push_back({level, human_bytes(free_bytes) + " free for the vault"});
}

void check_machine(Findings& out) {
    const bool fuse = access("/dev/fuse", R_OK | W_OK) == 0;
    out.push_back({fuse ? Finding::Level::Good : Finding::Level::Warning,
                   fuse ? "/dev/fuse can be used"
                        : "/dev/fuse cannot be used: no mounts, drills or failovers here"});
    if (geteuid() != 0) {
        out.push_back({Finding::Level::Warning,
                       "not root: owners, devices and other people's files are out of reach"});
    }
}

const char* word(Finding::Level level) {
    switch (level) {
        case Finding::Level::Good:
            return "good";
        case Finding::Level::Warning:
            return "warning";
        case Finding::Level::Bad:
            return "bad";
    }
    return "bad";
}

}  // namespace

int doctor(const Context& context) {
    const Home home = context.home();
    Findings findings;
    check_home(home, findings);
    check_systems(home, findings);
    check_console(home, findings);
    check_space(home, findings);
    check_machine(findings);
    Json out = Json::array();
    int code = Done;
    for (const Finding& finding : findings) {
        if (finding.level == Finding::Level::Bad) code = Failed;
        if (finding.level == Finding::Level::Warning && code == Done) code = DoneWithWarnings;
        out.push_back({{"level", word(finding.level)}, {"what", finding.what}});
        if (!context.json) fmt::print("{:<8} {}\n", word(finding.level), finding.what);
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return code;
}

}  // namespace holdfast::agent::cli
