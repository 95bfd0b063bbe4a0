#include "vault/snapshot/manifest.h"

#include <nlohmann/json.hpp>

namespace holdfast::vault {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr int depth_max = 64;  // What writes JSON recurses.

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json ids(const std::vector<ChunkId>& chunks) {
    json out = json::array();
    for (const ChunkId& id : chunks) out.push_back(id.hex());
    return out;
}

Error damaged(const std::string& what) {
    return {Errc::Corrupt, "manifest: " + what};
}

Result<json> parse_object(std::string_view text) {
    bool too_deep = false;
    const auto shallow = [&](int depth, json::parse_event_t, const json&) {
        too_deep = too_deep || depth > depth_max;
        return !too_deep;
    };
    json value = json::parse(text, shallow, false);
    if (too_deep || !value.is_object()) return damaged("no JSON object, or too deep a one");
    if (value.value("format", json()) != format_version) return damaged("of an unknown format");
    return value;
}

std::string text_of(const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_of(const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

const json& array_of(const json& object, const char* key) {
    static const json none = json::array();
    const auto at = object.find(key);
    return at != object.end() && at->is_array() ? *at : none;
}

template <class SomeId>
Result<SomeId> id_of(const json& object, const char* key) {
    const auto id = SomeId::from_text(text_of(object, key));
    if (!id) return damaged(std::string(key) + ": " + id.error().message);
    return *id;
}

Result<std::vector<ChunkId>> chunk_ids(const json& source, const char* key) {
    std::vector<ChunkId> out;
    for (const json& id : array_of(source, key)) {
        const auto* text = id.get_ptr<const std::string*>();
        const auto chunk = ChunkId::from_text(text == nullptr ? std::string_view() : *text);
        if (!chunk) return damaged("a table without an id");
        out.push_back(*chunk);
    }
    return out;
}

}  // namespace

std::string encode_content_part(const Manifest& manifest) {
    json out{{"format", format_version},    {"system", manifest.system}, {"time", manifest.time},
             {"program", manifest.program}, {"plan", manifest.plan},     {"sources", json::array()},
             {"warnings", json::array()}};
    for (const SourceInfo& source : manifest.sources) {
        json facts = json::parse(source.facts, nullptr, false);
        HF_ASSERT(facts.is_object());
        out["sources"].push_back({{"name", source.name},
                                  {"kind", source.kind},
                                  {"place", source.place},
                                  {"facts", std::move(facts)}});
    }
    std::size_t bytes = 0;
    for (const SnapshotWarning& warning : manifest.warnings) {
        bytes += warning.source.size() + warning.path.size() + warning.what.size();
        const bool full = bytes > manifest_warning_bytes_max;
        if (full || out["warnings"].size() == manifest_warnings_max) break;
        out["warnings"].push_back(
            {{"source", warning.source}, {"path", warning.path}, {"what", warning.what}});
    }
    return dump(out);
}

std::string encode_map_part(const Manifest& manifest) {
    json out{{"format", format_version},
             {"time", manifest.time},
             {"content", manifest.content.hex()},
             {"sources", json::array()},
             {"index", json::array()}};
    for (const SourceInfo& source : manifest.sources) {
        out["sources"].push_back({{"meta_tables", ids(source.tree.meta_tables)},
                                  {"refs_tables", ids(source.tree.refs_tables)},
                                  {"entries", source.tree.entries},
                                  {"bytes", source.tree.bytes}});
    }
    for (const IndexRef& ref : manifest.index) {
        out["index"].push_back({{"pack", ref.pack.hex()}, {"chunk", ref.chunk.hex()}});
    }
    return dump(out);
}

Result<Manifest> parse_map_part(std::string_view text) {
    const json in = HF_TRY(parse_object(text));
    Manifest manifest;
    manifest.time = static_cast<std::int64_t>(number_of(in, "time"));
    manifest.content = HF_TRY(id_of<ChunkId>(in, "content"));
    for (const json& item : array_of(in, "sources")) {
        if (manifest.sources.size() == sources_max) return damaged("too many sources");
        SourceInfo source;
        source.tree.meta_tables = HF_TRY(chunk_ids(item, "meta_tables"));
        source.tree.refs_tables = HF_TRY(chunk_ids(item, "refs_tables"));
        source.tree.entries = number_of(item, "entries");
        source.tree.bytes = number_of(item, "bytes");
        manifest.sources.push_back(std::move(source));
    }
    for (const json& item : array_of(in, "index")) {
        const PackId pack = HF_TRY(id_of<PackId>(item, "pack"));
        const ChunkId chunk = HF_TRY(id_of<ChunkId>(item, "chunk"));
        manifest.index.push_back({pack, chunk});
    }
    return manifest;
}

Result<void> parse_content_part(std::string_view text, Manifest& manifest) {
    const json in = HF_TRY(parse_object(text));
    const json& sources = array_of(in, "sources");
    if (sources.size() != manifest.sources.size()) {
        return damaged("its two parts name different sources");
    }
    manifest.system = text_of(in, "system");
    manifest.program = text_of(in, "program");
    manifest.plan = text_of(in, "plan");
    for (std::size_t i = 0; i < sources.size(); ++i) {
        SourceInfo& source = manifest.sources[i];
        source.name = text_of(sources[i], "name");
        source.kind = text_of(sources[i], "kind");
        source.place = text_of(sources[i], "place");
        if (!sources[i].contains("facts")) continue;
        if (!sources[i]["facts"].is_object()) return damaged("facts that are no object");
        source.facts = dump(sources[i]["facts"]);
    }
    for (const json& item : array_of(in, "warnings")) {
        if (manifest.warnings.size() == manifest_warnings_max) return damaged("too many warnings");
        manifest.warnings.push_back(
            {text_of(item, "source"), text_of(item, "path"), text_of(item, "what")});
    }
    return {};
}

}  // namespace holdfast::vault
