#include "agent/people/sign_in.h"

#include "agent/config/node_settings.h"
#include "agent/people/people_book.h"
#include "vault/base/file.h"
#include "vault/store/posix_store.h"
#include "vault/vault_reader.h"

#include <unistd.h>

#include <cerrno>
#include <optional>

namespace holdfast::agent {
namespace {

struct Found {
    vault::PersonCertificate certificate;
    vault::LockedKey locked;
};

std::string copy_path(const Home& home, const vault::PersonId& person) {
    return home.people + "/" + person.hex() + "/sign-in.key";
}

Error refusal() {
    return {Errc::Denied, "the name or the passphrase is wrong, or may not sign in here"};
}

/// The book alone: opening the whole vault for it would read the ledger.
Result<PeopleBook> open_book(const Home& home) {
    const NodeSettings node = HF_TRY(load_node(home));
    const vault::PosixStore store = HF_TRY(vault::PosixStore::open(home.vault));
    return PeopleBook::load(home, HF_TRY(vault::read_roster(store, node.trust)));
}

std::optional<Found> find(const Home& home, const PeopleBook& book, const std::string& name) {
    const auto known = book.named(name);
    if (!known || known->certificate.disabled) return std::nullopt;
    const std::string path = copy_path(home, known->certificate.person);
    const auto text = read_file(path, vault::locked_key_bytes_max);
    if (!text) return std::nullopt;
    auto locked = vault::parse_locked_key(as_text(*text), vault::KeyUse::Person);
    if (!locked || locked->key != known->certificate.key) return std::nullopt;
    return Found{known->certificate, std::move(*locked)};
}

/// What no passphrase opens, at the price of one that does.
vault::LockedKey nobodys_key(const vault::PasswordCost& cost) {
    vault::LockedKey locked;
    locked.name = "nobody";
    locked.lock.cost = cost;
    locked.lock.sealed.resize(72);  // As long as a real one; the rest of it never matters.
    return locked;
}

Result<SignedIn> standing(const vault::PersonCertificate& one, std::int64_t now_ms) {
    if (one.disabled) return refusal();
    if (now_ms < one.valid_from || now_ms >= one.valid_to) {
        return Error{Errc::Denied, "the certificate of " + one.name + " is good from " +
                                       format_time(one.valid_from) + " to " +
                                       format_time(one.valid_to) + ": an admin must renew it"};
    }
    return SignedIn{one.person, one.name, one.roles};
}

}  // namespace

Result<void> keep_sign_in(const Home& home, const vault::PersonCertificate& person,
                          const vault::LockedKey& locked) {
    if (locked.use != vault::KeyUse::Person || locked.key != person.key) {
        return Error{Errc::Invalid,
                     "this is not the key that " + person.name + " is certified with"};
    }
    if (locked.lock.cost.memory_bytes > sign_in_memory_max) {
        return Error{Errc::Invalid,
                     "opening this key takes over 1 GiB of memory; keys that "
                     "holdfast person add makes take 256 MiB"};
    }
    const std::string path = copy_path(home, person.person);
    HF_TRY(make_folders(path.substr(0, path.rfind('/'))));
    return write_file_durably(path, as_view(vault::locked_key_text(locked)), 0600);
}

Result<void> forget_sign_in(const Home& home, const vault::PersonCertificate& person) {
    const std::string path = copy_path(home, person.person);
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) {
            return Error{Errc::NotFound, person.name + " has no sign-in on this node"};
        }
        return io_error(errno, "remove " + path);
    }
    return sync_folder(path.substr(0, path.rfind('/')));
}

Result<SignedIn> check_sign_in(const Home& home, const std::string& name,
                               const vault::Secret& passphrase,
                               const vault::PasswordCost& stranger_cost, std::int64_t now_ms) {
    const PeopleBook book = HF_TRY(open_book(home));
    const std::optional<Found> found = find(home, book, name);
    const auto opened =
        vault::open_person_key(found ? found->locked : nobodys_key(stranger_cost), passphrase);
    if (!opened && opened.error().code == Errc::Full) return opened.error();
    if (!found || !opened || opened->public_key != found->certificate.key) return refusal();
    return standing(found->certificate, now_ms);
}

Result<SignedIn> still_signed_in(const Home& home, const vault::PersonId& person,
                                 std::int64_t now_ms) {
    for (const KnownPerson& known : HF_TRY(open_book(home)).all()) {
        if (known.certificate.person == person) return standing(known.certificate, now_ms);
    }
    return refusal();
}

}  // namespace holdfast::agent
