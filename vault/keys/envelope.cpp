#include "vault/keys/envelope.h"

#include "vault/crypto/hash.h"
#include "vault/keys/shares_json.h"

#include <algorithm>

namespace holdfast::vault {
namespace {

constexpr std::string_view envelope_type = "envelope";
constexpr std::size_t nonce_bytes = 24;
constexpr std::size_t sealed_max = 512;

Buffer context_of(const SystemEnvelope& envelope) {
    Buffer out;
    ByteWriter writer(out);
    writer.bytes(envelope.id.view());
    writer.bytes(envelope.trust.view());
    writer.bytes(envelope.domain.view());
    writer.bytes(envelope.host.view());
    writer.text(envelope.system);
    return out;
}

Buffer seal(const SystemEnvelope& envelope, const Secret& secret, const BoxKey& opening,
            Random& random) {
    const Buffer context = context_of(envelope);
    Buffer inner(nonce_bytes);
    random.fill(inner);
    const Buffer locked =
        lock(derive(secret, "envelope", {context}), inner, context, opening.secret.view());
    inner.insert(inner.end(), locked.begin(), locked.end());
    return wrap("envelope", context, inner, envelope.host_key);
}

std::string body_of(const SystemEnvelope& envelope) {
    Json body = {{"envelope", envelope.id.hex()},
                 {"trust", envelope.trust.hex()},
                 {"domain", envelope.domain.hex()},
                 {"system", envelope.system},
                 {"host", envelope.host.hex()},
                 {"host_key", envelope.host_key.hex()},
                 {"opening_key", envelope.opening_key.hex()},
                 {"time", envelope.time}};
    put_shares(body, envelope.set);
    body["sealed"] = to_base64(envelope.sealed);
    return json_text(body);
}

SystemEnvelope read_envelope(Fields in) {
    SystemEnvelope envelope;
    envelope.id = in.id<Digest>("envelope");
    envelope.trust = in.id<TrustId>("trust");
    envelope.domain = in.id<DomainId>("domain");
    envelope.system = in.text("system");
    envelope.host = in.id<TrustId>("host");
    envelope.host_key = in.id<PublicKey>("host_key");
    envelope.opening_key = in.id<PublicKey>("opening_key");
    envelope.time = in.time("time");
    envelope.set = read_shares(in, envelope.trust, envelope.id);
    envelope.sealed = in.base64("sealed", sealed_max);
    if (envelope.id.zero()) in.fail("envelope", "expected an id other than zeros");
    return envelope;
}

bool signed_by_active_node(const Record& record, const Roster& roster) {
    return std::ranges::any_of(roster.nodes, [&](const RosterNode& node) {
        return node.state == NodeState::Active && signed_by(record, node.ledger_key);
    });
}

}  // namespace

Result<Buffer> make_envelope(const EnvelopeFor& what, const BoxKey& opening,
                             const std::vector<Custodian>& custodians, std::size_t threshold,
                             const SigningKey& ledger_key, std::int64_t now_ms, Random& random) {
    if (what.system.empty() || what.system.size() > name_bytes_max) {
        return Error{Errc::Invalid, "a system's name has 1 to 256 bytes"};
    }
    SystemEnvelope envelope{
        random.id<Digest>(), what.number,        what.trust, what.domain, what.system, what.host,
        what.host_key,       opening.public_key, now_ms,     ShareSet{},  {}};
    Secret secret(share_bytes);
    random.fill({secret.data(), secret.size()});
    envelope.set = HF_TRY(share_out(what.trust, envelope.id, secret, custodians, threshold));
    envelope.sealed = seal(envelope, secret, opening, random);
    Record record{
        std::string(envelope_type), addressed_to(what.host), what.number, body_of(envelope), {}};
    sign(record, ledger_key);
    return encode(record);
}

Result<SystemEnvelope> parse_envelope(View object, const TrustId& host, const Roster& owner) {
    const Record record = HF_TRY(parse_record(object));
    HF_TRY(expect(record, envelope_type, addressed_to(host)));
    JsonText body = HF_TRY(JsonText::parse(record.body, "envelope"));
    SystemEnvelope envelope = read_envelope(body.top());
    HF_TRY(body.check());
    envelope.number = record.number;
    if (envelope.host != host || envelope.trust != owner.trust) {
        return Error{Errc::Denied,
                     "the envelope for " + envelope.system + " is of another owner or host"};
    }
    if (!signed_by_active_node(record, owner)) {
        return Error{Errc::Denied, "the envelope for " + envelope.system +
                                       " is signed by no active node of roster " +
                                       std::to_string(owner.number)};
    }
    return envelope;
}

Result<BoxKey> open_envelope(const SystemEnvelope& envelope, const BoxKey& host,
                             const std::vector<OpenedShare>& shares) {
    const std::string where = "the envelope for " + envelope.system;
    const Buffer context = context_of(envelope);
    const Secret inner = HF_TRY(unwrap("envelope", context, envelope.sealed, host).within(where));
    const Secret secret = HF_TRY(combine(envelope.set, shares).within(where));
    const View nonce = inner.view().first(std::min(nonce_bytes, inner.size()));
    Result<Secret> opening = unlock(derive(secret, "envelope", {context}), nonce, context,
                                    inner.view().subspan(nonce.size()));
    if (opening && opening->size() == 32) {
        BoxKey key = BoxKey::from_secret(*std::move(opening));
        if (key.public_key == envelope.opening_key) return key;
    }
    return Error{Errc::Corrupt, where + " does not hold the opening key that it names"};
}

}  // namespace holdfast::vault
