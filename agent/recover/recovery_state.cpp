#include "agent/recover/recovery_state.h"

#include "vault/base/fault.h"
#include "vault/base/file.h"
#include "vault/keys/record.h"

#include <filesystem>

namespace holdfast::agent {
namespace {

namespace fs = std::filesystem;

// Names in certificates mean nothing, and the node's own is not known before its keys are.
constexpr const char* certificate_name = "holdfast";

std::string folder_of(const Home& home) {
    return home.state + "/recover";
}

Result<void> check_empty(const std::string& folder) {
    std::error_code failed;
    if (!path_exists(folder) || fs::is_empty(folder, failed)) return {};
    if (failed) return Error{Errc::Io, folder + ": " + failed.message()};
    return Error{Errc::Conflict,
                 folder +
                     " is not empty, though this is no node: recover onto an empty machine, or "
                     "put these files elsewhere first"};
}

}  // namespace

bool RecoveryState::only_end_is_missing(const Home& home) {
    return path_exists(home.node) && path_exists(folder_of(home));
}

Result<RecoveryState> RecoveryState::begin(const Home& home, const TrustId& trust) {
    if (path_exists(home.node)) {
        return Error{Errc::Conflict, home.node + " is there: this is a node already"};
    }
    const std::string mark = folder_of(home) + "/trust";
    if (path_exists(mark)) {
        const Buffer text = HF_TRY(read_file(mark, 64));
        if (as_text(text) == trust.hex()) return RecoveryState(home);
        return Error{Errc::Conflict, "the recovery of another trust was begun in " + home.state +
                                         " and did not end: use another, empty home"};
    }
    HF_TRY(end_of(home));  // Of a run that was killed before its first word.
    for (const std::string* folder : {&home.keys, &home.vault, &home.state}) {
        HF_TRY(check_empty(*folder));
    }
    HF_TRY(make_folders(folder_of(home)));
    HF_TRY(write_file_durably(mark, as_view(trust.hex())));
    fault_point("recovery begun");
    return RecoveryState(home);
}

Result<AgentKeys> RecoveryState::agent_keys(vault::Random& random) const {
    auto keys = read_agent_keys(home_.keys);
    if (keys || keys.error().code != Errc::NotFound) return keys;
    HF_TRY(make_folders(home_.keys));
    AgentKeys made = make_agent_keys(random);
    HF_TRY(write_agent_keys(home_.keys, made));
    fault_point("agent keys written");
    return made;
}

Result<LinkKeys> RecoveryState::link_keys(vault::Random& random) const {
    auto keys = read_link_keys(home_.keys);
    if (keys || keys.error().code != Errc::NotFound) return keys;
    LinkKeys made = HF_TRY(make_link_keys(certificate_name, random));
    HF_TRY(write_link_keys(home_.keys, made));
    fault_point("link keys written");
    return made;
}

Result<std::optional<Buffer>> RecoveryState::roster() const {
    auto object = read_file(folder_of(home_) + "/roster", vault::record_bytes_max);
    if (object) return std::optional<Buffer>(std::move(*object));
    if (object.error().code == Errc::NotFound) return std::optional<Buffer>{};
    return std::move(object).error();
}

Result<void> RecoveryState::keep_roster(View object) const {
    HF_TRY(write_file_durably(folder_of(home_) + "/roster", object));
    fault_point("roster signed");
    return {};
}

Result<void> RecoveryState::end_of(const Home& home) {
    std::error_code failed;
    fs::remove_all(folder_of(home), failed);
    if (failed) return Error{Errc::Io, "remove " + folder_of(home) + ": " + failed.message()};
    return {};
}

}  // namespace holdfast::agent
