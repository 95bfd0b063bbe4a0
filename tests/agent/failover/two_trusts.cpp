#include "tests/agent/failover/two_trusts.h"

#include "agent/failover/tenancy.h"
#include "agent/people/custody_files.h"
#include "vault/base/file.h"

#include <catch2/catch.hpp>

#include <filesystem>

namespace holdfast::test {

using namespace agent;
namespace fs = std::filesystem;

Node opened(const Home& home) {
    auto node = open_node(home);
    REQUIRE(node);
    return std::move(*node);
}

void bring(const FailoverHome& owner, const FailoverHome& host) {
    const Node own = opened(owner.home());
    const Node theirs = opened(host.home());
    const TrustId trust = own.settings.trust;
    const std::string to = tenancy_vault(host.home(), trust);
    REQUIRE(make_folders(to.substr(0, to.rfind('/'))));
    fs::copy(owner.home().vault, to, fs::copy_options::recursive | fs::copy_options::skip_existing);
    const auto papers = papers_for(owner.home(), theirs.settings.trust);
    REQUIRE(papers);
    const std::string folder = papers_folder(host.home(), trust) + "/all";
    REQUIRE(make_folders(folder));
    int number = 0;
    for (const Buffer& paper : *papers) {
        REQUIRE(write_file_durably(folder + "/" + std::to_string(number++), paper));
    }
}

void lend_runtime(const FailoverHome& owner, FailoverHome& host) {
    const auto runtime = read_file(owner.home().runtimes + "/sleeper.toml", 1 << 16);
    REQUIRE(runtime);
    host.write(host.home().runtimes + "/sleeper.toml", std::string(as_text(*runtime)));
}

}  // namespace holdfast::test
