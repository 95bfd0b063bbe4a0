#include "replicator/peer/wire.h"

#include "vault/crypto/base64.h"
#include "vault/keys/json_fields.h"
#include "vault/keys/record.h"

namespace holdfast::replicator {
namespace {

using vault::Fields;

constexpr std::size_t status_chains_max = 4096;

Json to_json(const std::vector<Buffer>& objects) {
    Json out = Json::array();
    for (const Buffer& object : objects) out.push_back({{"object", vault::to_base64(object)}});
    return out;
}

std::vector<Buffer> read_objects(Fields& in, const char* field, std::size_t count_max) {
    return in.list(field, count_max,
                   [](Fields& one) { return one.base64("object", vault::record_bytes_max); });
}

}  // namespace

std::string encode(const PairCall& call) {
    return json_text({{"token", call.token.hex()},
                      {"trust", call.trust.hex()},
                      {"address", call.address},
                      {"rosters", to_json(call.rosters)}});
}

Result<PairCall> parse_pair_call(View text) {
    return vault::read_body(as_text(text), [](Fields& in) {
        return PairCall{in.id<PairingToken>("token"), in.id<TrustId>("trust"),
                        in.text("address", address_bytes_max),
                        read_objects(in, "rosters", wire_rosters_max)};
    });
}

std::string encode(const RosterChain& chain) {
    return json_text({{"trust", chain.trust.hex()}, {"rosters", to_json(chain.rosters)}});
}

Result<RosterChain> parse_roster_chain(View text) {
    return vault::read_body(as_text(text), [](Fields& in) {
        return RosterChain{in.id<TrustId>("trust"), read_objects(in, "rosters", wire_rosters_max)};
    });
}

std::string encode_records(const std::vector<Buffer>& records) {
    return json_text({{"records", to_json(records)}});
}

Result<std::vector<Buffer>> parse_records(View text) {
    return vault::read_body(
        as_text(text), [](Fields& in) { return read_objects(in, "records", wire_records_max); });
}

std::string encode_names(const char* field, const std::vector<std::string>& names) {
    return json_text({{field, names}});
}

Result<std::vector<std::string>> parse_names(View text, const char* field, std::size_t count_max) {
    return vault::read_body(as_text(text), [&](Fields& in) { return in.texts(field, count_max); });
}

std::string encode(const NamesPage& page) {
    return json_text({{"names", page.names}, {"more", page.more ? 1 : 0}});
}

Result<NamesPage> parse_names_page(View text) {
    return vault::read_body(as_text(text), [](Fields& in) {
        return NamesPage{in.texts("names", wire_page_max), in.number("more", 1) != 0};
    });
}

std::string encode_list_question(const ListId& list) {
    return json_text({{"list", list.hex()}});
}

Result<ListId> parse_list_question(View text) {
    return vault::read_body(as_text(text), [](Fields& in) { return in.id<ListId>("list"); });
}

std::string encode(const PeerStatus& status) {
    Json chains = Json::array();
    for (const vault::ChainHead& head : status.chains) {
        chains.push_back(
            {{"chain", head.chain.hex()}, {"length", head.length}, {"root", head.root.hex()}});
    }
    return json_text({{"trust", status.trust.hex()},
                      {"roster", status.roster},
                      {"bytes", status.bytes},
                      {"objects", status.objects},
                      {"packs", status.packs},
                      {"new_bytes_today", status.new_bytes_today},
                      {"agreement", status.agreement},
                      {"quota_bytes", status.quota_bytes},
                      {"chains", std::move(chains)}});
}

Result<PeerStatus> parse_peer_status(View text) {
    return vault::read_body(as_text(text), [](Fields& in) {
        PeerStatus status;
        status.trust = in.id<TrustId>("trust");
        status.roster = in.number("roster");
        status.bytes = in.number("bytes");
        status.objects = in.number("objects");
        status.packs = in.number("packs");
        status.new_bytes_today = in.number("new_bytes_today");
        status.agreement = in.number("agreement");
        status.quota_bytes = in.number("quota_bytes");
        status.chains = in.list("chains", status_chains_max, [&](Fields& one) {
            return vault::ChainHead{status.trust, one.id<ChainId>("chain"), one.number("length"),
                                    one.id<Digest>("root")};
        });
        return status;
    });
}

}  // namespace holdfast::replicator
