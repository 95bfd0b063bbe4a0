#include "agent/failover/endpoints_file.h"

#include "agent/json/json.h"
#include "vault/base/file.h"

#include <unistd.h>

#include <cerrno>

namespace holdfast::agent {
namespace {

std::string folder_of(const Home& home, const Run& run) {
    return home.run + "/endpoints/" + run.owner.hex();
}

std::string path_of(const Home& home, const Run& run) {
    return folder_of(home, run) + "/" + run.system + ".json";
}

}  // namespace

Result<void> write_endpoints(const Home& home, const Run& run) {
    Json out{{"owner", run.owner.hex()},
             {"system", run.system},
             {"run", run.name()},
             {"term", run.facts.term},
             {"endpoints", Json::array()}};
    for (const OpenEndpoint& one : run.facts.endpoints) {
        out["endpoints"].push_back({{"name", one.name}, {"address", one.address}});
    }
    HF_TRY(make_folders(folder_of(home, run), 0755));
    return write_file_durably(path_of(home, run), as_view(dump(out)), 0644);
}

Result<void> remove_endpoints(const Home& home, const Run& run) {
    const std::string path = path_of(home, run);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(errno, "remove " + path);
    return {};
}

}  // namespace holdfast::agent
