#include "agent/cli/run_view.h"

#include "agent/json/json.h"
#include "vault/base/clock.h"

#include <fmt/format.h>
#include <poll.h>

#include <set>

namespace holdfast::agent::cli {
namespace {

constexpr int look_again_ms = 200;

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
std::string advice(const Json& run) {
    const std::int64_t id = number_in(run, "id");
    const std::string state = text_in(run, "state");
    if (state == "waiting") {
        return fmt::format("holdfast run approve {} --as NAME --key-file FILE --attest TEXT", id);
    }
    if (state == "stuck" || state == "paused") {
        return fmt::format("holdfast run resume {0}, or holdfast run abort {0}", id);
    }
    return {};
}

void print_end(const Json& run) {
    const Json& facts = run["facts"];
    const std::string note = text_in(run, "note");
    fmt::print("{} {}{}\n", text_in(run, "name"), text_in(run, "state"),
               note.empty() ? "" : ": " + note);
    for (const Json& one : list_in(facts, "endpoints")) {
        fmt::print("{} is at {}\n", text_in(one, "name"), text_in(one, "address"));
    }
    if (!text_in(facts, "evidence").empty()) {
        fmt::print("Report: {}\n", text_in(facts, "evidence"));
    }
    if (const std::string next = advice(run); !next.empty()) fmt::print("Next: {}\n", next);
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

int show_run(const Context& context, const std::string& text) {
    if (context.json) {
        fmt::print("{}\n", text);
        return Done;
    }
    const auto run = parse_object(text, "the agent's answer");
    if (!run) return fail(run.error());
    fmt::print("{}: {} of {}, ordered {} by {}\n", text_in(*run, "name"), text_in(*run, "kind"),
               text_in(*run, "system"), text_in(*run, "ordered"), text_in(*run, "ordered_by"));
    for (const Json& step : list_in(*run, "steps")) print_step(step);
    for (const Json& check : list_in((*run)["facts"], "checks")) {
        fmt::print("  check \"{}\" {}: {}\n", text_in(check, "name"),
                   flag_in(check, "passed") ? "passed" : "FAILED", text_in(check, "said"));
    }
    print_end(*run);
    return Done;
}

int follow_run(const Context& context, ControlClient& agent, const std::string& ordered) {
    auto id = run_number(ordered);
    if (!id) return fail(id.error());
    std::set<std::string> told;
    if (const auto before = parse_object(ordered, "the agent's answer")) {
        for (const Json& step : list_in(*before, "steps")) told.insert(key_of(step));
    }
    for (;;) {
        auto text = agent.get("/runs/" + std::to_string(*id));
        if (!text) return fail(text.error());
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
                print_end(*run);
            }
            return exit_code(*run);
        }
        (void)::poll(nullptr, 0, look_again_ms);
    }
}

}  // namespace holdfast::agent::cli
