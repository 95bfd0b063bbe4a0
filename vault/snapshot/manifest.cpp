#include "vault/snapshot/manifest.h"

#include "vault/base/json.h"

namespace holdfast::vault {
namespace {

constexpr int format_version = 1;

Json ids(const std::vector<ChunkId>& chunks) {
    Json out = Json::array();
    for (const ChunkId& id : chunks) out.push_back(id.hex());
    return out;
}

Error damaged(const std::string& what) {
    return {Errc::Corrupt, "manifest: " + what};
}

Result<Json> parse_part(std::string_view text) {
    Json value = HF_TRY(parse_json(text).within("manifest"));
    if (!value.is_object()) return damaged("no JSON object");
    if (field_in(value, "format") != format_version) return damaged("of an unknown format");
    return value;
}

template <class SomeId>
Result<SomeId> id_of(const Json& object, const char* key) {
    const auto id = SomeId::from_text(text_in(object, key));
    if (!id) return damaged(std::string(key) + ": " + id.error().message);
    return *id;
}

Result<std::vector<ChunkId>> chunk_ids(const Json& source, const char* key) {
    std::vector<ChunkId> out;
    for (const Json& id : list_in(source, key)) {
        const auto* text = id.get_ptr<const std::string*>();
        const auto chunk = ChunkId::from_text(text == nullptr ? std::string_view() : *text);
        if (!chunk) return damaged("a table without an id");
        out.push_back(*chunk);
    }
    return out;
}

}  // namespace

std::string encode_content_part(const Manifest& manifest) {
    Json out{{"format", format_version},    {"system", manifest.system}, {"time", manifest.time},
             {"program", manifest.program}, {"plan", manifest.plan},     {"sources", Json::array()},
             {"warnings", Json::array()}};
    for (const SourceInfo& source : manifest.sources) {
        auto facts = parse_json(source.facts);
        HF_ASSERT(facts && facts->is_object());
        out["sources"].push_back({{"name", source.name},
                                  {"kind", source.kind},
                                  {"place", source.place},
                                  {"facts", *std::move(facts)}});
    }
    std::size_t bytes = 0;
    for (const SnapshotWarning& warning : manifest.warnings) {
        bytes += warning.source.size() + warning.path.size() + warning.what.size();
        const bool full = bytes > manifest_warning_bytes_max;
        if (full || out["warnings"].size() == manifest_warnings_max) break;
        out["warnings"].push_back(
            {{"source", warning.source}, {"path", warning.path}, {"what", warning.what}});
    }
    return json_text(out);
}

std::string encode_map_part(const Manifest& manifest) {
    Json out{{"format", format_version},
             {"time", manifest.time},
             {"content", manifest.content.hex()},
             {"sources", Json::array()},
             {"index", Json::array()}};
    for (const SourceInfo& source : manifest.sources) {
        out["sources"].push_back({{"meta_tables", ids(source.tree.meta_tables)},
                                  {"refs_tables", ids(source.tree.refs_tables)},
                                  {"entries", source.tree.entries},
                                  {"bytes", source.tree.bytes}});
    }
    for (const IndexRef& ref : manifest.index) {
        out["index"].push_back({{"pack", ref.pack.hex()}, {"chunk", ref.chunk.hex()}});
    }
    return json_text(out);
}

Result<Manifest> parse_map_part(std::string_view text) {
    const Json in = HF_TRY(parse_part(text));
    Manifest manifest;
    manifest.time = static_cast<std::int64_t>(count_in(in, "time"));
    manifest.content = HF_TRY(id_of<ChunkId>(in, "content"));
    for (const Json& item : list_in(in, "sources")) {
        if (manifest.sources.size() == sources_max) return damaged("too many sources");
        SourceInfo source;
        source.tree.meta_tables = HF_TRY(chunk_ids(item, "meta_tables"));
        source.tree.refs_tables = HF_TRY(chunk_ids(item, "refs_tables"));
        source.tree.entries = count_in(item, "entries");
        source.tree.bytes = count_in(item, "bytes");
        manifest.sources.push_back(std::move(source));
    }
    for (const Json& item : list_in(in, "index")) {
        const PackId pack = HF_TRY(id_of<PackId>(item, "pack"));
        const ChunkId chunk = HF_TRY(id_of<ChunkId>(item, "chunk"));
        manifest.index.push_back({pack, chunk});
    }
    return manifest;
}

Result<void> parse_content_part(std::string_view text, Manifest& manifest) {
    const Json in = HF_TRY(parse_part(text));
    const Json& sources = list_in(in, "sources");
    if (sources.size() != manifest.sources.size()) {
        return damaged("its two parts name different sources");
    }
    manifest.system = text_in(in, "system");
    manifest.program = text_in(in, "program");
    manifest.plan = text_in(in, "plan");
    for (std::size_t i = 0; i < sources.size(); ++i) {
        SourceInfo& source = manifest.sources[i];
        source.name = text_in(sources[i], "name");
        source.kind = text_in(sources[i], "kind");
        source.place = text_in(sources[i], "place");
        if (!sources[i].contains("facts")) continue;
        if (!sources[i]["facts"].is_object()) return damaged("facts that are no object");
        source.facts = json_text(sources[i]["facts"]);
    }
    for (const Json& item : list_in(in, "warnings")) {
        if (manifest.warnings.size() == manifest_warnings_max) return damaged("too many warnings");
        manifest.warnings.push_back(
            {text_in(item, "source"), text_in(item, "path"), text_in(item, "what")});
    }
    return {};
}

}  // namespace holdfast::vault
