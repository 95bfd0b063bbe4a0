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
    if (node) {
        at.node = std::move(*node);
        at.presence = HF_TRY(at.node->vault->enter());
        return at;
    }
    const bool lost = path_exists(home.node) && !path_exists(home.vault + "/roster");
    const char* hint = lost ? "; a partner may hold a copy: --from PARTNER" : "";
    return Error{node.error().code, node.error().message + hint};
}

}  // namespace holdfast::agent::cli
