#include "agent/source/hook/hook.h"

#include "agent/process/command.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

namespace holdfast::agent::hook {
namespace {

Result<std::string> run(const std::vector<std::string>& command, std::int64_t timeout_ms,
                        std::vector<std::string> environment) {
    CommandOrder order;
    order.command = command;
    order.environment = std::move(environment);
    order.ms_max =
        static_cast<int>(std::min<std::int64_t>(timeout_ms, std::numeric_limits<int>::max()));
    CommandResult ran = HF_TRY(run_command(order));
    if (ran.ok()) return std::move(ran.output);
    const std::string said = ran.error_tail.empty() ? "" : ": " + ran.error_tail;
    return Error{Errc::Io, "ended with " + std::to_string(ran.status) + said};
}

std::vector<std::string> environment_of(const Subject& subject) {
    return {"HOLDFAST_SYSTEM=" + subject.system, "HOLDFAST_SOURCE=" + subject.source,
            "HOLDFAST_PREVIOUS=" + subject.checkpoint};
}

}  // namespace

Result<Answers> parse_answers(std::string_view text, std::span<const std::string_view> known) {
    Answers out;
    while (!text.empty()) {
        const std::size_t newline = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, newline);
        text.remove_prefix(std::min(newline + 1, text.size()));
        if (line.empty()) continue;
        const std::size_t space = line.find(' ');
        const std::string key(line.substr(0, space));
        if (std::ranges::find(known, key) == known.end()) {
            std::string words;
            for (const std::string_view one : known) {
                words += (words.empty() ? "" : ", ") + std::string(one);
            }
            return Error{Errc::Invalid, "it answered \"" + key.substr(0, 40) +
                                            "\"; expected lines that start with one of: " + words};
        }
        const std::string_view value = space == line.npos ? "" : line.substr(space + 1);
        if (value.empty() || value.size() > answer_value_bytes_max ||
            value.find('\0') != value.npos) {
            return Error{Errc::Invalid, "it answered \"" + key + "\" with no value, or one over " +
                                            std::to_string(answer_value_bytes_max) + " bytes"};
        }
        if (!out.emplace(key, value).second) {
            return Error{Errc::Invalid, "it answered \"" + key + "\" twice"};
        }
    }
    return out;
}

Hook::Hook(HookSettings settings, Subject subject)
    : settings_(std::move(settings)), subject_(std::move(subject)) {}

Hook::Hook(Hook&& other) noexcept
    : settings_(std::move(other.settings_)),
      subject_(std::move(other.subject_)),
      answers_(std::move(other.answers_)),
      open_(std::exchange(other.open_, false)) {}

Hook::~Hook() {
    if (!open_) return;
    const auto ended = end(false);
    if (!ended) std::fprintf(stderr, "holdfast: %s\n", ended.error().message.c_str());
}

Result<Hook> Hook::begin(HookSettings settings, Subject subject,
                         std::span<const std::string_view> known) {
    Hook hook(std::move(settings), std::move(subject));
    const std::string what = "begin (" + hook.settings_.begin[0] + ")";
    const std::string said =
        HF_TRY(run(hook.settings_.begin, hook.settings_.timeout_ms, environment_of(hook.subject_))
                   .within(what));
    hook.answers_ = HF_TRY(parse_answers(said, known).within(what));
    return hook;
}

std::string Hook::answer(std::string_view key) const {
    const auto found = answers_.find(key);
    return found == answers_.end() ? std::string() : found->second;
}

Result<void> Hook::end(bool read) {
    open_ = false;
    if (settings_.end.empty()) return {};
    std::vector<std::string> environment = environment_of(subject_);
    environment.push_back("HOLDFAST_CHECKPOINT=" + answer("checkpoint"));
    environment.push_back(std::string("HOLDFAST_OUTCOME=") + (read ? "read" : "failed"));
    HF_TRY(run(settings_.end, settings_.timeout_ms, std::move(environment))
               .within("end (" + settings_.end[0] + ")"));
    return {};
}

}  // namespace holdfast::agent::hook
