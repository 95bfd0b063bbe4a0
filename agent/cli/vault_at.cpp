#include "agent/cli/vault_at.h"

#include "agent/cli/partner.h"
#include "vault/base/file.h"

namespace holdfast::agent::cli {

Result<VaultAt> open_vault_at(const Home& home, const std::string& from) {
    VaultAt at;
    if (!from.empty()) {
        at.partner = HF_TRY(PartnerVault::open(home, HF_TRY(find_partner(home, from))));
        return at;
    }
    auto node = open_node(home);
    if (!node && path_exists(home.node) && !path_exists(home.vault + "/roster")) {
        return Error{node.error().code,
                     node.error().message + "; a partner may hold a copy: --from PARTNER"};
    }
    at.node = HF_TRY(std::move(node));
    return at;
}

}  // namespace holdfast::agent::cli
