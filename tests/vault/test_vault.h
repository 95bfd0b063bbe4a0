// A trust's own vault in a scratch folder, opened as often as a test likes: each opening is what
// another process of the node would see.
#pragma once

#include "tests/harness/scratch_folder.h"
#include "tests/vault/keys/trust.h"
#include "vault/vault.h"
#include "vault/verify.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace holdfast::test {

using namespace vault;

/// A clock that stands where a test puts it.
class SetClock final : public Clock {
public:
    std::int64_t wall_ms() const override { return wall; }
    std::int64_t steady_ns() const override { return wall * 1'000'000; }
    std::int64_t wall = now_ms;
};

class TestVault {
public:
    using Files = std::map<std::string, std::string>;  // In the root folder.
    using Edit = std::function<void(WrittenSnapshot&)>;

    TestVault() { REQUIRE(make_vault(places(), trust_.object)); }

    VaultPlaces places() const {
        return {scratch_ / "vault", scratch_ / "state", scratch_ / "keys"};
    }

    std::unique_ptr<Vault> open() const { return open(places()); }
    std::unique_ptr<Vault> open(const VaultPlaces& places) const {
        auto vault = Vault::open(places,
                                 {SigningKey::from_seed(trust_.ledger.seed.clone()),
                                  BoxKey::from_secret(trust_.box.secret.clone())},
                                 trust_.id, clock, system_random());
        REQUIRE(vault);
        return std::move(*vault);
    }

    /// `edit` changes what is committed: the packs of the list among it.
    SnapshotRecord snapshot(Vault& vault, const Files& files, const Edit& edit = {},
                            std::size_t uncovered_packs_max = uncovered_max) const {
        auto record = try_snapshot(vault, files, edit, uncovered_packs_max);
        INFO((record ? "" : record.error().message));
        REQUIRE(record);
        return *record;
    }

    /// Errors: the commit's.
    Result<SnapshotRecord> try_snapshot(Vault& vault, const Files& files, const Edit& edit = {},
                                        std::size_t uncovered_packs_max = uncovered_max) const {
        const auto writing = vault.begin_writing("share", OpeningKeys::Node);
        REQUIRE(writing);
        SnapshotContext context = vault.context(*writing, 1);
        context.uncovered_packs_max = uncovered_packs_max;
        SnapshotWriter writer(context);
        writer.begin_source("files", "files", "/srv");
        add_files(writer, files);
        REQUIRE(writer.end_source("{}"));
        Manifest manifest;
        manifest.system = "share";
        manifest.time = clock.wall;
        auto written = writer.finish(std::move(manifest));
        REQUIRE(written);
        if (edit) edit(*written);
        return vault.commit(*writing, *written, "share", clock.wall, 0);
    }

    VerifyReport verify(Vault& vault) const {
        VerifySettings settings;
        settings.read_data = true;
        auto report = vault::verify(vault.reader(), settings);
        REQUIRE(report);
        return std::move(*report);
    }

    /// The file of an object.
    std::string path(const std::string& object) const { return places().objects + "/" + object; }

    const Trust& trust() const { return trust_; }

    SetClock clock;

private:
    static void add_files(SnapshotWriter& writer, const Files& files) {
        std::map<std::string, ContentWriter::Handle> handles;
        for (const auto& [name, content] : files) {
            const bool pages = name.starts_with("pages");
            handles[name] = *writer.content().begin(pages ? Cut::Fixed : Cut::ByContent);
            REQUIRE(writer.content().write(as_view(content)));
            REQUIRE(writer.content().end());
        }
        REQUIRE(writer.content().flush());
        Entry root;
        root.type = FileType::Directory;
        REQUIRE(writer.add(root, {}));
        for (const auto& [name, content] : files) {
            Entry entry;
            entry.path = name;
            entry.size = content.size();
            REQUIRE(writer.add(entry, writer.content().take(handles[name]).value()));
        }
    }

    holdfast::test::ScratchFolder scratch_;
    Trust trust_;
};

}  // namespace holdfast::test
