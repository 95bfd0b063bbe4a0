#include "replicator/tenancy/paper_people.h"

#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/temporary.h"
#include "vault/keys/record.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

namespace holdfast::replicator {
namespace {

namespace fs = std::filesystem;

struct Paper {
    Buffer object;
    std::int64_t seen_ms = 0;
};

/// What is still being written has ".tmp-" in its name.
void take_file(const std::string& path, std::map<std::string, Paper>& found) {
    struct stat about {};
    if (is_temporary(path) || ::stat(path.c_str(), &about) != 0) return;
    auto object = read_file(path, vault::record_bytes_max);
    if (!object) return;
    const std::int64_t seen_ms =
        std::int64_t{about.st_mtim.tv_sec} * 1000 + about.st_mtim.tv_nsec / 1'000'000;
    found[path] = {std::move(*object), seen_ms};
}

Result<std::map<std::string, Paper>> papers_below(const std::string& folder) {
    std::map<std::string, Paper> found;
    if (!path_exists(folder)) return found;
    std::error_code failed;
    for (auto at = fs::recursive_directory_iterator(folder, failed);
         !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        if (at->is_regular_file(failed)) take_file(at->path().string(), found);
        if (found.size() > paper_files_max) {
            return Error{Errc::Full, folder + " holds too many files"};
        }
    }
    if (failed) return Error{Errc::Io, folder + ": " + failed.message()};
    return found;
}

}  // namespace

Result<std::vector<PaperPerson>> paper_people(const std::string& folder,
                                              const vault::Roster& owner) {
    const auto papers = HF_TRY(papers_below(folder));
    std::int64_t first_ms = std::numeric_limits<std::int64_t>::max();
    for (const auto& [path, paper] : papers) first_ms = std::min(first_ms, paper.seen_ms);
    std::vector<PaperPerson> out;
    for (const auto& [path, paper] : papers) {
        auto one = vault::parse_certificate(paper.object, owner);
        if (!one) continue;  // An envelope, or what another officer signed once.
        const bool founder = paper.seen_ms <= first_ms + day_ms && one->time <= first_ms;
        out.push_back({std::move(*one), paper.seen_ms, founder});
    }
    return out;
}

Result<void> add_to(vault::People& people, const PaperPerson& person) {
    vault::PersonCertificate counted = person.certificate;
    if (person.founder) counted.time = 0;
    return people.add(counted, person.founder ? 0 : person.seen_ms);
}

Result<vault::People> people_in_papers(const std::string& folder, const vault::Roster& owner) {
    vault::People people;
    for (const PaperPerson& one : HF_TRY(paper_people(folder, owner))) {
        HF_TRY(add_to(people, one).within(folder));
    }
    return people;
}

}  // namespace holdfast::replicator
