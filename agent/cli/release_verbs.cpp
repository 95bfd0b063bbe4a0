// release: the keys of one snapshot for the partner that is to run it, signed by two people.
#include "agent/cli/context.h"
#include "agent/cli/release.h"
#include "agent/people/people_book.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct Options {
    ReleaseOptions release;
    std::string partner;
    std::string file;
    PersonKeyFile key;
};

/// What is in it, and who of our people signed.
Result<Json> release_json(const Home& home, const vault::Record& record) {
    const vault::Release release =
        HF_TRY(vault::parse_release(record, TrustId{record.addressee.digest}));
    Json out{{"system", release.system},   {"snapshot", release.snapshot.hex()},
             {"host", release.host.hex()}, {"purpose", release.purpose},
             {"time_ms", release.time},    {"until_ms", release.until},
             {"signed", Json::array()}};
    const Node node = HF_TRY(open_node(home));
    const PeopleBook book = HF_TRY(PeopleBook::load(home, node.vault->roster()));
    for (const vault::RecordSignature& one : record.signatures) {
        const vault::PersonCertificate* person = book.people().by_key(one.signer);
        if (person != nullptr && vault::signed_by(record, one.signer)) {
            out["signed"].push_back(person->name);
        }
    }
    return out;
}

int tell(const Context& context, const vault::Record& record) {
    const auto json = release_json(context.home(), record);
    if (!json) return fail(json.error());
    if (context.json) {
        fmt::print("{}\n", json_text(*json));
        return Done;
    }
    fmt::print("The keys of snapshot {} of {}\n  to   trust {}\n  till {}\n  for  {}\n",
               text_in(*json, "snapshot").substr(0, 12), text_in(*json, "system"),
               text_in(*json, "host").substr(0, 12), format_time(number_in(*json, "until_ms")),
               text_in(*json, "purpose"));
    const auto names = texts_in(*json, "signed");
    for (const std::string& name : names) fmt::print("  signed by {}\n", name);
    if (names.size() < 2) fmt::print("Two people must sign (holdfast release sign).\n");
    return Done;
}

Result<vault::NewRelease> make(const Home& home, const Options& options) {
    auto replicator = HF_TRY(replicator::ControlClient::make(home.run));
    const auto partner = HF_TRY(replicator.find_partner(options.partner));
    vault::NewRelease made = HF_TRY(make_for(home, replicator, partner, options.release));
    HF_TRY(write_file_durably(options.file, as_view(release_text(made)), 0600));
    return made;
}

int release_make(const Context& context, const Options& options) {
    const auto made = make(context.home(), options);
    if (!made) return fail(made.error());
    return tell(context, made->record);
}

Result<vault::NewRelease> sign(const Home& home, const Options& options) {
    vault::NewRelease release = HF_TRY(read_release(options.file));
    HF_TRY(sign_release(home, release.record, options.key));
    HF_TRY(write_file_durably(options.file, as_view(release_text(release)), 0600));
    return release;
}

int release_sign(const Context& context, const Options& options) {
    const auto made = sign(context.home(), options);
    if (!made) return fail(made.error());
    return tell(context, made->record);
}

int release_show(const Context& context, const Options& options) {
    const auto made = read_release(options.file);
    if (!made) return fail(made.error());
    return tell(context, made->record);
}

using Verb = int (*)(const Context&, const Options&);

void on(Command verb, Context& context, const std::shared_ptr<Options>& options, Verb run) {
    verb.add_flag("--json", context.json, "report as JSON");
    verb.callback([&context, options, run] {
        context.verb = [&context, options, run] { return run(context, *options); };
    });
}

void add_make(Command group, Context& context, const std::shared_ptr<Options>& options) {
    Command verb = group.add_subcommand("make", "seal the keys of one snapshot for a partner");
    verb.add_option("SYSTEM", options->release.system, "the system's name").required();
    verb.add_option("--for", options->partner, "the partner that is to run it")
        .required()
        .type_name("PARTNER");
    verb.add_option("--out", options->file, "where the release is written")
        .required()
        .type_name("FILE");
    verb.add_option("--snapshot", options->release.snapshot,
                    "its id, or its beginning (default: the newest that the partner receipted)");
    verb.add_option("--purpose", options->release.purpose, "what for").type_name("TEXT");
    verb.add_option("--days", options->release.days, "how long it may be used (default 7)");
    verb.footer(
        "The file holds sealed keys: only the partner's node opens them, and only what that "
        "snapshot stands on.\n"
        "Example: holdfast release make epr --for Trumpton --out epr.release");
    on(verb, context, options, release_make);
}

void add_sign(Command group, Context& context, const std::shared_ptr<Options>& options) {
    Command verb = group.add_subcommand("sign", "sign a release, as one of two people");
    verb.add_option("FILE", options->file, "the release").required();
    verb.add_option("--as", options->key.name, "who signs; must be the key's owner")
        .type_name("NAME");
    verb.add_option("--key-file", options->key.path, "the signer's own key")
        .required()
        .type_name("FILE");
    verb.add_option("--passphrase-file", options->key.passphrase_file,
                    "take its passphrase from FILE instead of asking");
    verb.footer("Example: holdfast release sign epr.release --key-file ada.key");
    on(verb, context, options, release_sign);
}

}  // namespace

void add_release_verbs(Command app, Context& context) {
    Command group =
        app.add_subcommand("release", "keys of one snapshot for the partner that is to run it");
    group.require_subcommand();
    const auto options = std::make_shared<Options>();
    add_make(group, context, options);
    add_sign(group, context, options);
    Command verb = group.add_subcommand("show", "what a release opens, until when, who signed");
    verb.add_option("FILE", options->file, "the release").required();
    verb.footer("Example: holdfast release show epr.release");
    on(verb, context, options, release_show);
}

}  // namespace holdfast::agent::cli
