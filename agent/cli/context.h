// Context: what every verb is given.
#pragma once

#include "agent/cli/command.h"
#include "agent/cli/terminal.h"
#include "agent/config/home.h"

#include <functional>
#include <optional>
#include <string>

namespace holdfast::agent::cli {

struct Context {
    std::optional<std::string> home_folder;  // --home; none: the standard places.
    bool json = false;
    std::function<int()> verb;  // What the command line asked for; answers the exit code.

    Home home() const { return home_folder ? Home::at(*home_folder) : Home::standard(); }
};

// One file of verbs each; they add subcommands to `app` that set context.verb.
void add_agreement_verbs(Command app, Context& context);  // agreement
void add_partner_verbs(Command app, Context& context);    // partner
void add_prune_verbs(Command app, Context& context);      // prune, forget
void add_recover_verbs(Command app, Context& context);    // recover
void add_replicate_verbs(Command app, Context& context);  // replicate
void add_restore_verb(Command app, Context& context);     // restore
void add_setup_verbs(Command app, Context& context);      // init, doctor, system
void add_vault_verbs(Command app, Context& context);      // snapshot, snapshots
void add_verify_verbs(Command app, Context& context);     // verify, repair
void add_browse_verbs(Command app, Context& context);     // ls, cat, find, diff, stats
void add_landing_verb(Command app, Context& context);     // landing
void add_journal_verb(Command app, Context& context);     // journal
void add_stream_verb(Command app, Context& context);      // stream
void add_mount_verbs(Command app, Context& context);      // mount, unmount
void add_node_verbs(Command app, Context& context);       // node
void add_custody_verbs(Command app, Context& context);    // custodian, recovery
void add_holder_verbs(Command app, Context& context);     // holder, relay
void add_paper_verbs(Command app, Context& context);      // papers
void add_people_verbs(Command app, Context& context);     // person
void add_order_verbs(Command app, Context& context);      // drill, failover
void add_release_verbs(Command app, Context& context);    // release
void add_run_verbs(Command app, Context& context);        // run, status

}  // namespace holdfast::agent::cli
