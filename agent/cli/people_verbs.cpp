// person: who may order and approve.
#include "agent/cli/passphrase.h"
#include "agent/cli/report.h"
#include "agent/node/node.h"
#include "agent/people/people_book.h"
#include "agent/people/sign_in.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/keys/locked_file.h"

#include <fmt/format.h>

#include <memory>

namespace holdfast::agent::cli {
namespace {

struct PersonOptions {
    std::string name;
    std::vector<std::string> roles;
    std::string key_file;
    std::string passphrase_file;
    bool no_sign_in = false;
    bool remove = false;
};

std::string roles_text(const vault::PersonCertificate& one) {
    std::string text;
    for (const vault::Role role : one.roles) {
        text += (text.empty() ? "" : ", ") + std::string(vault::role_name(role));
    }
    return text;
}

/// The key file first: a certificate whose key nobody has would be of no use.
Result<vault::PersonCertificate> make_person(const Home& home, const PersonOptions& options) {
    NewPerson person;
    person.name = options.name;
    for (const std::string& role : options.roles) person.roles.push_back(HF_TRY(parse_role(role)));
    if (path_exists(options.key_file)) {
        return Error{Errc::Conflict, options.key_file + " is there already"};
    }
    const Node node = HF_TRY(open_node(home));
    const vault::Secret passphrase =
        HF_TRY(get_passphrase(options.passphrase_file, "Passphrase for " + options.name));
    vault::Random& random = vault::system_random();
    const vault::SigningKey key = vault::SigningKey::make(random);
    person.key = key.public_key;
    const vault::LockedKey locked = HF_TRY(vault::lock_person_key(
        key, options.name, system_clock().wall_ms(), passphrase, vault::PasswordCost(), random));
    HF_TRY(write_file_durably(options.key_file, as_view(vault::locked_key_text(locked))));
    auto made = HF_TRY(
        add_person(home, node.vault->roster(), node.keys.office, person, system_clock(), random));
    if (!options.no_sign_in) HF_TRY(keep_sign_in(home, made, locked));
    return made;
}

int person_add(const Context& context, const PersonOptions& options) {
    auto made = make_person(context.home(), options);
    if (!made) return fail(made.error());
    if (context.json) {
        const Json out{{"name", made->name}, {"key", made->key.hex()}, {"file", options.key_file}};
        fmt::print("{}\n", json_text(out));
    } else {
        fmt::print("{} is certified as {}. The key is in {}; it belongs to {} alone.\n", made->name,
                   roles_text(*made), options.key_file, made->name);
        if (!options.no_sign_in) {
            fmt::print("The passphrase also signs {} in to this node's console.\n", made->name);
        }
    }
    return Done;
}

Result<PeopleBook> load_book(const Home& home) {
    const Node node = HF_TRY(open_node(home));
    return PeopleBook::load(home, node.vault->roster());
}

int person_list(const Context& context) {
    auto book = load_book(context.home());
    if (!book) return fail(book.error());
    Json out = Json::array();
    for (const KnownPerson& known : book->all()) {
        const vault::PersonCertificate& one = known.certificate;
        const auto may =
            book->people().may(one.key, vault::Role::Approver, system_clock().wall_ms());
        const std::string note = one.disabled                     ? "disabled"
                                 : may                            ? "can approve"
                                 : one.has(vault::Role::Approver) ? may.error().message
                                 : one.has(vault::Role::Operator) ? "can sign beside an approver"
                                                                  : "";
        out.push_back({{"name", one.name},
                       {"roles", roles_text(one)},
                       {"key", one.key.hex()},
                       {"disabled", one.disabled},
                       {"valid_to_ms", one.valid_to},
                       {"can_approve", bool(may)}});
        if (!context.json) fmt::print("{:<24} {:<24} {}\n", one.name, roles_text(one), note);
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return Done;
}

Result<std::string> change_sign_in(const Home& home, const PersonOptions& options) {
    const auto person = HF_TRY(HF_TRY(load_book(home)).named(options.name)).certificate;
    if (options.key_file.empty()) {
        HF_TRY(forget_sign_in(home, person));
        return person.name + " can no longer sign in to this node's console.";
    }
    const Buffer text = HF_TRY(read_file(options.key_file, vault::locked_key_bytes_max));
    const auto locked = HF_TRY(
        vault::parse_locked_key(as_text(text), vault::KeyUse::Person).within(options.key_file));
    HF_TRY(keep_sign_in(home, person, locked).within(options.key_file));
    return person.name + " can sign in to this node's console.";
}

int person_sign_in(const Context& context, const PersonOptions& options) {
    const auto said = change_sign_in(context.home(), options);
    if (!said) return fail(said.error());
    report(context, {{"name", options.name}, {"sign_in", !options.remove}}, *said);
    return Done;
}

Result<vault::PersonCertificate> disable(const Home& home, const std::string& name) {
    const Node node = HF_TRY(open_node(home));
    return disable_person(home, node.vault->roster(), node.keys.office, name, system_clock());
}

int person_disable(const Context& context, const std::string& name) {
    auto done = disable(context.home(), name);
    if (!done) return fail(done.error());
    report(context, {{"name", name}, {"key", done->key.hex()}, {"disabled", true}},
           name + " can order and approve nothing any more.");
    return Done;
}

void add_sign_in(Command group, Context& context) {
    auto options = std::make_shared<PersonOptions>();
    Command verb = group.add_subcommand("sign-in", "let a person use the console, or no longer");
    verb.add_option("NAME", options->name, "the person's name").required();
    Option file = verb.add_option("--key-file", options->key_file,
                                  "the person's key; a copy, still locked, is kept here")
                      .type_name("FILE");
    verb.add_flag("--remove", options->remove, "remove the copy that is kept here").excludes(file);
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer("Example: holdfast person sign-in \"Dr Ada Marsh\" --key-file ada.key");
    verb.callback([&context, options] {
        if (options->key_file.empty() && !options->remove) {
            usage_error("--key-file FILE or --remove");
        }
        context.verb = [&context, options] { return person_sign_in(context, *options); };
    });
}

}  // namespace

void add_people_verbs(Command app, Context& context) {
    Command group = app.add_subcommand("person", "who may order and approve");
    group.require_subcommand();
    auto options = std::make_shared<PersonOptions>();
    Command add = group.add_subcommand("add", "certify a person, with a key of their own");
    add.add_option("NAME", options->name, "the person's name").required();
    add.add_option("--role", options->roles, "viewer, operator, approver or admin (repeatable)")
        .required()
        .type_name("ROLE");
    add.add_option("--key-file", options->key_file, "where the person's key is written")
        .required()
        .type_name("FILE");
    add.add_option("--passphrase-file", options->passphrase_file,
                   "take the key's passphrase from FILE instead of asking");
    add.add_flag("--no-sign-in", options->no_sign_in,
                 "keep no copy of the locked key here: the person cannot use the console");
    add.add_flag("--json", context.json, "report as JSON");
    add.footer("Example: holdfast person add \"Dr Ada Marsh\" --role approver --key-file ada.key");
    add.callback([&context, options] {
        context.verb = [&context, options] { return person_add(context, *options); };
    });
    Command list = group.add_subcommand("list", "list the persons");
    list.add_flag("--json", context.json, "report as JSON");
    list.footer("Example: holdfast person list");
    list.callback([&context] { context.verb = [&context] { return person_list(context); }; });
    Command end = group.add_subcommand("disable", "end what a person may do");
    end.add_option("NAME", options->name, "the person's name").required();
    end.add_flag("--json", context.json, "report as JSON");
    end.footer("Example: holdfast person disable \"Dr Ada Marsh\"");
    end.callback([&context, options] {
        context.verb = [&context, options] { return person_disable(context, options->name); };
    });
    add_sign_in(group, context);
}

}  // namespace holdfast::agent::cli
