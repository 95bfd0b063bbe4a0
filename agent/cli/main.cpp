// holdfast: the command line. Parses, then hands over to one verb.
#include "agent/cli/context.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

using namespace holdfast::agent::cli;

namespace {

/// Runs the verb; an answer that stdout did not take whole is a failure.
int run(const std::function<int()>& verb) {
    try {
        const int code = verb();
        return std::fflush(stdout) == 0 ? code : fail(answer_lost(errno));
    } catch (const std::system_error& error) {  // fmt::print says so in this way.
        if (std::ferror(stdout) == 0) throw;
        return fail(answer_lost(error.code().value()));
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    Context context;
    CommandLine line("holdfast", "Holdfast: trusts keep each other's clinical systems.",
                     "holdfast 0.1.0");
    Command app = line.root();
    app.add_option("--home", context.home_folder,
                   "the node's folder (default: /etc/holdfast and /var/lib/holdfast)")
        .type_name("DIR");
    app.require_subcommand();
    app.footer(
        "Exit codes: 0 done, 1 failed, 2 usage, 3 done with warnings.\n"
        "Each verb has --help, and --json where it reports.");
    add_setup_verbs(app, context);
    add_vault_verbs(app, context);
    add_restore_verb(app, context);
    add_verify_verbs(app, context);
    add_prune_verbs(app, context);
    add_browse_verbs(app, context);
    add_landing_verb(app, context);
    add_journal_verb(app, context);
    add_stream_verb(app, context);
    add_mount_verbs(app, context);
    add_partner_verbs(app, context);
    add_agreement_verbs(app, context);
    add_replicate_verbs(app, context);
    add_recover_verbs(app, context);
    add_order_verbs(app, context);
    add_run_verbs(app, context);
    add_release_verbs(app, context);
    add_holder_verbs(app, context);
    add_paper_verbs(app, context);
    add_people_verbs(app, context);
    add_custody_verbs(app, context);
    add_node_verbs(app, context);
    if (const auto code = line.parse(argc, argv)) return *code;
    return run(context.verb);
}
