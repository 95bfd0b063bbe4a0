// mount, unmount: a snapshot as a folder, for a person to look at or to try things on; or all of
// them, by system and date.
#include "agent/attach/attach.h"
#include "agent/cli/report.h"
#include "agent/cli/vault_at.h"
#include "agent/history/history.h"
#include "agent/node/node.h"
#include "vault/base/file.h"
#include "vault/crypto/hash.h"

#include <fmt/format.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

namespace holdfast::agent::cli {
namespace {

struct MountOptions {
    std::string snapshot;
    std::string latest;
    std::string folder;
    bool writable = false;
    bool all = false;
    std::string from;
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

/// Serves all snapshots until the folder is unmounted or somebody stops the program.
Result<void> mount_all(const Context& context, const MountOptions& options) {
    const std::string place = HF_TRY(absolute_folder(options.folder));
    auto at = HF_TRY(open_vault_at(context.home(), options.from));
    HF_TRY(make_folders(place, 0755));
    std::error_code failed;
    const bool empty = std::filesystem::is_empty(place, failed);
    if (failed) return Error{Errc::Io, place + ": " + failed.message()};
    if (!empty) return Error{Errc::Conflict, place + " is not empty"};
    std::set<std::string> systems;
    for (const vault::SnapshotRecord& record : at.reader().snapshots()) {
        systems.insert(record.system);
    }
    History history(at.reader(), system_clock(), [](const std::string& line) { warn(line); });
    const auto ready = [&] {
        report(
            context,
            {{"place", place}, {"systems", systems}, {"snapshots", at.reader().snapshots().size()}},
            fmt::format("{}: {} snapshots of {} systems; Ctrl-C or holdfast unmount ends it", place,
                        at.reader().snapshots().size(), systems.size()));
        std::fflush(stdout);
    };
    return serve_archive(history, {place, "holdfast", ready});
}

Result<void> unmount(const Context& context, const std::string& folder) {
    const std::string place = HF_TRY(absolute_folder(folder));
    const std::string attachment = attachment_at(context.home(), place);
    if (path_exists(attachment)) {
        HF_TRY(detach(attachment));
        HF_TRY(discard(attachment));
        report(context, {{"place", place}},
               place + " is unmounted; what was written to it is gone.");
        return {};
    }
    if (HF_TRY(mounted_type(place)) != our_mount_type) {
        return Error{Errc::NotFound, place + " is no mount of holdfast's"};
    }
    if (::umount2(place.c_str(), UMOUNT_NOFOLLOW) != 0) return io_error(errno, "unmount " + place);
    report(context, {{"place", place}}, place + " is unmounted.");
    return {};
}

}  // namespace

void add_mount_verbs(Command app, Context& context) {
    auto options = std::make_shared<MountOptions>();
    auto words = std::make_shared<std::vector<std::string>>();
    Command verb = app.add_subcommand("mount", "show a snapshot, or all of them, as a folder");
    verb.add_option("SNAPSHOT DIR", *words,
                    "the snapshot's id, or its beginning; an empty folder, made if absent")
        .expected(1, 2)
        .required();
    verb.add_option("--latest", options->latest, "the newest of this system, instead of SNAPSHOT")
        .type_name("SYSTEM");
    verb.add_flag("--writable", options->writable, "let programs write; the vault never changes");
    verb.add_flag("--all", options->all, "all snapshots, by system and date, until it is stopped");
    verb.add_option("--from", options->from, "with --all: those that this partner holds")
        .type_name("PARTNER");
    verb.add_flag("--json", context.json, "report as JSON");
    verb.footer(
        "One source appears at DIR, several at DIR/SOURCE. holdfast unmount DIR ends it.\n"
        "With --all: DIR/SYSTEM/2026-11-27T09:12:33Z, and DIR/SYSTEM/latest.\n"
        "Example: holdfast mount --latest epr /mnt/look\n"
        "Example: holdfast mount --all /mnt/history");
    verb.callback([&context, options, words] {
        const bool named = options->latest.empty() && !options->all;
        if (words->size() != (named ? 2 : 1)) {
            usage_error("SNAPSHOT DIR, --latest SYSTEM DIR, or --all DIR");
        }
        if (options->all && (options->writable || !options->latest.empty())) {
            usage_error("--all without --latest and --writable");
        }
        if (!options->all && !options->from.empty()) usage_error("--all with --from");
        options->folder = words->back();
        if (named) options->snapshot = words->front();
        context.verb = [&context, options] {
            return options->all ? end(mount_all(context, *options)) : mount(context, *options);
        };
    });

    auto folder = std::make_shared<std::string>();
    Command stop = app.add_subcommand("unmount", "end a mount, and forget what was written to it");
    stop.add_option("DIR", *folder, "the folder that was given to mount").required();
    stop.add_flag("--json", context.json, "report as JSON");
    stop.footer("Example: holdfast unmount /mnt/look");
    stop.callback([&context, folder] {
        context.verb = [&context, folder] { return end(unmount(context, *folder)); };
    });
}

}  // namespace holdfast::agent::cli
