// What an owner asks about its tenancy, and leaves there beside objects.
#include "replicator/peer/tenancy_call.h"
#include "replicator/peer/wire.h"

#include <algorithm>
#include <charconv>

namespace holdfast::replicator {
namespace {

constexpr std::size_t page_names_default = 1000;
constexpr std::uint64_t have_body_bytes_max = 1_MiB;

Result<std::size_t> page_limit(const HttpRequest& request) {
    const std::string* const text = request.query_value("limit");
    if (text == nullptr) return page_names_default;
    std::size_t limit = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (read.ec == std::errc() && read.ptr == text->data() + text->size() && limit >= 1 &&
        limit <= wire_page_max) {
        return limit;
    }
    return Error{Errc::Invalid, "limit: expected 1 to " + std::to_string(wire_page_max)};
}

std::string query_text(const HttpRequest& request, std::string_view name) {
    const std::string* const text = request.query_value(name);
    return text == nullptr ? std::string() : *text;
}

}  // namespace

void PeerApi::add_tenancy_routes(Router& router) {
    using Method = void (PeerApi::*)(const HttpRequest&, Responder);
    const auto call = [this](Method method) {
        return [this, method](HttpRequest request, Responder respond) {
            (this->*method)(request, std::move(respond));
        };
    };
    const std::string trust = "/trusts/{trust}";
    router.on("GET", trust + "/status", call(&PeerApi::status));
    router.on("GET", trust + "/objects", call(&PeerApi::list));
    router.on("POST", trust + "/have", call(&PeerApi::have), have_body_bytes_max);
    router.on("POST", trust + "/receipt", call(&PeerApi::receipt));
    router.on("GET", trust + "/papers", call(&PeerApi::papers));
    router.on(
        "POST", trust + "/papers",
        [this](HttpRequest request, Responder respond) {
            put_paper(std::move(request), std::move(respond));
        },
        tenancy_paper_bytes_max);
    router.on("GET", trust + "/objects/{name...}", call(&PeerApi::get_object));
    router.on_upload(
        "PUT", trust + "/objects/{name...}",
        [this](HttpRequest request, BodyReader body, Responder respond) {
            put_object(request, std::move(body), std::move(respond));
        },
        vault::object_bytes_max);
}

void PeerApi::status(const HttpRequest& request, Responder respond) {
    const auto owner = owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    PeerStatus status;
    status.trust = (*owner)->trust;
    status.roster = (*owner)->roster.number;
    if (const auto terms = terms_for(**owner)) {
        status.agreement = terms->agreement;
        status.quota_bytes = terms->quota_bytes;
    }
    on_tenancy(
        request, std::move(respond),
        [status = std::move(status)](Tenancy& tenancy) mutable -> Result<PeerStatus> {
            const Usage usage = HF_TRY(tenancy.usage());
            status.bytes = usage.bytes;
            status.objects = usage.objects;
            status.packs = usage.packs;
            status.new_bytes_today = usage.new_bytes_today;
            status.chains = HF_TRY(tenancy.heads());
            return status;
        },
        [](const PeerStatus& done) { return json_response(200, encode(done)); });
}

void PeerApi::list(const HttpRequest& request, Responder respond) {
    const auto limit = page_limit(request);
    if (!limit) return respond.send(refusal_response(limit.error()));
    on_tenancy(
        request, std::move(respond),
        [prefix = query_text(request, "prefix"), after = query_text(request, "after"),
         limit = *limit](Tenancy& tenancy) -> Result<NamesPage> {
            NamesPage page;
            page.names = HF_TRY(tenancy.list(prefix, after, limit));
            page.more = page.names.size() == limit;
            return page;
        },
        [](const NamesPage& page) { return json_response(200, encode(page)); });
}

void PeerApi::have(const HttpRequest& request, Responder respond) {
    auto names = parse_names(request.body, "names", wire_names_max);
    if (!names) return respond.send(refusal_response(names.error()));
    on_tenancy(
        request, std::move(respond),
        [names = std::move(*names)](Tenancy& tenancy) { return tenancy.missing(names); },
        [](const std::vector<std::string>& missing) {
            return json_response(200, encode_names("missing", missing));
        });
}

void PeerApi::receipt(const HttpRequest& request, Responder respond) {
    const auto owner = owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    const auto list = parse_list_question(request.body);
    if (!list) return respond.send(refusal_response(list.error()));
    const auto terms = terms_for(**owner);
    if (!terms) return respond.send(refusal_response(terms.error()));
    Receipt receipt;
    receipt.owner = (*owner)->trust;
    receipt.host = core_.own.trust;
    receipt.node = core_.own.name;
    receipt.list = *list;
    receipt.agreement = terms->agreement;
    on_tenancy(
        request, std::move(respond),
        [list = *list](Tenancy& tenancy) { return tenancy.count(list); },
        [this, receipt](const ListCount& counted) mutable {
            receipt.packs = counted.packs;
            receipt.bytes = counted.bytes;
            receipt.time = core_.clock.wall_ms();
            return HttpResponse{200,
                                {{"content-type", "application/octet-stream"}},
                                make_receipt(receipt, core_.own.link)};
        });
}

// Certificates and their revocations must reach a host whether or not new bytes may.
void PeerApi::put_paper(HttpRequest request, Responder respond) {
    const auto owner = owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    const auto agreed = core_.promises.signed_by_owner((*owner)->trust);
    if (!agreed) return respond.send(refusal_response(agreed.error()));
    const bool ever = std::ranges::any_of(*agreed, [&](const HeldAgreement& held) {
        const bool hosts = held.terms.host == core_.own.trust && held.signatures.both();
        return hosts || held.terms.names_witness(core_.own.trust);
    });
    if (!ever) {
        return respond.send(refusal_response(refuse(
            Refusal::NoAgreement,
            "papers are kept for trusts with an agreement that names us as host or witness")));
    }
    Buffer object = std::move(request.body);
    on_tenancy(
        request, std::move(respond),
        [object = std::move(object)](Tenancy& tenancy) { return tenancy.put_paper(object); },
        [](Stored stored) { return json_response(stored == Stored::New ? 201 : 200, "{}"); });
}

void PeerApi::papers(const HttpRequest& request, Responder respond) {
    on_tenancy(
        request, std::move(respond), [](Tenancy& tenancy) { return tenancy.papers(); },
        [](const std::vector<Buffer>& records) {
            return json_response(200, encode_records(records));
        });
}

}  // namespace holdfast::replicator
