#include "replicator/witness/witness_wire.h"

#include "replicator/agreement/agreement.h"
#include "replicator/state/partners.h"
#include "vault/crypto/base64.h"
#include "vault/keys/json_fields.h"

#include <array>

namespace holdfast::replicator {
namespace {

using vault::Fields;
using Kind = WitnessReply::Kind;

constexpr std::size_t message_bytes_max = 1024;
constexpr std::array kinds{Kind::Witnessed, Kind::Taken, Kind::Old, Kind::Fork};

std::optional<Kind> kind_named(std::string_view name) {
    for (const Kind kind : kinds) {
        if (name_of(kind) == name) return kind;
    }
    return std::nullopt;
}

Json to_json(const WitnessSet& set) {
    Json members = Json::array();
    for (const NamedWitness& one : set.members) {
        members.push_back({{"trust", one.trust.hex()}, {"name", one.name}});
    }
    return {
        {"host", set.host.hex()}, {"agreement", set.agreement}, {"witnesses", std::move(members)}};
}

}  // namespace

HttpResponse peer_response(const WitnessReply& reply) {
    if (reply.kind == Kind::Witnessed) {
        return {200, {{"content-type", "application/octet-stream"}}, reply.record};
    }
    const Json error{{"code", name_of(reply.kind)}, {"message", reply.message}};
    return json_response(409,
                         json_text({{"error", error}, {"record", vault::to_base64(reply.record)}}));
}

Result<WitnessReply> parse_peer_reply(unsigned status, View body) {
    if (status == 200) return WitnessReply{Kind::Witnessed, Buffer(body.begin(), body.end()), ""};
    const auto kind = kind_named(error_code_of(body));
    if (status != 409 || !kind) return error_from(status, body);
    auto reply = vault::read_body(as_text(body), [&](Fields& in) {
        Fields error = in.object("error");
        return WitnessReply{*kind, in.base64("record", holder_bytes_max),
                            error.text("message", message_bytes_max)};
    });
    if (reply) return reply;
    return Error{Errc::Corrupt, "the witness's answer: " + reply.error().message};
}

std::string encode(const WitnessReply& reply) {
    return json_text({{"outcome", name_of(reply.kind)},
                      {"message", reply.message},
                      {"record", vault::to_base64(reply.record)}});
}

Result<WitnessReply> parse_witness_reply(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        const auto kind = kind_named(in.text("outcome"));
        if (!kind) in.fail("outcome", "expected witnessed, term_taken, term_old or fork");
        return WitnessReply{kind.value_or(Kind::Fork), in.base64("record", holder_bytes_max),
                            in.text("message", message_bytes_max)};
    });
}

std::string encode(const std::vector<WitnessSet>& sets) {
    Json all = Json::array();
    for (const WitnessSet& one : sets) all.push_back(to_json(one));
    return json_text({{"sets", std::move(all)}});
}

Result<std::vector<WitnessSet>> parse_witness_sets(View json) {
    return vault::read_body(as_text(json), [](Fields& in) {
        return in.list("sets", partners_max, [](Fields& one) {
            WitnessSet set;
            set.host = one.id<TrustId>("host");
            set.agreement = one.number("agreement");
            set.members = one.list("witnesses", agreement_witnesses_max, [](Fields& member) {
                return NamedWitness{member.id<TrustId>("trust"), member.text("name")};
            });
            return set;
        });
    });
}

std::string encode_record(View record) {
    return json_text({{"record", vault::to_base64(record)}});
}

Result<Buffer> parse_record_body(View json) {
    return vault::read_body(as_text(json),
                            [](Fields& in) { return in.base64("record", holder_bytes_max); });
}

}  // namespace holdfast::replicator
