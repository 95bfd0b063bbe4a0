#include "agent/source/command/copy.h"

#include "agent/process/command.h"
#include "agent/source/made_entry.h"
#include "vault/base/clock.h"

#include <algorithm>
#include <limits>

namespace holdfast::agent::command {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::uint32_t folder_mode = 0700;
constexpr std::uint32_t file_mode = 0600;

}  // namespace

Result<OutputFacts> copy_output(const OutputSettings& settings, Sink& sink,
                                const Progress& progress) {
    OutputFacts facts;
    const std::int64_t start_ns = system_clock().steady_ns();
    const std::int64_t now_ms = system_clock().wall_ms();
    HF_TRY(sink.add(made_entry("", vault::FileType::Directory, folder_mode, now_ms), 0));
    const ContentHandle content = HF_TRY(sink.begin_content(Shape::Stream));
    CommandOrder order;
    order.command = settings.command;
    order.ms_max = static_cast<int>(
        std::min<std::int64_t>(settings.timeout_ms, std::numeric_limits<int>::max()));
    order.on_output = [&](View piece) -> Result<void> {
        facts.bytes += piece.size();
        if (!progress(facts.bytes)) return Error{Errc::Interrupted, "stopped"};
        return sink.write(piece);
    };
    auto ran = run_command(order);
    if (!ran || !ran->ok()) {
        sink.drop_content();
        if (!ran) return std::move(ran).error();
        const std::string said = ran->error_tail.empty() ? "" : ": " + ran->error_tail;
        return Error{Errc::Io,
                     settings.command[0] + " ended with " + std::to_string(ran->status) + said};
    }
    HF_TRY(sink.end_content());
    vault::Entry file = made_entry(settings.file, vault::FileType::Regular, file_mode, now_ms);
    file.size = facts.bytes;
    HF_TRY(sink.add(std::move(file), facts.bytes == 0 ? 0 : content));
    facts.took_ms = (system_clock().steady_ns() - start_ns) / ns_per_ms;
    return facts;
}

}  // namespace holdfast::agent::command
