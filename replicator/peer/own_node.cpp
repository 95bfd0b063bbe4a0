#include "replicator/peer/own_node.h"

#include "vault/keys/key_file.h"

namespace holdfast::replicator {
namespace {

constexpr std::size_t seed_bytes = 32;

}  // namespace

Result<OwnNode> OwnNode::open(const ReplicatorSettings& settings) {
    const std::string file = settings.keys + "/link.key";
    auto secrets = HF_TRY(vault::read_key_file(file, 3));
    if (secrets[0].size() != seed_bytes) return Error{Errc::Corrupt, file + ": damaged"};
    auto tls = HF_TRY(TlsIdentity::from_pem(secrets[1].view(), secrets[2].view()).within(file));
    return OwnNode{settings.trust,   settings.name,
                   settings.address, vault::SigningKey::from_seed(std::move(secrets[0])),
                   std::move(tls),   settings.vault};
}

Result<std::vector<Buffer>> rosters_in(const vault::Store& store) {
    std::vector<Buffer> objects;
    HF_TRY(store.list("roster/", [&](const std::string& name) -> Result<void> {
        objects.push_back(HF_TRY(store.get_all(name, vault::record_bytes_max)));
        return {};
    }));
    return objects;
}

}  // namespace holdfast::replicator
