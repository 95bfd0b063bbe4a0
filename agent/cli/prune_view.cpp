#include "agent/cli/prune_view.h"

#include "agent/cli/terminal.h"
#include "agent/prune/keep_text.h"
#include "vault/base/clock.h"

#include <fmt/format.h>

namespace holdfast::agent::cli {
namespace {

Json to_json(const vault::PackAmount& amount) {
    return {{"packs", amount.packs}, {"bytes", amount.bytes}};
}

Json to_json(const Verdict& one) {
    return {{"id", one.record.id.hex()},
            {"time_ms", one.record.time},
            {"time", format_time(one.record.time)},
            {"keep", one.keep},
            {"why", one.why}};
}

std::string count_of(const vault::PackAmount& amount) {
    return fmt::format("{} packs, {}", amount.packs, human_bytes(amount.bytes));
}

}  // namespace

Json to_json(const SystemPlan& plan) {
    Json out{{"system", plan.system},
             {"rules", plan.rules ? Json(keep_text(*plan.rules)) : Json(nullptr)},
             {"kept", plan.kept()},
             {"forgotten", plan.verdicts.size() - plan.kept()},
             {"doubted", plan.doubted()},
             {"snapshots", Json::array()}};
    for (const Verdict& one : plan.verdicts) out["snapshots"].push_back(to_json(one));
    return out;
}

Json to_json(const vault::EraseReport& erased) {
    return {{"needed", to_json(erased.needed)},
            {"erased", to_json(erased.erased)},
            {"waiting", to_json(erased.waiting)},
            {"lists", erased.lists},
            {"processes", erased.processes}};
}

Json to_json(const vault::RepackReport& moved) {
    return {{"old", {{"packs", moved.old_packs}, {"bytes", moved.old_bytes}}},
            {"new", {{"packs", moved.new_packs}, {"bytes", moved.new_bytes}}},
            {"snapshots", moved.snapshots},
            {"damaged", moved.damage.size()}};
}

Json to_json(const vault::CarryReport& ledger) {
    return {{"carried_over", ledger.carried},
            {"entries", ledger.before},
            {"kept", ledger.kept},
            {"erased", ledger.erased}};
}

std::string to_text(const vault::RepackReport& moved, bool dry_run) {
    if (moved.old_packs == 0) return {};
    return fmt::format("{} what is needed of {} packs, {}, into {} of {}\n",
                       dry_run ? "would move" : "moved", moved.old_packs,
                       human_bytes(moved.old_bytes), moved.new_packs, human_bytes(moved.new_bytes));
}

std::string to_text(const SystemPlan& plan, bool dry_run) {
    if (!plan.rules) {
        return fmt::format("{}: {}, so all {} snapshots are kept\n", plan.system,
                           plan.unreadable ? "its settings are wrong" : plan.why_none,
                           plan.verdicts.size());
    }
    std::string text = fmt::format("{}: {} of {} snapshots {} ({})\n", plan.system, plan.kept(),
                                   plan.verdicts.size(), dry_run ? "would be kept" : "are kept",
                                   keep_text(*plan.rules));
    if (!dry_run) return text;
    for (const Verdict& one : plan.verdicts) {
        text += fmt::format(
            "  {:<12}  {:<20}  {}\n", one.record.id.brief(), format_time(one.record.time),
            one.keep ? fmt::format("keep: {}", fmt::join(one.why, ", ")) : "forget");
    }
    return text;
}

std::string to_text(const vault::EraseReport& erased, bool dry_run) {
    std::string text = fmt::format("{} {}; {} are needed", dry_run ? "would erase" : "erased",
                                   count_of(erased.erased), count_of(erased.needed));
    if (erased.waiting.packs != 0) {
        text += fmt::format(
            "\n{} more wait for what is at work on the vault now ({} processes); the next prune "
            "erases them",
            count_of(erased.waiting), erased.processes);
    }
    return text;
}

std::string to_text(const vault::CarryReport& ledger, bool dry_run) {
    if (!ledger.carried) return {};
    return fmt::format("\nthe ledger {} anew with {} of {} entries",
                       dry_run ? "would begin" : "began", ledger.kept, ledger.before);
}

}  // namespace holdfast::agent::cli
