// ScratchVault: a vault in memory with one key, into which a test copies a folder, and from which
// it reads the tree again: files -> Sink -> packs -> TreeReader.
#pragma once

#include "agent/restore/restore.h"
#include "agent/source/files/copy.h"
#include "vault/keys/key_ring.h"
#include "vault/snapshot/content_writer.h"
#include "vault/store/memory_store.h"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

/// Keeps entries until the contents' chunks have names, as a real pipeline does in a bounded way.
class VaultSink final : public agent::Sink {
public:
    explicit VaultSink(vault::ContentWriter& contents) : contents_(&contents) {}

    Result<agent::ContentHandle> begin_content(agent::Shape shape) override {
        return contents_->begin(shape == agent::Shape::Pages ? vault::Cut::Fixed
                                                             : vault::Cut::ByContent);
    }
    Result<void> write(View data) override { return contents_->write(data); }
    Result<void> hole(std::uint64_t length) override { return contents_->hole(length); }
    Result<std::uint64_t> same_range(const std::string&, std::uint64_t, std::uint64_t) override {
        return 0;
    }
    Result<void> end_content() override { return contents_->end(); }
    void drop_content() override { contents_->drop(); }
    Result<void> add(vault::Entry entry, agent::ContentHandle content) override {
        entries.emplace_back(std::move(entry), content);
        return {};
    }
    Result<bool> add_unchanged(const vault::Entry&) override { return false; }
    void warn(agent::Warning warning) override { warnings.push_back(std::move(warning)); }

    std::vector<std::pair<vault::Entry, agent::ContentHandle>> entries;
    std::vector<agent::Warning> warnings;

private:
    vault::ContentWriter* contents_;
};

class ScratchVault {
public:
    ScratchVault() {
        auto opened = vault::ChunkIndex::open(":memory:");
        REQUIRE(opened);
        index = std::move(*opened);
        vault::Random& random = vault::system_random();
        epoch_.id = random.id<EpochId>();
        epoch_.domain = random.id<DomainId>();
        epoch_.content = vault::Secret::random(32);
        epoch_.map = vault::Secret::random(32);
        keys.add(epoch_);
    }

    /// Takes a folder in, and keeps its tree.
    void take(const std::string& folder) {
        vault::PackSink packs(store, *index, epoch_, vault::system_random());
        vault::ContentWriter contents(packs, naming_, 2);
        VaultSink sink(contents);
        agent::files::FilesSettings settings;
        settings.folder = folder;
        auto facts = agent::files::copy_tree(settings, sink, {});
        INFO((facts ? "" : facts.error().message));
        REQUIRE(facts);
        REQUIRE(sink.warnings.empty());
        REQUIRE(contents.flush());
        store_rest(packs, contents.take_segments());
        std::vector<vault::Item> items;
        for (auto& [entry, content] : sink.entries) {
            vault::Item item;
            item.entry = std::move(entry);
            if (content != 0) item.content.extents = *contents.take(content);
            items.push_back(std::move(item));
        }
        take_items(items);
    }

    /// Makes the tree of any items, of hostile ones too.
    void take_items(const std::vector<vault::Item>& items) {
        vault::PackSink packs(store, *index, epoch_, vault::system_random());
        vault::ChunkStorer storer(packs, naming_);
        vault::PackNeeds needs(*index);
        vault::TreeWriter writer(storer, needs);
        for (const vault::Item& item : items) {
            // A hostile tree names chunks that are nowhere: claimed, they pass the writer.
            for (const vault::Extent& extent : item.content.extents) {
                if (!extent.hole()) REQUIRE(index->claim(extent.chunk));
            }
            REQUIRE(writer.add(item.entry, item.content.extents));
        }
        auto finished = writer.finish();
        REQUIRE(finished);
        source = std::move(*finished);
        store_rest(packs, storer.take_segments());
        index->drop_claims();
        reader_ = readers()();
        auto opened = vault::TreeReader::open(source, *reader_);
        INFO((opened ? "" : opened.error().message));
        REQUIRE(opened);
        tree = std::make_unique<vault::TreeReader>(std::move(*opened));
    }

    agent::ChunkReaderFactory readers() {
        return [this] { return std::make_unique<vault::ChunkReader>(store, *index, keys); };
    }

    /// Flips a bit of a sealed chunk where it lies.
    void damage(const ChunkId& chunk) {
        const auto place = index->find(chunk);
        REQUIRE(place);
        const std::string name = vault::pack_name(place->pack);
        Buffer pack = *store.get_all(name, vault::object_bytes_max);
        pack[place->offset + place->sealed_bytes / 2] ^= 1;
        REQUIRE(store.remove(name));
        REQUIRE(store.put(name, pack));
    }

    vault::MemoryStore store;
    vault::KeyRing keys;
    std::unique_ptr<vault::ChunkIndex> index;
    vault::SourceTree source;
    std::unique_ptr<vault::TreeReader> tree;

private:
    static void store_rest(vault::PackSink& packs, std::vector<vault::SegmentWriter> segments) {
        REQUIRE(vault::store_together(packs, std::move(segments)));
    }

    vault::Epoch epoch_;
    vault::Naming naming_{vault::Secret::random(32)};
    std::unique_ptr<vault::ChunkReader> reader_;
};

}  // namespace holdfast::test
