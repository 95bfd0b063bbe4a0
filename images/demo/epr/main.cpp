// holdfast-demo-epr: an example clinical system with synthetic data. See images/demo/README.md.
//
// Exit: 0 done, and equal; 1 failed, or differs; 2 wrong arguments, or it could not be compared.
#include "images/demo/epr/verbs.h"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

using namespace holdfast;

constexpr int exit_failed = 1;
constexpr int exit_unknown = 2;

struct Arguments {
    std::uint64_t seed = 0;
    std::uint64_t megabytes = 300;
    demo::Place place;
    std::string log;
    double rate = 20;
    std::uint64_t count = 0;
    std::uint64_t retry_s = 0;
    std::uint64_t n = 0;
    std::uint64_t patient = 0;
    bool any = false;
    bool json = false;
};

int report(const Error& error, int code) {
    std::fprintf(stderr, "holdfast-demo-epr: %s\n", error.message.c_str());
    return code;
}
int report(const Result<void>& outcome) {
    return outcome ? 0 : report(outcome.error(), exit_failed);
}

void add_data(CLI::App& verb, Arguments& to) {
    verb.add_option("--seed", to.seed, "What all data is made from")->required();
    verb.add_option("--megabytes", to.megabytes, "Size of the loaded data")->capture_default_str();
}
void add_database(CLI::App& verb, Arguments& to) {
    verb.add_option("--database", to.place.database, "libpq connection string")->required();
}
CLI::Option* add_documents(CLI::App& verb, Arguments& to) {
    return verb.add_option("--documents", to.place.documents, "Folder of letters and images");
}
void add_json(CLI::App& verb, Arguments& to) {
    verb.add_flag("--json", to.json, "Answer in one line of JSON");
}

void add_verbs(CLI::App& app, Arguments& to) {
    CLI::App& load = *app.add_subcommand("load", "Fill an empty database and folder");
    add_data(load, to);
    add_database(load, to);
    add_documents(load, to)->required();

    CLI::App& write = *app.add_subcommand("write", "Write transactions until SIGTERM");
    write.add_option("--seed", to.seed, "The seed that was loaded")->required();
    add_database(write, to);
    add_documents(write, to)->required();
    write.add_option("--log", to.log, "File of acknowledged transactions")->required();
    write.add_option("--rate", to.rate, "Transactions a second; 0: as fast as they go")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e6));
    write.add_option("--count", to.count, "Stop after so many; 0: go on");
    write.add_option("--retry", to.retry_s, "Seconds to try to reconnect for")
        ->check(CLI::Range(0, 86400));

    CLI::App& prove = *app.add_subcommand("prove", "Compare all content with the seed");
    add_data(prove, to);
    add_database(prove, to);
    add_documents(prove, to)->required();
    add_json(prove, to);

    CLI::App& ask = *app.add_subcommand("ask", "Show a patient's allergies and latest letter");
    add_database(ask, to);
    add_documents(ask, to);
    CLI::Option* patient = ask.add_option("--patient", to.patient, "The patient's id");
    ask.add_flag("--any", to.any, "The patient whose letter is the newest")->excludes(patient);
    add_json(ask, to);

    CLI::App& lost = *app.add_subcommand("lost", "Count acknowledged transactions beyond n");
    lost.add_option("--log", to.log, "The writer's log")->required();
    lost.add_option("--n", to.n, "The last transaction that is still there")->required();
    add_json(lost, to);
}

int run_load(const Arguments& with) {
    const auto data = demo::Dataset::make(with.seed, with.megabytes);
    if (!data) return report(data.error(), exit_unknown);
    return report(demo::load(*data, with.place));
}

int run_prove(const Arguments& with) {
    const auto data = demo::Dataset::make(with.seed, with.megabytes);
    if (!data) return report(data.error(), exit_unknown);
    const auto equal = demo::prove(*data, with.place, with.json);
    if (!equal) return report(equal.error(), exit_unknown);
    return *equal ? 0 : exit_failed;
}

int run_ask(const Arguments& with) {
    const bool any = with.any || with.patient == 0;
    return report(
        demo::ask(with.place, any ? std::nullopt : std::optional(with.patient), with.json));
}

int run_write(const Arguments& with) {
    const demo::WriteOrder order{with.seed, with.place, with.log,
                                 with.rate, with.count, with.retry_s};
    return report(demo::write(order, system_clock()));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("An example clinical system. All its data is synthetic.");
    app.require_subcommand(1);
    Arguments with;
    add_verbs(app, with);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {  // CLI11 has no other way to say it.
        return app.exit(error) == 0 ? 0 : exit_unknown;
    }
    if (app.got_subcommand("load")) return run_load(with);
    if (app.got_subcommand("write")) return run_write(with);
    if (app.got_subcommand("prove")) return run_prove(with);
    if (app.got_subcommand("ask")) return run_ask(with);
    return report(demo::lost(with.log, with.n, with.json));
}
