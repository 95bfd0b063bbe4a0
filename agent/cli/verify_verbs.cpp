// verify, repair: is everything there as it was written, and what is not, from a partner.
#include "agent/cli/context.h"
#include "agent/cli/partner.h"
#include "agent/cli/report.h"
#include "agent/cli/watch.h"
#include "agent/node/node.h"
#include "replicator/control/control_client.h"
#include "vault/base/file.h"
#include "vault/base/worker_pool.h"
#include "vault/repair/repair.h"
#include "vault/verify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <optional>

namespace holdfast::agent::cli {
namespace {

constexpr std::size_t run_file_bytes_max = 64;
constexpr unsigned repair_rounds_max = 8;

struct VerifyOptions {
    bool read_data = false;
    bool resume = false;
    unsigned sample = 100;
    std::uint64_t limit = 0;
};

/// The secrets that compare chunks with their ids, as verify() wants them.
class Namings {
public:
    explicit Namings(const vault::Vault& vault) {
        for (const auto& [id, domain] : vault.domains()) {
            if (!domain.naming) continue;
            owned_.push_back(std::make_unique<vault::Naming>(*domain.naming));
            all_.emplace(id, owned_.back().get());
        }
    }
    const std::map<DomainId, const vault::Naming*>& all() const { return all_; }

private:
    std::vector<std::unique_ptr<vault::Naming>> owned_;
    std::map<DomainId, const vault::Naming*> all_;
};

/// When the verify that is under way, or was interrupted, began: "HOW MILLISECONDS".
class VerifyRun {
public:
    VerifyRun(const Home& home, bool read_data)
        : path_(home.state + "/verify"), how_(read_data ? "opened " : "bytes ") {}

    /// The start of one of this kind that was interrupted; none if there is none.
    std::optional<std::int64_t> interrupted() const {
        const auto text = read_file(path_, run_file_bytes_max);
        if (!text || !as_text(*text).starts_with(how_)) return std::nullopt;
        const std::string_view digits = as_text(*text).substr(how_.size());
        std::int64_t start_ms = 0;
        const char* end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, start_ms);
        if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
        return start_ms;
    }
    Result<void> begin(std::int64_t now_ms) const {
        return write_file_durably(path_, as_view(how_ + std::to_string(now_ms)));
    }
    void end() const { (void)::unlink(path_.c_str()); }

private:
    std::string path_;
    std::string how_;
};

Result<vault::VerifyReport> watched_verify(vault::Vault& vault, vault::VerifySettings settings) {
    const Namings namings(vault);
    vault::VerifyProgress progress;
    settings.workers = default_workers();
    settings.namings = &namings.all();
    settings.progress = &progress;
    settings.clock = &system_clock();
    return watch(
        "verify", progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes_done, 0,
                      fmt::format("{} of {} packs", progress.packs_done.load(),
                                  progress.packs_all.load()));
        },
        [&] { return vault::verify(vault.reader(), settings); });
}

Json to_json(const std::vector<vault::Damage>& damage) {
    Json out = Json::array();
    for (const vault::Damage& one : damage) {
        out.push_back({{"object", one.object}, {"what", one.what}});
    }
    return out;
}

std::string to_text(const vault::VerifyReport& found, bool read_data) {
    std::string text = fmt::format("{} snapshots, {} packs, {} checked", found.snapshots,
                                   found.packs, human_bytes(found.bytes));
    if (read_data) {
        text += fmt::format("; {} chunks opened, {} paths whole", found.chunks, found.paths);
    }
    if (found.packs_skipped != 0) {
        text += fmt::format("; {} packs were passed over", found.packs_skipped);
    }
    if (found.content_not_opened != 0) {
        text += fmt::format("\n{} chunks: content not opened (their domain is locked)",
                            found.content_not_opened);
    }
    return text;
}

