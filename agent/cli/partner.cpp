#include "agent/cli/partner.h"

#include "replicator/control/control_client.h"

namespace holdfast::agent::cli {

Result<TrustId> find_partner(const Home& home, const std::string& text) {
    if (auto id = TrustId::from_text(text)) return id;
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    return HF_TRY(replicator.find_partner(text)).trust;
}

}  // namespace holdfast::agent::cli
