// journal: what changes below a system's folders, told to its snapshots.
#include "agent/cli/context.h"
#include "agent/cli/report.h"
#include "agent/config/systems.h"
#include "agent/source/journal/service.h"
#include "agent/source/journal/socket.h"
#include "vault/base/json.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>

namespace holdfast::agent::cli {
namespace {

/// Until a signal ends it: there is nothing to tidy up then.
Result<int> journal(const Context& context, const std::string& name) {
    const Home home = context.home();
    const SystemSettings system = HF_TRY(load_system(home, name));
    std::map<std::string, journal::Journal> journals;
    for (const SourceSettings& source : system.sources) {
        const auto* const files = std::get_if<FilesSourceSettings>(&source.of);
        if (files == nullptr || !files->journal) continue;
        journals.emplace(source.name,
                         HF_TRY(journal::Journal::open(files->path).within(source.name)));
        if (context.json) {
            fmt::print("{}\n", json_text({{"event", "watching"},
                                          {"source", source.name},
                                          {"folder", files->path}}));
        } else {
            fmt::print("{}/{}: watches {}\n", name, source.name, files->path);
        }
    }
    if (journals.empty()) {
        return Error{Errc::Invalid, name + " has no source of kind \"files\" with journal = true"};
    }
    HF_TRY(make_folders(home.run, 0755));
    auto service =
        HF_TRY(journal::Service::open(journal::socket_path(home.run, name), std::move(journals)));
    std::fflush(stdout);
    HF_TRY(service.run([&](const std::string& failed) {
        if (!context.json) return warn(name + ": " + failed);
        fmt::print("{}\n", json_text({{"event", "problem"}, {"text", failed}}));
        std::fflush(stdout);
    }));
    return Done;
}

}  // namespace

void add_journal_verb(Command app, Context& context) {
    auto system = std::make_shared<std::string>();
    Command verb =
        app.add_subcommand("journal", "note what changes in a system's folders, for its snapshots");
    verb.add_option("SYSTEM", *system, "the system's name").required();
    verb.add_flag("--json", context.json, "a line of JSON for each event");
    verb.footer(
        "For sources of kind \"files\" with journal = true, on ext4 or XFS. Their snapshots then\n"
        "cost what changed, not what there is. Stays until SIGTERM or Ctrl-C.\n"
        "Example: holdfast journal pacs");
    verb.callback([&context, system] {
        context.verb = [&context, system] { return end(journal(context, *system)); };
    });
}

}  // namespace holdfast::agent::cli
