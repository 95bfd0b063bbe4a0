#include "agent/people/people_book.h"

#include "replicator/tenancy/paper_people.h"
#include "vault/base/file.h"
#include "vault/base/temporary.h"
#include "vault/keys/record.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <map>

namespace holdfast::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t papers_max = 100'000;
constexpr std::array roles{vault::Role::Viewer, vault::Role::Operator, vault::Role::Approver,
                           vault::Role::Admin, vault::Role::Officer};

std::string founders_file(const Home& home) {
    return home.people + "/founders-until";
}

/// When founding ended; the far future while it goes on.
Result<std::int64_t> founders_until(const Home& home) {
    std::int64_t until = std::numeric_limits<std::int64_t>::max();
    if (!path_exists(founders_file(home))) return until;
    const Buffer text = HF_TRY(read_file(founders_file(home), 64));
    const std::string_view digits = as_text(text);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), until);
    if (read.ec != std::errc()) {
        return Error{Errc::Corrupt, founders_file(home) + " holds no time"};
    }
    return until;
}

/// All files below a folder, sorted; none if there is no folder. Errors: Io.
Result<std::vector<std::string>> files_below(const std::string& folder) {
    std::vector<std::string> out;
    if (!path_exists(folder)) return out;
    std::error_code failed;
    for (auto at = fs::recursive_directory_iterator(folder, failed);
         !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        if (at->is_regular_file(failed)) out.push_back(at->path().string());
        if (out.size() > papers_max) return Error{Errc::Full, folder + " holds too many files"};
    }
    if (failed) return Error{Errc::Io, folder + ": " + failed.message()};
    std::sort(out.begin(), out.end());
    return out;
}

bool is_certificate(const std::string& path) {
    return path.ends_with(".person") && !is_temporary(path);
}

/// NUMBER-SEEN.person
Result<std::int64_t> seen_in(const std::string& path) {
    const std::size_t dash = path.rfind('-');
    std::int64_t seen = 0;
    if (dash != std::string::npos) {
        std::from_chars(path.data() + dash + 1, path.data() + path.size(), seen);
    }
    if (seen <= 0) return Error{Errc::Corrupt, path + ": its name does not say when it came"};
    return seen;
}

std::string file_name(const vault::PersonCertificate& one, std::int64_t seen_ms) {
    return std::to_string(one.number) + "-" + std::to_string(seen_ms) + ".person";
}

Result<void> write_certificate(const Home& home, const vault::PersonCertificate& one, View object,
                               std::int64_t seen_ms) {
    const std::string folder = home.people + "/" + one.person.hex();
    HF_TRY(make_folders(folder));
    return write_file_durably(folder + "/" + file_name(one, seen_ms), object);
}

Result<vault::PersonCertificate> keep(const Home& home, const vault::PersonCertificate& one,
                                      const vault::SigningKey& office, std::int64_t now_ms) {
    HF_TRY(write_certificate(home, one, HF_TRY(vault::certify(one, office)), now_ms));
    return one;
}

Result<void> check_office(const vault::Roster& roster, const vault::SigningKey& office) {
    if (roster.officer_by_key(office.public_key) != nullptr) return {};
    return Error{Errc::Denied, "this node's office key is not on the roster"};
}

}  // namespace

Result<void> PeopleBook::add(const vault::PersonCertificate& certificate, std::int64_t seen_ms,
                             bool founder) {
    vault::PersonCertificate counted = certificate;
    if (founder) counted.time = 0;  // Their day of waiting is long over.
    HF_TRY(people_.add(counted, founder ? 0 : seen_ms));
    KnownPerson& known = newest_[certificate.person];
    if (certificate.number >= known.certificate.number) known = {certificate, seen_ms, founder};
    return {};
}

Result<PeopleBook> PeopleBook::load(const Home& home, const vault::Roster& roster) {
    PeopleBook book;
    const std::int64_t until = HF_TRY(founders_until(home));
    for (const std::string& path : HF_TRY(files_below(home.people))) {
        if (!is_certificate(path)) continue;
        const Buffer object = HF_TRY(read_file(path, vault::record_bytes_max));
        const auto one = HF_TRY(vault::parse_certificate(object, roster).within(path));
        const std::int64_t seen = HF_TRY(seen_in(path));
        HF_TRY(book.add(one, seen, seen < until).within(path));
    }
    return book;
}

