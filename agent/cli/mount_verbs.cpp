// mount, unmount: a snapshot as a folder, for a person to look at or to try things on.
#include "agent/attach/attach.h"
#include "agent/cli/report.h"
#include "agent/node/node.h"
#include "vault/base/file.h"
#include "vault/crypto/hash.h"

#include <fmt/format.h>
#include "vault/base/json.h"

#include <filesystem>
#include <memory>

namespace holdfast::agent::cli {
namespace {

struct MountOptions {
    std::string snapshot;
    std::string latest;
    std::string folder;
    bool writable = false;
};

Result<std::string> absolute_folder(const std::string& path) {
    std::error_code failed;
    std::string text = std::filesystem::absolute(path, failed).lexically_normal().string();
    if (failed) return Error{Errc::Invalid, path + ": " + failed.message()};
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

/// What a mount at `place` keeps, is found by the place's name.
std::string attachment_at(const Home& home, const std::string& place) {
    return home.mounts + "/at-" + vault::hash("mount place", as_view(place)).brief();
}

Result<std::vector<AttachedSource>> attach_marked(const Node& node, const vault::SnapshotId& id,
                                                  const AttachSettings& settings) {
    {
        const Fd still = HF_TRY(node.vault->lock_commits());
        HF_TRY(mark_attached(settings.folder, id));
    }
    // Only now, since it may stand on other packs than a moment ago.
    const auto index = HF_TRY(vault::ChunkIndex::open(attach_index(settings.folder)));
    vault::VaultReader reader(node.vault->store(), *index, node.vault->keys(),
                              node.vault->roster());
    HF_TRY(reader.refresh());
    return attach_snapshot(reader, HF_TRY(reader.find(id.hex())), settings);
}

Result<std::vector<AttachedSource>> mount_at(const Home& home, const MountOptions& options,
                                             const std::string& place) {
    const Node node = HF_TRY(open_node(home));
    const vault::Presence presence = HF_TRY(node.vault->enter());
    const vault::VaultReader& known = node.vault->reader();
    const vault::SnapshotRecord record = options.latest.empty()
                                             ? HF_TRY(known.find(options.snapshot))
                                             : HF_TRY(known.latest(options.latest));
    AttachSettings settings;
    settings.folder = attachment_at(home, place);
    settings.store = home.vault;
    settings.place = place;
    settings.single_at_place = true;
    settings.writable = options.writable;
    if (!HF_TRY(attached_sources(settings.folder)).empty()) {
        return Error{Errc::Conflict, place + " is a mount already (holdfast unmount ends it)"};
    }
    auto attached = attach_marked(node, record.id, settings);
    if (!attached) HF_TRY(discard(settings.folder));
    return attached;
}

int mount(const Context& context, const MountOptions& options) {
    auto place = absolute_folder(options.folder);
    if (!place) return fail(place.error());
    auto attached = mount_at(context.home(), options, *place);
    if (!attached) return fail(attached.error());
    Json out = Json::array();
    for (const AttachedSource& source : *attached) {
        out.push_back({{"source", source.name}, {"place", source.place}});
        if (!context.json) fmt::print("{}: {}\n", source.name, source.place);
    }
    if (context.json) fmt::print("{}\n", json_text(out));
    return Done;
}

int unmount(const Context& context, const std::string& folder) {
    auto place = absolute_folder(folder);
    if (!place) return fail(place.error());
    const std::string attachment = attachment_at(context.home(), *place);
    if (!path_exists(attachment)) {
        return fail({Errc::NotFound, *place + " is no mount of holdfast's"});
    }
    if (auto done = detach(attachment); !done) return fail(done.error());
    if (auto done = discard(attachment); !done) return fail(done.error());
    report(context, {{"place", *place}}, *place + " is unmounted; what was written to it is gone.");
    return Done;
}

}  // namespace

void add_mount_verbs(Command app, Context& context) {
    auto options = std::make_shared<MountOptions>();
    auto words = std::make_shared<std::vector<std::string>>();
    Command verb = app.add_subcommand("mount", "show a snapshot as a folder");
    verb.add_option("SNAPSHOT DIR", *words,
                    "the snapshot's id, or its beginning; an empty folder, made if absent")
        .expected(1, 2)
        .required();
    verb.add_option("--latest", options->latest, "the newest of this system, instead of SNAPSHOT")
        .type_name("SYSTEM");
    verb.add_flag("--writable", options->writable, "let programs write; the vault never changes");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "One source appears at DIR, several at DIR/SOURCE. holdfast unmount DIR ends it.\n"
        "Example: holdfast mount --latest epr /mnt/look");
    verb.callback([&context, options, words] {
        if (words->size() != (options->latest.empty() ? 2 : 1)) {
            usage_error("SNAPSHOT DIR, or --latest SYSTEM DIR");
        }
        options->folder = words->back();
        if (options->latest.empty()) options->snapshot = words->front();
        context.verb = [&context, options] { return mount(context, *options); };
    });

    auto folder = std::make_shared<std::string>();
    Command end = app.add_subcommand("unmount", "end a mount, and forget what was written to it");
    end.add_option("DIR", *folder, "the folder that was given to mount").required();
    end.add_flag("--json", context.json, "report as JSON");
    end.footer("Example: holdfast unmount /mnt/look");
    end.callback([&context, folder] {
        context.verb = [&context, folder] { return unmount(context, *folder); };
    });
}

}  // namespace holdfast::agent::cli
