#include "agent/cli/run_view.h"

#include "vault/base/clock.h"
#include "vault/base/json.h"

#include <fmt/format.h>
#include <poll.h>

#include <set>

namespace holdfast::agent::cli {
namespace {

constexpr int look_again_ms = 200;
constexpr int link_ms_max = 60'000;  // Without an answer for so long we stop looking.

bool stands_still(const std::string& state) {
    return state == "waiting" || state == "stuck" || state == "paused";
}

void print_step(const Json& step) {
    const std::int64_t took_ms = number_in(step, "ended_ms") - number_in(step, "begun_ms");
    const std::string took = number_in(step, "ended_ms") != 0 ? human_duration(took_ms) : "";
    fmt::print("  {:<10} {:<8} {:>10}  {}\n", text_in(step, "name"), text_in(step, "state"), took,
               text_in(step, "outcome"));
    std::fflush(stdout);
}

std::string key_of(const Json& step) {
    return text_in(step, "name") + " " + text_in(step, "state");
}

/// What a person can do now.
std::string advice(const Json& run, const RunPlace& place) {
    const std::string id = std::to_string(number_in(run, "id")) + place.option();
    const std::string state = text_in(run, "state");
    const std::string kind = text_in(run, "kind");
    const bool opened = number_in(run["facts"], "opened_ms") != 0;
    if (state == "waiting" && !text_in(run["facts"], "snapshot").empty() && kind == "failover") {
        return fmt::format("holdfast run approve {} --key-file FILE --attest TEXT", id);
    }
    if (state == "waiting") {
        return fmt::format("holdfast run approve {} --share FILE{}", id,
                           place.partner() ? " (or --release FILE)" : "");
    }
    if (state == "stuck" && opened) {
        return fmt::format("holdfast run resume {0}, or holdfast run stop {0}", id);
    }
    if (state == "stuck" || state == "paused") {
        return fmt::format("holdfast run resume {0}, or holdfast run abort {0}", id);
    }
    if (state == "succeeded" && opened)
        return fmt::format("holdfast run stop {}, when it has done its work", id);
    return {};
}

void print_end(const Json& run, const RunPlace& place) {
    const Json& facts = run["facts"];
    const std::string note = text_in(run, "note");
    fmt::print("{} {}{}\n", text_in(run, "name"), text_in(run, "state"),
               note.empty() ? "" : ": " + note);
    const bool open = text_in(run, "state") == "succeeded";
    for (const Json& one : list_in(facts, "endpoints")) {
        if (!open) break;
        fmt::print("{} is at {}\n", text_in(one, "name"), text_in(one, "address"));
    }
    if (!text_in(facts, "evidence").empty()) {
        fmt::print("Report: holdfast run report {}{}\n", number_in(run, "id"), place.option());
    }
    if (const std::string next = advice(run, place); !next.empty()) fmt::print("Next: {}\n", next);
}

int exit_code(const Json& run) {
    const std::string state = text_in(run, "state");
    return state == "failed" || state == "aborted" || state == "stuck" ? Failed : Done;
}

}  // namespace

Result<std::int64_t> run_number(const std::string& json) {
    const Json run = HF_TRY(parse_object(json, "the agent's answer"));
    return number_in(run, "id");
}

int show_run(const Context& context, const RunPlace& place, const std::string& text) {
    if (context.json) {
        fmt::print("{}\n", text);
        return Done;
    }
    const auto run = parse_object(text, "the agent's answer");
    if (!run) return fail(run.error());
    fmt::print("{}: {} of {}, {}, ordered {} by {}\n", text_in(*run, "name"), text_in(*run, "kind"),
               text_in(*run, "system"), place.partner() ? "at " + place.name() : "here",
               text_in(*run, "ordered"), text_in(*run, "ordered_by"));
    for (const Json& step : list_in(*run, "steps")) print_step(step);
    for (const Json& check : list_in((*run)["facts"], "checks")) {
        fmt::print("  check \"{}\" {}: {}\n", text_in(check, "name"),
                   flag_in(check, "passed") ? "passed" : "FAILED", text_in(check, "said"));
    }
    print_end(*run, place);
    return Done;
}

int follow_run(const Context& context, RunPlace& place, const std::string& ordered) {
    auto id = run_number(ordered);
    if (!id) return fail(id.error());
    std::set<std::string> told;
    if (const auto before = parse_object(ordered, "the agent's answer")) {
        for (const Json& step : list_in(*before, "steps")) told.insert(key_of(step));
    }
    int silent_ms = 0;
    for (;;) {
        auto text = place.get("/runs/" + std::to_string(*id));
        const bool gone = !text && text.error().code == Errc::Unreachable;
        if (gone && silent_ms < link_ms_max) {
            if (silent_ms == 0) warn("no answer; the run goes on, trying again");
            silent_ms += look_again_ms;
            (void)::poll(nullptr, 0, look_again_ms);
            continue;
        }
        if (!text) return fail(text.error());
        silent_ms = 0;
        const auto run = parse_object(*text, "the agent's answer");
        if (!run) return fail(run.error());
        for (const Json& step : list_in(*run, "steps")) {
            const std::string state = text_in(step, "state");
            if (context.json || state == "ahead" || state == "begun") continue;
            if (told.insert(key_of(step)).second) print_step(step);
        }
        const bool settled = flag_in(*run, "over") || stands_still(text_in(*run, "state"));
        if (settled && text_in(*run, "asked").empty()) {
            if (context.json) {
                fmt::print("{}\n", *text);
            } else {
                print_end(*run, place);
            }
            return exit_code(*run);
        }
        (void)::poll(nullptr, 0, look_again_ms);
    }
}

}  // namespace holdfast::agent::cli
