#include "agent/config/runtime_settings.h"

#include "agent/config/name.h"
#include "agent/config/settings_files.h"
#include "agent/config/table_reader.h"

#include <unistd.h>

#include <array>
#include <csignal>

namespace holdfast::agent {

using config::Choice;
using config::in_quotes;
using config::Need;
using config::TableReader;
namespace rule = config::rule;

namespace {

enum class RuntimeKind { Command };

constexpr std::array<Choice<RuntimeKind>, 1> runtime_kinds{{{"command", RuntimeKind::Command}}};
constexpr std::array<Choice<int>, 6> stop_signals{{{"TERM", SIGTERM},
                                                   {"INT", SIGINT},
                                                   {"QUIT", SIGQUIT},
                                                   {"HUP", SIGHUP},
                                                   {"USR1", SIGUSR1},
                                                   {"USR2", SIGUSR2}}};

/// A program and its arguments. No search path and no shell stand between the file and execve().
void read_command(TableReader& reader, std::string_view key, const config::Rule& each,
                  Arguments& into) {
    Arguments read;
    if (!reader.texts(key, Need::Required, each, {1, arguments_max}, read)) return;
    const std::string& program = read.front();
    if (program[0] != '/' || program.find_first_of("{}") != std::string::npos) {
        reader.complain(key, "starts with " + in_quotes(program) +
                                 "; expected the whole path of a program, such as "
                                 "\"/usr/bin/psql\", and each argument by itself");
        return;
    }
    into = std::move(read);
}

void read_check_commands(TableReader& root, RuntimeSettings& out) {
    auto reader = root.table("commands", Need::Optional);
    if (!reader) return;
    const auto names = reader->keys();
    if (names.size() > commands_max) {
        root.complain("commands", "has " + std::to_string(names.size()) + " commands; at most " +
                                      std::to_string(commands_max) + " are allowed");
        return;
    }
    for (const std::string& name : names) {
        if (!is_name(name)) {
            reader->complain(name, "is no name; a command's is 1 to 40 of a-z, 0-9 and -");
            continue;
        }
        read_command(*reader, name, rule::own_argument, out.commands[name]);
    }
}

RuntimeSettings read_runtime(TableReader& root) {
    RuntimeSettings out;
    RuntimeKind kind{};
    root.text("name", Need::Required, rule::name, out.name);
    // Other kinds have other keys: nothing more can be told of one that is not known.
    if (!root.choice("kind", Need::Required, runtime_kinds, kind)) {
        root.finish(config::Others::Pass);
        return out;
    }
    root.text("user", Need::Required, rule::account, out.user);
    root.text("source", Need::Required, rule::name, out.source);
    read_command(root, "start", rule::argument, out.start);
    read_command(root, "ready", rule::own_argument, out.ready);
    root.choice("stop_signal", Need::Optional, stop_signals, out.stop_signal);
    std::int64_t stop_seconds = out.stop_seconds;
    root.number("stop_seconds", Need::Optional, {1, stop_seconds_max}, stop_seconds);
    out.stop_seconds = static_cast<int>(stop_seconds);
    read_check_commands(root, out);
    root.finish();
    return out;
}

}  // namespace

Result<RuntimeSettings> parse_runtime(const std::string& text, const std::string& file) {
    const config::Value document =
        HF_TRY(config::parse_document(text, file, runtime_file_bytes_max));
    config::Mistakes mistakes(file);
    TableReader root(document, "", mistakes);
    RuntimeSettings settings = read_runtime(root);
    if (!mistakes.none()) return std::move(mistakes).error();
    return settings;
}

Result<RuntimeSettings> load_runtime(const Home& home, const std::string& name) {
    const std::string path = HF_TRY(home.runtime_file(name));
    auto text = config::read_trusted_text(path, runtime_file_bytes_max, geteuid());
    if (!text && text.error().code == Errc::NotFound) {
        return Error{Errc::NotFound,
                     "no runtime " + in_quotes(name) + " on this node; " + path + " would hold it"};
    }
    RuntimeSettings settings = HF_TRY(parse_runtime(HF_TRY(std::move(text)), path));
    HF_TRY(config::check_stated_name(settings.name, name, path));
    return settings;
}

Result<std::vector<std::string>> list_runtimes(const Home& home) {
    return config::names_in(home.runtimes, runtimes_max);
}

Result<Arguments> expand_start(const RuntimeSettings& runtime, const PlaceholderValues& values) {
    Arguments out = HF_TRY(expand(runtime.start, values));
    if (!names_postgres_options(runtime.start)) {
        out.insert(out.end(), values.postgres_options.begin(), values.postgres_options.end());
    }
    return out;
}

}  // namespace holdfast::agent