Result<int> verify(const Context& context, const VerifyOptions& options) {
    const Home home = context.home();
    const Node node = HF_TRY(open_node(home));
    const auto presence = HF_TRY(node.vault->enter());
    const VerifyRun run(home, options.read_data);
    vault::VerifySettings settings;
    settings.read_data = options.read_data;
    settings.sample_percent = options.sample;
    settings.bytes_per_second_max = options.limit;
    const bool is_whole = options.sample >= 100;
    if (options.resume) settings.skip_since_ms = run.interrupted().value_or(0);
    if (is_whole && settings.skip_since_ms == 0) HF_TRY(run.begin(system_clock().wall_ms()));
    const auto found = HF_TRY(watched_verify(*node.vault, settings));
    if (is_whole) run.end();
    const Json json{{"snapshots", found.snapshots},
                    {"packs", found.packs},
                    {"packs_skipped", found.packs_skipped},
                    {"bytes", found.bytes},
                    {"chunks", found.chunks},
                    {"paths", found.paths},
                    {"content_not_opened", found.content_not_opened},
                    {"damage", to_json(found.damage)}};
    report(context, json, to_text(found, options.read_data));
    if (!context.json) {
        for (const auto& damage : found.damage) warn(damage.object + ": " + damage.what);
    }
    if (!found.clean()) {
        return Error{Errc::Corrupt,
                     fmt::format("{} damaged objects; holdfast repair fetches them from a partner",
                                 found.damage.size())};
    }
    return found.content_not_opened == 0 ? Done : DoneWithWarnings;
}

struct RepairOptions {
    std::vector<std::string> from;
    bool read_data = false;
};

/// The stores live as long as the sources.
struct Places {
    std::vector<std::unique_ptr<replicator::PartnerStore>> stores;
    std::vector<vault::RepairSource> sources;
};

Result<Places> places_to_ask(const Home& home, const RepairOptions& options) {
    auto control = HF_TRY(replicator::ControlClient::make(home.run));
    std::set<TrustId> wanted;
    for (const std::string& name : options.from) wanted.insert(HF_TRY(find_partner(home, name)));
    Places places;
    for (const replicator::PartnerInfo& partner : HF_TRY(control.partners())) {
        if (!wanted.empty() && !wanted.contains(partner.trust)) continue;
        places.stores.push_back(HF_TRY(control.store_at(partner.trust)));
        const replicator::PartnerStore* store = places.stores.back().get();
        places.sources.push_back(
            {partner.name,
             [store](const PackId& pack, std::uint64_t leaf) { return store->leaf(pack, leaf); },
             [store](const std::string& name, std::uint64_t bytes_max) {
                 return store->get_all(name, bytes_max);
             }});
    }
    if (!places.sources.empty()) return places;
    return Error{Errc::NotFound, "this trust has no partner to fetch from (holdfast partner list)"};
}

Json to_json(const vault::RepairReport& done, const std::vector<vault::Damage>& found,
             const std::vector<vault::Damage>& left) {
    Json out{{"damage", to_json(found)},
             {"mended", Json::array()},
             {"wrong", to_json(done.wrong)},
             {"not_mended", to_json(done.left)},
             {"left", to_json(left)}};
    for (const vault::Repaired& one : done.mended) {
        out["mended"].push_back(
            {{"object", one.object}, {"from", one.from}, {"fetched_bytes", one.fetched_bytes}});
    }
    return out;
}

std::string to_text(const vault::RepairReport& done, const std::vector<vault::Damage>& found) {
    if (found.empty()) return "nothing is damaged";
    std::string text;
    for (const vault::Repaired& one : done.mended) {
        text += fmt::format("mended {} from {} ({} fetched)\n", one.object, one.from,
                            human_bytes(one.fetched_bytes));
    }
    return text + fmt::format("{} objects mended; the damaged bytes are in state/quarantine",
                              done.mended.size());
}

Result<vault::RepairReport> watched_repair(const Home& home, vault::Vault& vault,
                                           const std::vector<vault::Damage>& damage,
                                           const Places& places) {
    vault::RepairProgress progress;
    const vault::RepairSettings settings{places.sources, home.state + "/quarantine", &progress};
    return watch(
        "repair", progress.stop,
        [&](ProgressLine& line) {
            line.show(progress.bytes_done, 0,
                      fmt::format("{} of {} objects", progress.objects_done.load(),
                                  progress.objects_all.load()));
        },
        [&] { return vault::repair(vault, damage, settings); });
}

