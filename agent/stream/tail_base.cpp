#include "agent/stream/tail_base.h"

#include "vault/base/file.h"
#include "vault/base/json.h"

namespace holdfast::agent {
namespace {

constexpr std::size_t base_bytes_max = 16 << 20;

std::string folder_of(const std::string& state) {
    return state + "/stream";
}

}  // namespace

const SourceSettings* streamed_source(const SystemSettings& system) {
    for (const SourceSettings& source : system.sources) {
        const auto* const postgres = std::get_if<PostgresSourceSettings>(&source.of);
        if (postgres != nullptr && postgres->stream_ms != 0) return &source;
    }
    return nullptr;
}

Result<void> remember_base(const std::string& state, const SystemSettings& system,
                           const BackupResult& taken) {
    if (streamed_source(system) == nullptr) return {};
    Json out{{"snapshot", taken.record.id.hex()}, {"sources", Json::array()}};
    for (const vault::SourceInfo& source : taken.sources) {
        out["sources"].push_back({{"name", source.name},
                                  {"kind", source.kind},
                                  {"place", source.place},
                                  {"facts", source.facts}});
    }
    HF_TRY(make_folders(folder_of(state)));
    return write_file_durably(folder_of(state) + "/" + system.name, as_view(json_text(out)));
}

Result<TailBase> remembered_base(const std::string& state, const std::string& system) {
    const std::string path = folder_of(state) + "/" + system;
    const Buffer text = HF_TRY(read_file(path, base_bytes_max));
    const Json in = HF_TRY(parse_json(as_text(text)).within(path));
    const auto id = vault::SnapshotId::from_text(text_in(in, "snapshot"));
    const Json& sources = field_in(in, "sources");
    if (!id || !sources.is_array()) return Error{Errc::Corrupt, path + ": not what was written"};
    TailBase base{*id, {}};
    for (const Json& one : sources) {
        base.sources.push_back({text_in(one, "name"),
                                text_in(one, "kind"),
                                text_in(one, "place"),
                                text_in(one, "facts"),
                                {}});
    }
    return base;
}

Result<ClusterPlace> cluster_place(const TailBase& base, const std::string& source) {
    for (const vault::SourceInfo& one : base.sources) {
        if (one.name != source) continue;
        const Json facts = HF_TRY(parse_json(one.facts).within("facts of " + source));
        return ClusterPlace{text_in(facts, "system_id"),
                            static_cast<std::uint32_t>(count_in(facts, "timeline")),
                            count_in(facts, "stop_lsn")};
    }
    return Error{Errc::Corrupt, "the snapshot has no source " + source};
}

}  // namespace holdfast::agent
