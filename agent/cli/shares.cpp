#include "agent/cli/shares.h"

#include "agent/node/node_keys.h"
#include "agent/people/custody_files.h"
#include "vault/base/file.h"
#include "vault/crypto/base64.h"

namespace holdfast::agent::cli {
namespace {

Result<PublicKey> box_key_at(const Home& home, RunPlace& place) {
    if (!place.partner()) return HF_TRY(read_agent_keys(home.keys)).box.public_key;
    const TrustId partner = place.partner()->trust;
    return HF_TRY(envelope_host(HF_TRY(place.replicator().partner_roster(partner)))).box_key;
}

}  // namespace

Result<std::string> share_text(const Home& home, RunPlace& place, const std::string& file) {
    const Buffer share = HF_TRY(read_file(file, share_file_bytes_max));
    if (share.empty() || share[0] != '{') return vault::to_base64(share);
    const auto opened = HF_TRY(parse_share_json(as_text(share)).within(file));
    return vault::to_base64(vault::hand_over(opened, HF_TRY(box_key_at(home, place))));
}

}  // namespace holdfast::agent::cli
