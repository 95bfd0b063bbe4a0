// drill, failover: bringing a system back, by this node's agent or by a partner's.
#include "agent/cli/context.h"
#include "agent/cli/partner.h"
#include "agent/cli/release.h"
#include "agent/cli/run_view.h"
#include "agent/cli/shares.h"
#include "vault/base/json.h"
#include "vault/crypto/base64.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct OrderOptions {
    std::string kind;  // The verb itself; there is no option for it.
    std::string system;
    std::string snapshot;
    std::string owner;
    std::string at;
    std::vector<std::string> shares;
    std::string release_file;
    ReleaseOptions release;
};

Json to_json(const vault::NewRelease& release) {
    return {{"record", vault::to_base64(vault::encode(release.record))},
            {"keys", vault::to_base64(release.sealed_keys)}};
}

/// From a file, or made now and signed by two people who are here; null without either.
Result<Json> release_for(const Home& home, RunPlace& place, const OrderOptions& options) {
    if (!options.release_file.empty()) return to_json(HF_TRY(read_release(options.release_file)));
    if (options.release.key_files.empty()) return Json(nullptr);
    if (!place.partner()) {
        return Error{Errc::Invalid, "--release-key-file releases to a partner: say --at PARTNER"};
    }
    ReleaseOptions release = options.release;
    release.system = options.system;
    release.snapshot = options.snapshot;
    if (release.purpose.empty()) {
        release.purpose = options.kind + " of " + options.system + " at " + place.name();
    }
    return to_json(HF_TRY(signed_release(home, place.replicator(), *place.partner(), release)));
}

Result<std::string> order_run(const Home& home, RunPlace& place, const OrderOptions& options) {
    Json body{{"kind", options.kind},
              {"system", options.system},
              {"snapshot", options.snapshot},
              {"shares", Json::array()}};
    for (const std::string& file : options.shares) {
        body["shares"].push_back(HF_TRY(share_text(home, place, file)));
    }
    const Json release = HF_TRY(release_for(home, place, options));
    if (!release.is_null()) body["release"] = release;
    if (place.partner()) return place.post("/runs", json_text(body));
    if (!options.owner.empty()) body["owner"] = HF_TRY(find_partner(home, options.owner)).hex();
    return place.post("/" + options.kind + "s", json_text(body));
}

int start_run(const Context& context, const OrderOptions& options) {
    auto place = RunPlace::open(context.home(), options.at);
    if (!place) return fail(place.error());
    auto ordered = order_run(context.home(), *place, options);
    if (!ordered) return fail(ordered.error());
    return follow_run(context, *place, *ordered);
}

void add_release_options(Command verb, OrderOptions& options) {
    verb.add_option("--release", options.release_file,
                    "a release of the snapshot that two people signed (holdfast release)")
        .type_name("FILE");
    verb.add_option("--release-key-file", options.release.key_files,
                    "sign a release now: give it twice, one person's key each")
        .type_name("FILE")
        .excludes("--release");
    verb.add_option("--release-passphrase-file", options.release.passphrase_files,
                    "their passphrases, in the same order, instead of asking")
        .type_name("FILE");
    verb.add_option("--purpose", options.release.purpose, "what the release is for")
        .type_name("TEXT");
    verb.add_option("--days", options.release.days, "how long the release may be used (default 7)");
}

void add_order(Command app, Context& context, const char* kind, const char* what,
               const char* footer) {
    auto options = std::make_shared<OrderOptions>();
    options->kind = kind;
    Command verb = app.add_subcommand(kind, what);
    verb.add_option("SYSTEM", options->system, "the system's name").required();
    verb.add_option("--snapshot", options->snapshot, "its id, or its beginning (default: newest)");
    Option at = verb.add_option("--at", options->at, "the partner that is to run it");
    at.type_name("PARTNER");
    verb.add_option("--owner", options->owner, "the partner whose system it is, to run it here")
        .type_name("PARTNER")
        .excludes(at);
    verb.add_option("--share", options->shares, "a custodian's share, where no release can be made")
        .type_name("FILE");
    add_release_options(verb, *options);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(footer);
    verb.callback([&context, options] {
        context.verb = [&context, options] { return start_run(context, *options); };
    });
}

}  // namespace

void add_order_verbs(Command app, Context& context) {
    add_order(app, context, "drill",
              "prove that a system could be brought back; leaves nothing behind",
              "A drill opens nothing, and no drill can become a failover.\n"
              "Example: holdfast drill epr\n"
              "         holdfast drill epr --at Trumpton --release-key-file ada.key "
              "--release-key-file ben.key");
    add_order(app, context, "failover", "bring a system back in earnest",
              "It proves the copy first, then waits for two people (holdfast run approve).\n"
              "Example: holdfast failover epr\n"
              "         holdfast failover epr --at Trumpton --release epr.release");
}

}  // namespace holdfast::agent::cli
