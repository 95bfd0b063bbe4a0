// Command and Option: the command line as the verbs build it, over CLI11 (whose header would cost
// each of them five seconds of compiling; command.cpp alone includes it).
//
// Both are handles: the tree belongs to the Command that main() made and lives as long as it. The
// variables that are bound must live until parse() has answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace holdfast::agent::cli {

class Option {
public:
    explicit Option(CLI::Option* option) : option_(option) {}

    Option required();
    /// What --help calls the value: "FILE".
    Option type_name(const std::string& name);
    Option excludes(Option other);
    Option excludes(const std::string& other);
    Option needs(Option other);
    Option needs(const std::string& other);
    /// How many values.
    Option expected(int at_least, int at_most);
    Option between(std::uint64_t least, std::uint64_t most);
    /// Takes 500GiB, 1.5 TB, 4096; the variable gets bytes. Units of 1000 and of 1024 differ.
    Option as_size();

private:
    CLI::Option* option_;
};

class Command {
public:
    explicit Command(CLI::App* app) : app_(app) {}

    Command add_subcommand(const std::string& name, const std::string& what);
    /// Exactly one of the subcommands must be named.
    void require_subcommand();

    /// `name` is "--name", or "NAME" for an argument by its place. A vector takes all its values.
    Option add_option(const std::string& name, std::string& variable, const std::string& what);
    Option add_option(const std::string& name, std::optional<std::string>& variable,
                      const std::string& what);
    Option add_option(const std::string& name, std::vector<std::string>& variable,
                      const std::string& what);
    Option add_option(const std::string& name, std::uint64_t& variable, const std::string& what);
    Option add_option(const std::string& name, std::int64_t& variable, const std::string& what);
    Option add_option(const std::string& name, unsigned& variable, const std::string& what);
    Option add_flag(const std::string& name, bool& variable, const std::string& what);

    /// Printed below the options: what there is to know, and an example.
    void footer(const std::string& text);
    /// Runs once the command's own words are parsed; may call usage_error().
    void callback(std::function<void()> parsed);

private:
    CLI::App* app_;
};

/// Ends the parsing from inside a callback: `missing` is told as required, exit code Usage.
[[noreturn]] void usage_error(const std::string& missing);

/// The root of the tree, and its parsing.
class CommandLine {
public:
    CommandLine(const std::string& name, const std::string& what, const std::string& version);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    Command root() { return Command(app_.get()); }
    /// The exit code, if the words were wrong or asked for help (which is printed); none: go on.
    std::optional<int> parse(int argc, char** argv);

private:
    std::unique_ptr<CLI::App> app_;
};

}  // namespace holdfast::agent::cli
