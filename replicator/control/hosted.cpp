#include "replicator/control/hosted.h"

#include "vault/base/file.h"
#include "vault/keys/json_fields.h"

#include <memory>

namespace holdfast::replicator {
namespace {

using vault::Fields;

constexpr std::size_t hosted_max = 100'000;
constexpr std::size_t problem_bytes_max = 4096;

Json to_json(const HostedInfo& one) {
    return {{"owner", one.owner.hex()},   {"owner_name", one.owner_name},
            {"agreement", one.agreement}, {"quota_bytes", one.quota_bytes},
            {"bytes", one.bytes},         {"objects", one.objects},
            {"problem", one.problem}};
}

HostedInfo read_hosted(Fields& in) {
    HostedInfo one;
    one.owner = in.id<TrustId>("owner");
    one.owner_name = in.text("owner_name");
    one.agreement = in.number("agreement");
    one.quota_bytes = in.number("quota_bytes");
    one.bytes = in.number("bytes");
    one.objects = in.number("objects");
    one.problem = in.text("problem", problem_bytes_max);
    return one;
}

/// One answer, from one job on each tenancy; sent when the last of them has told.
class Gathering {
public:
    Gathering(Responder respond, std::vector<HostedInfo> hosted)
        : respond_(std::move(respond)), hosted_(std::move(hosted)), missing_(hosted_.size()) {
        if (missing_ == 0) send();
    }
    const std::vector<HostedInfo>& hosted() const { return hosted_; }

    void take(std::size_t at, const Result<Usage>& usage) {
        if (usage) {
            hosted_[at].bytes = usage->bytes;
            hosted_[at].objects = usage->objects;
        } else {
            hosted_[at].problem = usage.error().message;
        }
        if (--missing_ == 0) send();
    }

private:
    void send() { respond_.send(json_response(200, encode(hosted_))); }

    Responder respond_;
    std::vector<HostedInfo> hosted_;
    std::size_t missing_;
};

Result<Strand<Tenancy>*> tenancy_of(const Core& core, const TrustId& owner) {
    return core.tenancies.of(*HF_TRY(core.partners.need(owner)));
}

Result<std::vector<HostedInfo>> hosted_now(const Core& core) {
    std::vector<HostedInfo> all;
    for (const auto& [trust, partner] : core.partners.all()) {
        HostedInfo one;
        one.owner = trust;
        one.owner_name = partner.name;
        const auto agreement =
            HF_TRY(core.promises.in_force(trust, core.own.trust, core.clock.wall_ms()));
        if (!agreement && !path_exists(core.tenancies.folder_of(trust))) continue;
        if (agreement) {
            one.agreement = agreement->number;
            one.quota_bytes = agreement->quota_bytes;
        }
        all.push_back(std::move(one));
    }
    return all;
}

void answer(const Core& core, Responder respond) {
    auto all = hosted_now(core);
    if (!all) return respond.fail(all.error());
    const auto gathering = std::make_shared<Gathering>(std::move(respond), std::move(*all));
    for (std::size_t at = 0; at < gathering->hosted().size(); ++at) {
        const auto strand = tenancy_of(core, gathering->hosted()[at].owner);
        if (!strand) {
            gathering->take(at, strand.error());
            continue;
        }
        (*strand)->run([](Tenancy& tenancy) { return tenancy.usage(); },
                       [gathering, at](const Result<Usage>& usage) { gathering->take(at, usage); });
    }
}

}  // namespace

std::string encode(const std::vector<HostedInfo>& hosted) {
    Json all = Json::array();
    for (const HostedInfo& one : hosted) all.push_back(to_json(one));
    return json_text({{"hosted", std::move(all)}});
}

Result<std::vector<HostedInfo>> parse_hosted(View json) {
    return vault::read_body(as_text(json),
                            [](Fields& in) { return in.list("hosted", hosted_max, read_hosted); });
}

void add_hosted_routes(Router& router, const Core& core) {
    router.on("GET", "/hosted",
              [core](const HttpRequest&, Responder respond) { answer(core, std::move(respond)); });
}

}  // namespace holdfast::replicator
