#include "agent/mount/status.h"

#include "vault/base/file.h"

#include "vault/base/json.h"

#include <array>
#include <utility>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t status_bytes_max = 64 << 10;

constexpr std::array<std::pair<const char*, std::uint64_t MountStatus::*>, 8> members{{
    {"nodes", &MountStatus::nodes},
    {"bytes_fetched", &MountStatus::bytes_fetched},
    {"bytes_read", &MountStatus::bytes_read},
    {"bytes_written", &MountStatus::bytes_written},
    {"dirty_blocks", &MountStatus::dirty_blocks},
    {"syncs", &MountStatus::syncs},
    {"journal_bytes", &MountStatus::journal_bytes},
    {"lower_failures", &MountStatus::lower_failures},
}};

}  // namespace

std::string encode_status(const MountStatus& status) {
    Json out;
    for (const auto& [name, member] : members) out[name] = status.*member;
    return json_text(out) + "\n";
}

Result<MountStatus> read_mount_status(const std::string& path) {
    const Buffer text = HF_TRY(read_file(path, status_bytes_max));
    const Json parsed = HF_TRY(parse_json(as_text(text)).within(path));
    MountStatus out;
    for (const auto& [name, member] : members) {
        if (!field_in(parsed, name).is_number_unsigned()) {
            return Error{Errc::Corrupt, path + ": no status of a mount: " + name + " is missing"};
        }
        out.*member = count_in(parsed, name);
    }
    return out;
}

}  // namespace holdfast::agent