Result<PeopleBook> PeopleBook::load_papers(const std::string& folder, const vault::Roster& roster) {
    PeopleBook book;
    for (const auto& one : HF_TRY(replicator::paper_people(folder, roster))) {
        HF_TRY(book.add(one.certificate, one.seen_ms, one.founder).within(folder));
    }
    return book;
}

std::vector<KnownPerson> PeopleBook::all() const {
    std::vector<KnownPerson> out;
    for (const auto& [id, known] : newest_) out.push_back(known);
    std::sort(out.begin(), out.end(), [](const KnownPerson& a, const KnownPerson& b) {
        return a.certificate.name < b.certificate.name;
    });
    return out;
}

Result<KnownPerson> PeopleBook::named(const std::string& name) const {
    const KnownPerson* found = nullptr;
    for (const auto& [id, known] : newest_) {
        if (known.certificate.name != name) continue;
        if (found != nullptr) return Error{Errc::Conflict, "two persons are called " + name};
        found = &known;
    }
    if (found == nullptr) {
        return Error{Errc::NotFound, "no person is called " + name + " (holdfast person list)"};
    }
    return *found;
}

Result<void> keep_certificate(const Home& home, const vault::PersonCertificate& certificate,
                              View object) {
    return write_certificate(home, certificate, object, certificate.time);
}

Result<vault::PersonCertificate> add_person(const Home& home, const vault::Roster& roster,
                                            const vault::SigningKey& office,
                                            const NewPerson& person, const Clock& clock,
                                            vault::Random& random) {
    HF_TRY(check_office(roster, office));
    const PeopleBook book = HF_TRY(PeopleBook::load(home, roster));
    if (book.named(person.name)) {
        return Error{Errc::Conflict, "there is a person called " + person.name + " already"};
    }
    const std::int64_t now_ms = clock.wall_ms();
    vault::PersonCertificate one;
    one.person = random.id<vault::PersonId>();
    one.trust = roster.trust;
    one.name = person.name;
    one.key = person.key;
    one.roles = person.roles;
    std::sort(one.roles.begin(), one.roles.end());
    one.roles.erase(std::unique(one.roles.begin(), one.roles.end()), one.roles.end());
    one.time = one.valid_from = now_ms;
    one.valid_to = now_ms + certificate_valid_ms;
    return keep(home, one, office, now_ms);
}

Result<vault::PersonCertificate> disable_person(const Home& home, const vault::Roster& roster,
                                                const vault::SigningKey& office,
                                                const std::string& name, const Clock& clock) {
    HF_TRY(check_office(roster, office));
    const PeopleBook book = HF_TRY(PeopleBook::load(home, roster));
    vault::PersonCertificate one = HF_TRY(book.named(name)).certificate;
    if (one.disabled) return Error{Errc::Conflict, name + " is disabled already"};
    one.disabled = true;
    ++one.number;
    one.time = clock.wall_ms();
    return keep(home, one, office, one.time);
}

Result<std::vector<Buffer>> person_records(const Home& home) {
    std::vector<Buffer> out;
    for (const std::string& path : HF_TRY(files_below(home.people))) {
        if (is_certificate(path)) out.push_back(HF_TRY(read_file(path, vault::record_bytes_max)));
    }
    return out;
}

Result<void> end_founding(const Home& home, std::int64_t now_ms) {
    if (path_exists(founders_file(home))) return {};
    HF_TRY(make_folders(home.people));
    return write_file_durably(founders_file(home), as_view(std::to_string(now_ms)));
}

Result<vault::Role> parse_role(const std::string& name) {
    for (const vault::Role role : roles) {
        if (vault::role_name(role) == name) return role;
    }
    return Error{Errc::Invalid, name + ": a role is viewer, operator, approver, admin or officer"};
}

}  // namespace holdfast::agent
