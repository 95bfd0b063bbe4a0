// Witness wire: what witnesses, replicators and agents tell each other, as HTTP bodies.
//
//   POST /holders            200: the witness's word; 409: {"error": {"code", "message"}, "record"}
//   control socket           {"outcome", "message", "record": base64}; outcome as name_of()
//                            {"sets": [{"host", "agreement", "witnesses": [{"trust", "name"}]}]}
#pragma once

#include "replicator/http/client.h"
#include "replicator/witness/witness.h"

namespace holdfast::replicator {

HttpResponse peer_response(const WitnessReply& reply);
/// Errors: those that the witness told, Corrupt.
Result<WitnessReply> parse_peer_reply(unsigned status, View body);

std::string encode(const WitnessReply& reply);
/// Errors: Invalid.
Result<WitnessReply> parse_witness_reply(View json);

struct NamedWitness {
    TrustId trust;
    std::string name;  // Empty: no partner of ours.
};
/// The witnesses of one agreement.
struct WitnessSet {
    TrustId host;
    std::uint64_t agreement = 0;
    std::vector<NamedWitness> members;

    /// How many of them are more than half.
    std::size_t majority() const { return members.size() / 2 + 1; }
};
std::string encode(const std::vector<WitnessSet>& sets);
/// Errors: Invalid.
Result<std::vector<WitnessSet>> parse_witness_sets(View json);

/// {"record": base64}
std::string encode_record(View record);
/// Errors: Invalid.
Result<Buffer> parse_record_body(View json);

}  // namespace holdfast::replicator
