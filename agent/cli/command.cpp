#include "agent/cli/command.h"

#include "agent/cli/terminal.h"
#include "agent/config/wording.h"

#include <CLI/CLI.hpp>

namespace holdfast::agent::cli {
namespace {

/// The verb or group that the command line came to before it stopped making sense.
const CLI::App& deepest(const CLI::App& app) {
    const auto below = app.get_subcommands();  // Those that were given.
    return below.empty() ? app : deepest(*below.front());
}

/// What was written where a verb is wanted, if that is what is wrong. CLI11 says that one is
/// missing.
std::optional<Error> unknown_verb(const CLI::App& app) {
    const CLI::App& at = deepest(app);
    const auto left = app.remaining(true);
    if (left.empty() || left.front().starts_with('-')) return std::nullopt;
    std::vector<std::string> names;
    for (const CLI::App* verb : at.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(verb->get_name());
    }
    if (names.empty()) return std::nullopt;  // A verb: it had an argument too many.
    const std::vector<std::string_view> words(names.begin(), names.end());
    const std::string path = &at == &app ? "" : at.get_name() + " ";
    return Error{Errc::Invalid, "there is no verb " + config::in_quotes(path + left.front()) +
                                    config::suggestion(left.front(), words) + " (holdfast " + path +
                                    "--help lists them)"};
}

}  // namespace

Option Option::required() {
    option_->required();
    return *this;
}

Option Option::type_name(const std::string& name) {
    option_->type_name(name);
    return *this;
}

Option Option::excludes(Option other) {
    option_->excludes(other.option_);
    return *this;
}

Option Option::excludes(const std::string& other) {
    option_->excludes(other);
    return *this;
}

Option Option::needs(Option other) {
    option_->needs(other.option_);
    return *this;
}

Option Option::needs(const std::string& other) {
    option_->needs(other);
    return *this;
}

Option Option::expected(int at_least, int at_most) {
    option_->expected(at_least, at_most);
    return *this;
}

Option Option::between(std::uint64_t least, std::uint64_t most) {
    option_->check(CLI::Range(least, most));
    return *this;
}

Option Option::as_size() {
    option_->transform(CLI::AsSizeValue(false));
    return *this;
}

Command Command::add_subcommand(const std::string& name, const std::string& what) {
    return Command(app_->add_subcommand(name, what));
}

void Command::require_subcommand() {
    app_->require_subcommand(1);
}

Option Command::add_option(const std::string& name, std::string& variable,
                           const std::string& what) {
    return Option(app_->add_option(name, variable, what));
}

Option Command::add_option(const std::string& name, std::optional<std::string>& variable,
                           const std::string& what) {
    return Option(app_->add_option(name, variable, what));
}

Option Command::add_option(const std::string& name, std::vector<std::string>& variable,
                           const std::string& what) {
    return Option(app_->add_option(name, variable, what));
}

Option Command::add_option(const std::string& name, std::uint64_t& variable,
                           const std::string& what) {
    return Option(app_->add_option(name, variable, what));
}

Option Command::add_option(const std::string& name, std::int64_t& variable,
                           const std::string& what) {
    return Option(app_->add_option(name, variable, what));
}

Option Command::add_option(const std::string& name, unsigned& variable, const std::string& what) {
    return Option(app_->add_option(name, variable, what));
}

Option Command::add_flag(const std::string& name, bool& variable, const std::string& what) {
    return Option(app_->add_flag(name, variable, what));
}

void Command::footer(const std::string& text) {
    app_->footer(text);
}

void Command::callback(std::function<void()> parsed) {
    app_->callback(std::move(parsed));
}

void usage_error(const std::string& missing) {
    throw CLI::RequiredError(missing);
}

CommandLine::CommandLine(const std::string& name, const std::string& what,
                         const std::string& version)
    : app_(std::make_unique<CLI::App>(what, name)) {
    app_->set_version_flag("--version", version);
}

CommandLine::~CommandLine() = default;

std::optional<int> CommandLine::parse(int argc, char** argv) {
    try {  // CLI11 throws; nothing behind this line does.
        app_->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const bool asked = error.get_exit_code() == int(CLI::ExitCodes::Success);  // --help.
        if (const auto unknown = unknown_verb(*app_); unknown && !asked) return fail(*unknown);
        return app_->exit(error) == 0 ? Done : Usage;
    }
    return std::nullopt;
}

}  // namespace holdfast::agent::cli
