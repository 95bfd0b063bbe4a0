#include "vault/snapshot/snapshot_record.h"

#include <nlohmann/json.hpp>

namespace holdfast::vault {
namespace {

using nlohmann::json;

std::uint64_t number(const json& in, const char* key) {
    const auto at = in.find(key);
    return at != in.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string text(const json& in, const char* key) {
    const auto at = in.find(key);
    return at != in.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::string encode_snapshot_body(const SnapshotRecord& record) {
    const json out{
        {"type", "snapshot"},
        {"system", record.system},
        {"time", record.time},
        {"domain", record.domain.hex()},
        {"manifest", {{"pack", record.manifest_pack.hex()}, {"map", record.manifest_map.hex()}}},
        {"entries", record.entries},
        {"bytes", record.bytes},
        {"new_bytes", record.new_bytes},
        {"stored_bytes", record.stored_bytes},
        {"warnings", record.warnings}};
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::optional<SnapshotRecord>> parse_snapshot_body(std::string_view body) {
    const json in = json::parse(body, nullptr, false);
    if (!in.is_object()) return Error{Errc::Corrupt, "a ledger body that is no JSON object"};
    if (text(in, "type") != "snapshot") return std::optional<SnapshotRecord>{};
    SnapshotRecord record;
    record.system = text(in, "system");
    record.time = static_cast<std::int64_t>(number(in, "time"));
    record.domain = HF_TRY(DomainId::from_text(text(in, "domain")));
    const json manifest = in.value("manifest", json::object());
    record.manifest_pack = HF_TRY(PackId::from_text(text(manifest, "pack")));
    record.manifest_map = HF_TRY(ChunkId::from_text(text(manifest, "map")));
    record.entries = number(in, "entries");
    record.bytes = number(in, "bytes");
    record.new_bytes = number(in, "new_bytes");
    record.stored_bytes = number(in, "stored_bytes");
    record.warnings = number(in, "warnings");
    return std::optional<SnapshotRecord>(std::move(record));
}

}  // namespace holdfast::vault
