// stream: a database's log, brought as it is written.
#include "agent/attach/attach.h"
#include "agent/cli/after_snapshot.h"
#include "agent/cli/context.h"
#include "agent/cli/in_use.h"
#include "agent/cli/report.h"
#include "agent/cli/watch.h"
#include "agent/config/systems.h"
#include "agent/failover/older_term.h"
#include "agent/node/node.h"
#include "agent/source/postgres/layout.h"
#include "agent/stream/streamer.h"
#include "vault/base/json.h"
#include "vault/base/worker_pool.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

namespace holdfast::agent::cli {
namespace {

std::string_view word_of(StreamEvent::Kind kind) {
    switch (kind) {
        case StreamEvent::Kind::Streaming:
            return "streaming";
        case StreamEvent::Kind::Base:
            return "base";
        case StreamEvent::Kind::Tail:
            return "tail";
        case StreamEvent::Kind::Problem:
            return "problem";
    }
    return "";
}

/// With --json a line of JSON for each event; else what changes, in words, and problems.
void tell(const StreamEvent& event, const std::string& system, bool json) {
    if (json) {
        Json out{{"event", word_of(event.kind)}, {"time_ms", system_clock().wall_ms()}};
        if (!event.text.empty()) out["text"] = event.text;
        if (event.lsn != 0) out["lsn"] = postgres::lsn_text(event.lsn);
        if (!event.snapshot.zero()) out["snapshot"] = event.snapshot.hex();
        if (event.kind == StreamEvent::Kind::Tail) {
            out["bytes"] = event.bytes;
            out["behind_bytes"] = event.behind_bytes;
        }
        fmt::print("{}\n", json_text(out));
    } else if (event.kind == StreamEvent::Kind::Streaming) {
        fmt::print("{}: streams from {} on, on snapshot {}\n", system,
                   postgres::lsn_text(event.lsn), event.snapshot.brief());
    } else if (event.kind == StreamEvent::Kind::Base) {
        fmt::print("{}: takes a snapshot to go on from: {}\n", system, event.text);
    } else if (event.kind == StreamEvent::Kind::Problem) {
        warn(system + ": " + event.text);
    }
    std::fflush(stdout);
}

Result<int> stream(const Context& context, const std::string& name) {
    const Home home = context.home();
    const SystemSettings system = HF_TRY(load_system(home, name));
    Node node = HF_TRY(open_node(home));
    std::unique_ptr<vault::Vault> first = std::move(node.vault);
    std::atomic<bool> stop{false};
    StreamSettings settings;
    settings.state = home.state;
    settings.run = home.run;
    settings.workers = default_workers();
    settings.open_vault = [&]() -> Result<std::unique_ptr<vault::Vault>> {
        if (first != nullptr) return std::move(first);
        return std::move(HF_TRY(open_node(home)).vault);
    };
    settings.in_use = [&](const vault::VaultReader& reader) -> Result<std::set<vault::SnapshotId>> {
        std::set<vault::SnapshotId> ids;
        for (const auto& [id, use] : HF_TRY(snapshots_in_use(home, reader))) ids.insert(id);
        return ids;
    };
    settings.attached = [&] { return attached_snapshots(home.mounts); };
    settings.tell = [&](const StreamEvent& event) {
        tell(event, name, context.json);
        if (event.kind == StreamEvent::Kind::Tail) replicate_soon(home);
    };
    settings.may_go_on = [&] { return check_term(home, system, system_clock()); };
    settings.stop = &stop;
    HF_TRY(watch(
        "stream " + name, stop, [](ProgressLine&) {},
        [&] { return stream_system(system, system_clock(), settings); }));
    return Done;
}

}  // namespace

void add_stream_verb(Command app, Context& context) {
    auto system = std::make_shared<std::string>();
    Command verb = app.add_subcommand("stream", "bring a database's log as it is written");
    verb.add_option("SYSTEM", *system, "the system's name").required();
    verb.add_flag("--json", context.json, "a line of JSON for each event");
    verb.footer(
        "Needs stream = \"2s\" in a postgres source: so much is lost at most when the source "
        "dies.\n"
        "Takes a snapshot first if none fits; stays until SIGTERM or Ctrl-C.\n"
        "Example: holdfast stream epr");
    verb.callback([&context, system] {
        context.verb = [&context, system] { return end(stream(context, *system)); };
    });
}

}  // namespace holdfast::agent::cli
