// Paper people: the persons of an owner, by the certificates among its papers here.
//
// When a paper came is its file's time. Founders are not new: those certified before the first
// paper came, and received within a day of it.
#pragma once

#include "vault/keys/person.h"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::replicator {

constexpr std::size_t paper_files_max = 100'000;

struct PaperPerson {
    vault::PersonCertificate certificate;
    std::int64_t seen_ms = 0;
    bool founder = false;
};

/// In the order of their files' names. What is no certificate, or does not hold, is left out.
/// Errors: Full, Io.
Result<std::vector<PaperPerson>> paper_people(const std::string& folder,
                                              const vault::Roster& owner);

/// The same, ready to be asked who may sign. Errors: as paper_people(), and those of People::add().
Result<vault::People> people_in_papers(const std::string& folder, const vault::Roster& owner);

/// Adds a person; a founder's day of waiting is over. Errors: those of People::add().
Result<void> add_to(vault::People& people, const PaperPerson& person);

}  // namespace holdfast::replicator
