#include "vault/snapshot/snapshot_record.h"

#include "vault/base/json.h"

namespace holdfast::vault {
std::string encode_snapshot_body(const SnapshotRecord& record) {
    Json out{
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
    if (record.tail_of) out["tail_of"] = record.tail_of->hex();
    return json_text(out);
}

Result<std::optional<SnapshotRecord>> parse_snapshot_body(std::string_view body) {
    const Json in = HF_TRY(parse_json(body).within("a ledger body"));
    if (!in.is_object()) return Error{Errc::Corrupt, "a ledger body that is no JSON object"};
    if (text_in(in, "type") != "snapshot") return std::optional<SnapshotRecord>{};
    SnapshotRecord record;
    record.system = text_in(in, "system");
    record.time = static_cast<std::int64_t>(count_in(in, "time"));
    record.domain = HF_TRY(DomainId::from_text(text_in(in, "domain")));
    const Json& manifest = field_in(in, "manifest");
    record.manifest_pack = HF_TRY(PackId::from_text(text_in(manifest, "pack")));
    record.manifest_map = HF_TRY(ChunkId::from_text(text_in(manifest, "map")));
    record.entries = count_in(in, "entries");
    record.bytes = count_in(in, "bytes");
    record.new_bytes = count_in(in, "new_bytes");
    record.stored_bytes = count_in(in, "stored_bytes");
    record.warnings = count_in(in, "warnings");
    if (in.contains("tail_of")) {
        record.tail_of = HF_TRY(SnapshotId::from_text(text_in(in, "tail_of")));
    }
    return std::optional<SnapshotRecord>(std::move(record));
}

}  // namespace holdfast::vault
