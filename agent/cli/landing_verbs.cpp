// landing: what lies in the shares that others write their backups to.
#include "agent/backup/source_copy.h"
#include "agent/cli/context.h"
#include "agent/cli/report.h"
#include "agent/config/systems.h"
#include "agent/source/landing/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

namespace holdfast::agent::cli {
namespace {

constexpr int look_anyway_ms = 60'000;

struct LandingOptions {
    std::string system;
    bool seal = false;
    bool watch = false;
};

struct LandingShare {
    std::string source;
    landing::LandingSettings settings;
};

Result<std::vector<LandingShare>> shares_of(const Home& home, const std::string& name) {
    const SystemSettings system = HF_TRY(load_system(home, name));
    std::vector<LandingShare> out;
    for (const SourceSettings& source : system.sources) {
        const auto* const share = std::get_if<LandingSourceSettings>(&source.of);
        if (share != nullptr) out.push_back({source.name, landing_settings(*share)});
    }
    if (out.empty()) return Error{Errc::NotFound, name + " has no source of kind \"landing\""};
    return out;
}

std::string_view word_of(landing::FileState state) {
    switch (state) {
        case landing::FileState::Waiting:
            return "waiting";
        case landing::FileState::Whole:
            return "whole";
        case landing::FileState::Sealed:
            return "sealed";
    }
    return "";
}

Result<std::vector<landing::LandedFile>> look_at(const LandingShare& share, bool seal) {
    const auto opened = HF_TRY(landing::Share::open(HF_TRY(landing::share_rules(share.settings))));
    return opened.look(system_clock().wall_ms(), seal);
}

Result<int> landing_report(const Context& context, const LandingOptions& options) {
    Json out = Json::array();
    bool lacking = false;
    for (const LandingShare& share : HF_TRY(shares_of(context.home(), options.system))) {
        const auto files = HF_TRY(look_at(share, options.seal).within(share.source));
        const auto missing =
            HF_TRY(landing::missing(share.settings.expected, files, system_clock().wall_ms()));
        lacking = lacking || !missing.empty();
        Json rows = Json::array();
        if (!context.json) {
            fmt::print("{}: {}\n{:<8} {:>10}  {:<20}  {}\n", share.source, share.settings.folder,
                       "STATE", "SIZE", "WRITTEN (UTC)", "FILE");
        }
        for (const landing::LandedFile& file : files) {
            lacking = lacking || (file.state == landing::FileState::Whole && !file.why.empty());
            rows.push_back({{"path", printable(file.path)},
                            {"bytes", file.bytes},
                            {"time_ms", file.mtime_ms},
                            {"state", word_of(file.state)},
                            {"why", file.why}});
            if (context.json) continue;
            fmt::print("{:<8} {:>10}  {:<20}  {}{}\n", word_of(file.state), human_bytes(file.bytes),
                       format_time(file.mtime_ms), printable(file.path),
                       file.why.empty() ? "" : "  (" + file.why + ")");
        }
        for (const std::string& what : missing) {
            if (!context.json) fmt::print("missing: {}\n", printable(what));
        }
        out.push_back({{"source", share.source},
                       {"folder", share.settings.folder},
                       {"files", std::move(rows)},
                       {"missing", missing}});
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return lacking ? DoneWithWarnings : Done;
}

/// Seals what becomes whole, until a signal ends it: there is nothing to tidy up then.
Result<int> landing_watch(const Context& context, const LandingOptions& options) {
    const auto shares = HF_TRY(shares_of(context.home(), options.system));
    std::vector<landing::ShareWatch> watches;
    for (const LandingShare& share : shares) {
        watches.push_back(HF_TRY(landing::ShareWatch::open(share.settings.folder)));
    }
    std::set<std::string> told;
    for (;;) {
        int wait_ms = look_anyway_ms;
        for (const LandingShare& share : shares) {
            for (const landing::LandedFile& file : HF_TRY(look_at(share, true))) {
                if (file.state == landing::FileState::Waiting) {
                    wait_ms = std::min(wait_ms, static_cast<int>(std::clamp<std::int64_t>(
                                                    share.settings.quiet_ms, 1000, wait_ms)));
                } else if (told.insert(share.source + "/" + file.path).second) {
                    fmt::print("{} {}/{}{}\n", word_of(file.state), share.source,
                               printable(file.path), file.why.empty() ? "" : ": " + file.why);
                    std::fflush(stdout);
                }
            }
        }
        // One share's events wake it; what the others have is found within the wait.
        HF_TRY(watches.front().wait(watches.size() == 1 ? wait_ms : std::min(wait_ms, 1000)));
    }
}

}  // namespace

void add_landing_verb(Command app, Context& context) {
    auto options = std::make_shared<LandingOptions>();
    Command verb = app.add_subcommand("landing", "what lies in a system's landing share");
    verb.add_option("SYSTEM", options->system, "the system's name").required();
    verb.add_flag("--seal", options->seal, "make what is whole immutable now");
    verb.add_flag("--watch", options->watch, "stay, and make each file immutable once it is whole");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "Exit code 3: a file that is expected is missing, or one cannot be made immutable.\n"
        "Example: holdfast landing lims");
    verb.callback([&context, options] {
        if (options->watch && context.json) usage_error("--watch without --json");
        context.verb = [&context, options] {
            return end(options->watch ? landing_watch(context, *options)
                                      : landing_report(context, *options));
        };
    });
}

}  // namespace holdfast::agent::cli