/// What a repair comes to: the damage at first, what was done, and the damage in the end.
struct RepairOutcome {
    std::vector<vault::Damage> found;
    vault::RepairReport done;
    std::vector<vault::Damage> left;
};

/// Verifies, and mends what it names. Again while that brings more to light: an entry that is back
/// names a list, and that its packs. Packs that were found whole once are not read again.
Result<RepairOutcome> repair_all(const Home& home, const RepairOptions& options) {
    RepairOutcome out;
    vault::VerifySettings settings;
    settings.read_data = options.read_data;
    const std::int64_t start_ms = system_clock().wall_ms();
    for (unsigned round = 0; round < repair_rounds_max; ++round) {
        const Node node = HF_TRY(open_node(home));
        const auto presence = HF_TRY(node.vault->enter());
        out.left = HF_TRY(watched_verify(*node.vault, settings)).damage;
        if (round == 0) out.found = out.left;
        if (out.left.empty()) {
            out.done.left.clear();  // What could not be mended is needed by nothing that stands.
            break;
        }
        const Places places = HF_TRY(places_to_ask(home, options));
        vault::RepairReport done = HF_TRY(watched_repair(home, *node.vault, out.left, places));
        const bool is_mended = !done.mended.empty();
        out.done.mended.insert(out.done.mended.end(), done.mended.begin(), done.mended.end());
        out.done.wrong.insert(out.done.wrong.end(), done.wrong.begin(), done.wrong.end());
        out.done.left = std::move(done.left);
        if (!is_mended) break;
        settings.skip_since_ms = start_ms;
    }
    return out;
}

Result<int> repair(const Context& context, const RepairOptions& options) {
    const auto [found, done, left] = HF_TRY(repair_all(context.home(), options));
    report(context, to_json(done, found, left), to_text(done, found));
    for (const vault::Damage& one : done.wrong) {
        warn(one.object + " holds something else: " + one.what);
    }
    for (const vault::Damage& one : done.left) warn("not mended: " + one.object + ": " + one.what);
    for (const vault::Damage& one : left) warn("still damaged: " + one.object + ": " + one.what);
    if (!left.empty() || !done.left.empty()) {
        return Error{Errc::Corrupt, "not all could be mended"};
    }
    return done.wrong.empty() ? Done : DoneWithWarnings;
}

void add_verify(Command app, Context& context) {
    auto options = std::make_shared<VerifyOptions>();
    Command verb = app.add_subcommand("verify", "is everything there, and as it was written?");
    verb.add_flag("--read-data", options->read_data, "open and compare every chunk too");
    verb.add_option("--sample", options->sample,
                    "only so much of the packs: those checked longest ago")
        .type_name("PERCENT")
        .between(1, 100);
    verb.add_option("--limit", options->limit, "read at most so much a second")
        .type_name("BYTES")
        .as_size();
    verb.add_flag("--resume", options->resume, "go on with one that was interrupted");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "A daily --sample 4 has checked every pack within a month.\n"
        "Example: holdfast verify --read-data\n"
        "Example: holdfast verify --sample 4 --limit 50MiB");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end(verify(context, *options)); };
    });
}

void add_repair(Command app, Context& context) {
    auto options = std::make_shared<RepairOptions>();
    Command verb = app.add_subcommand("repair", "fetch what is damaged or missing from partners");
    verb.add_option("--from", options->from, "only from this partner (may be repeated)")
        .type_name("PARTNER");
    verb.add_flag("--read-data", options->read_data, "look into every chunk for damage too");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Verifies, fetches only the damaged 64 KiB of a pack, checks all that comes, and\n"
        "verifies what it mended. The node must run, and a partner answer.\n"
        "Example: holdfast repair");
    verb.callback([&context, options] {
        context.verb = [&context, options] { return end(repair(context, *options)); };
    });
}

}  // namespace

void add_verify_verbs(Command app, Context& context) {
    add_verify(app, context);
    add_repair(app, context);
}

}  // namespace holdfast::agent::cli
