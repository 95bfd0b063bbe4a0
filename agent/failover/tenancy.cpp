#include "agent/failover/tenancy.h"

#include "agent/config/node_settings.h"
#include "agent/failover/run_store.h"
#include "agent/node/node_keys.h"
#include "vault/base/file.h"
#include "vault/keys/record.h"

#include <algorithm>
#include <filesystem>
#include <optional>

namespace holdfast::agent {
namespace {

namespace fs = std::filesystem;

/// Envelopes here are the owner's for us; what does not hold, or is another's, is passed over.
void keep_newest(std::optional<vault::SystemEnvelope>& best, const std::string& system,
                 Result<vault::SystemEnvelope> one) {
    if (!one || one->system != system) return;
    if (!best || one->number > best->number) best = std::move(*one);
}

}  // namespace

std::string tenancy_vault(const Home& home, const TrustId& owner) {
    return home.tenants + "/" + owner.hex() + "/vault";
}

std::string papers_folder(const Home& home, const TrustId& owner) {
    return home.tenants + "/" + owner.hex() + "/papers";
}

Result<vault::SystemEnvelope> find_envelope(const Home& home, const TrustId& owner,
                                            const std::string& system,
                                            const vault::Roster& roster) {
    const TrustId host = HF_TRY(load_node(home)).trust;
    std::optional<vault::SystemEnvelope> best;
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(papers_folder(home, owner), failed)) {
        if (!entry.is_regular_file(failed)) continue;
        const auto object = read_file(entry.path().string(), vault::record_bytes_max);
        if (!object) continue;
        keep_newest(best, system, vault::parse_envelope(*object, host, roster));
    }
    if (!best) {
        return Error{Errc::NotFound, "no envelope opens " + system +
                                         " here: its owner made none for this host, and "
                                         "released no snapshot for this run"};
    }
    return std::move(*best);
}

Result<OpenedDomain> open_for_run(const Home& home, const Run& run, RunStore& runs,
                                  const vault::Roster& owner) {
    const vault::SystemEnvelope envelope =
        HF_TRY(find_envelope(home, run.owner, run.system, owner));
    const AgentKeys keys = HF_TRY(read_agent_keys(home.keys));
    std::vector<vault::OpenedShare> shares;
    for (const Buffer& handed : HF_TRY(runs.shares(run.id))) {
        shares.push_back(HF_TRY(vault::receive_share(handed, keys.box)));
    }
    auto opened = HF_TRY(vault::open_envelope(envelope, keys.box, shares));
    return OpenedDomain{envelope.domain, std::move(opened)};
}

}  // namespace holdfast::agent
