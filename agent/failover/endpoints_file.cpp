#include "agent/failover/endpoints_file.h"

#include "replicator/relay/endpoint_list.h"
#include "vault/base/file.h"

#include <unistd.h>

#include <cerrno>

namespace holdfast::agent {
namespace {

std::string path_of(const Home& home, const Run& run) {
    return replicator::endpoints_path(home.run, run.owner, run.system);
}

}  // namespace

Result<void> write_endpoints(const Home& home, const Run& run) {
    replicator::RunningSystem running;
    running.owner = run.owner;
    running.system = run.system;
    running.run = run.name();
    running.term = run.facts.term;
    for (const OpenEndpoint& one : run.facts.endpoints) {
        running.endpoints.push_back({one.name, one.address});
    }
    const std::string path = path_of(home, run);
    HF_TRY(make_folders(path.substr(0, path.rfind('/')), 0755));
    return write_file_durably(path, as_view(replicator::endpoints_text(running)), 0644);
}

Result<void> remove_endpoints(const Home& home, const Run& run) {
    const std::string path = path_of(home, run);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(errno, "remove " + path);
    return {};
}

}  // namespace holdfast::agent
