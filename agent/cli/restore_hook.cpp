#include "agent/cli/restore_hook.h"

#include "agent/config/systems.h"
#include "agent/process/command.h"
#include "vault/base/clock.h"

#include <filesystem>

namespace holdfast::agent::cli {

Result<std::vector<std::string>> run_restore_hooks(const Home& home,
                                                   const vault::SnapshotRecord& record,
                                                   const vault::Manifest& manifest,
                                                   const std::string& to) {
    const SystemSettings system = HF_TRY(load_system(home, record.system));
    const std::string whole = std::filesystem::absolute(to).lexically_normal().string();
    std::vector<std::string> proved;
    for (const vault::SourceInfo& restored : manifest.sources) {
        const SourceSettings* const source = system.source(restored.name);
        const auto* const landing =
            source == nullptr ? nullptr : std::get_if<LandingSourceSettings>(&source->of);
        if (landing == nullptr || landing->restore_hook.empty()) continue;
        CommandOrder order;
        order.command = landing->restore_hook;
        order.environment = {
            "HOLDFAST_SYSTEM=" + record.system, "HOLDFAST_SOURCE=" + restored.name,
            "HOLDFAST_SNAPSHOT=" + record.id.hex(),
            "HOLDFAST_FOLDER=" +
                (manifest.sources.size() == 1 ? whole : whole + "/" + restored.name)};
        order.ms_max = static_cast<int>(day_ms);
        const CommandResult ran = HF_TRY(run_command(order));
        if (!ran.ok()) {
            return Error{Errc::Io, "it is restored, but restore_hook (" + order.command[0] +
                                       ") of " + restored.name + " ended with " +
                                       std::to_string(ran.status) + ": " + ran.error_tail};
        }
        proved.push_back(restored.name);
    }
    if (proved.empty()) {
        return Error{Errc::NotFound, "it is restored, but no source of " + record.system +
                                         " has a restore_hook in this node's settings"};
    }
    return proved;
}

}  // namespace holdfast::agent::cli
