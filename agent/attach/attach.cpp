#include "agent/attach/attach.h"

#include "agent/process/proc_file.h"
#include "agent/process/program.h"
#include "agent/process/supervised.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

namespace holdfast::agent {
namespace {

constexpr int ready_ms_max = 10 * 60'000;  // A partner far away may hold the metadata.
constexpr int detach_ms_max = 120'000;     // All that is dirty is synced.
constexpr std::size_t places_bytes_max = 1 << 20;
constexpr std::size_t snapshot_file_bytes_max = 64;

ProcessPlace process_of(const std::string& folder, const std::string& source) {
    return {folder, "mount-" + source};
}

bool can_be_folder(const std::string& name) {
    return !name.empty() && name.size() <= 200 && name[0] != '.' &&
           std::none_of(name.begin(), name.end(),
                        [](char c) { return c == '/' || static_cast<unsigned char>(c) < ' '; });
}

/// Mount points in /proc/self/mountinfo have these written as \ooo.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            const int byte = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0';
            out += static_cast<char>(byte);
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

Result<bool> is_empty_folder(const std::string& path) {
    std::error_code failed;
    const bool empty = std::filesystem::is_empty(path, failed);
    if (failed) return Error{Errc::Io, path + ": " + failed.message()};
    return empty;
}

/// A mount whose process died stays in the kernel's table and answers nothing.
Result<void> unmount(const std::string& place) {
    while (HF_TRY(is_mount_point(place))) {
        if (::umount2(place.c_str(), MNT_DETACH) != 0 && errno != EINVAL) {
            return io_error(errno, "unmount " + place);
        }
    }
    return {};
}

Result<void> detach_source(const std::string& folder, const AttachedSource& source) {
    HF_TRY(end_process(process_of(folder, source.name), SIGTERM, detach_ms_max));
    return unmount(source.place);
}

std::string snapshot_file(const std::string& folder) {
    return folder + "/snapshot";
}

class Attaching {
public:
    Attaching(vault::VaultReader& reader, const vault::SnapshotRecord& record,
              const AttachSettings& settings)
        : reader_(reader), record_(record), settings_(settings) {}

    Result<std::vector<AttachedSource>> run() {
        HF_TRY(mark_attached(settings_.folder, record_.id));
        const vault::Manifest manifest = HF_TRY(reader_.manifest(record_));
        HF_TRY(choose_places(manifest));
        keys_ = HF_TRY(SegmentKeys::collect(reader_.index(), reader_.keys(), settings_.released));
        for (std::size_t i = 0; i < places_.size(); ++i) {
            HF_TRY(attach(manifest.sources[i], places_[i]).within(places_[i].name));
        }
        return places_;
    }

private:
    Result<void> choose_places(const vault::Manifest& manifest) {
        const bool single = settings_.single_at_place && manifest.sources.size() == 1;
        std::string text;
        for (const vault::SourceInfo& source : manifest.sources) {
            if (!can_be_folder(source.name)) {
                return Error{Errc::Corrupt, "a source with an impossible name"};
            }
            places_.push_back(
                {source.name, single ? settings_.place : settings_.place + "/" + source.name});
            text += source.name + "\t" + places_.back().place + "\n";
        }
        return write_file_durably(settings_.folder + "/places", as_view(text));
    }

    Result<void> attach(const vault::SourceInfo& source, const AttachedSource& to) {
        if (HF_TRY(find_process(process_of(settings_.folder, source.name)))) {
            if (HF_TRY(is_mount_point(to.place))) return {};
        }
        HF_TRY(detach_source(settings_.folder, to));
        HF_TRY(make_folders(to.place, 0755));
        if (!HF_TRY(is_empty_folder(to.place))) {
            return Error{Errc::Conflict, to.place + " is not empty"};
        }
        const MountOrder order = HF_TRY(order_for(source, to));
        const vault::Secret input = encode_mount_order(order, keys_);
        const std::string program = HF_TRY(find_program("holdfast-mount"));
        HF_TRY(start_process(process_of(settings_.folder, source.name),
                             {{program}, input.view(), ready_ms_max}));
        fault_point("source attached");
        return {};
    }

    Result<MountOrder> order_for(const vault::SourceInfo& source, const AttachedSource& to) const {
        MountOrder order;
        order.store = settings_.store;
        order.index = attach_index(settings_.folder);
        order.snapshot = record_.id;
        order.name = record_.system + "/" + source.name;
        order.folder = to.place;
        order.owner = settings_.owner;
        order.tree = source.tree;
        HF_TRY(make_folders(settings_.folder + "/status"));
        order.status = settings_.folder + "/status/" + source.name;
        if (settings_.writable) {
            HF_TRY(make_folders(settings_.folder + "/overlay"));
            order.overlay = settings_.folder + "/overlay/" + source.name;
        }
        return order;
    }

    vault::VaultReader& reader_;
    const vault::SnapshotRecord& record_;
    const AttachSettings& settings_;
    SegmentKeys keys_;
    std::vector<AttachedSource> places_;
};

}  // namespace

Result<void> mark_attached(const std::string& folder, const vault::SnapshotId& snapshot) {
    HF_TRY(make_folders(folder));
    return write_file_durably(snapshot_file(folder), as_view(snapshot.hex()));
}

Result<std::set<vault::SnapshotId>> attached_snapshots(const std::string& folders) {
    std::set<vault::SnapshotId> out;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(folders, failed), end; !failed && at != end;
         at.increment(failed)) {
        if (!at->is_directory(failed)) continue;
        const std::string path = snapshot_file(at->path().string());
        const auto text = read_file(path, snapshot_file_bytes_max);
        if (!text && text.error().code == Errc::NotFound) continue;
        if (!text) return text.error();
        out.insert(HF_TRY(vault::SnapshotId::from_text(as_text(*text)).within(path)));
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        return Error{Errc::Io, "read " + folders + ": " + failed.message()};
    }
    return out;
}

std::string attach_index(const std::string& folder) {
    return folder + "/index.db";
}

Result<std::vector<AttachedSource>> attach_snapshot(vault::VaultReader& reader,
                                                    const vault::SnapshotRecord& record,
                                                    const AttachSettings& settings) {
    HF_TRY(make_folders(settings.folder));
    auto attached = Attaching(reader, record, settings).run();
    if (!attached) HF_TRY(detach(settings.folder));
    return attached;
}

Result<std::vector<AttachedSource>> attached_sources(const std::string& folder) {
    const std::string path = folder + "/places";
    std::vector<AttachedSource> out;
    if (!path_exists(path)) return out;
    const Buffer text = HF_TRY(read_file(path, places_bytes_max));
    std::string_view rest = as_text(text);
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        const std::size_t tab = line.find('\t');
        if (tab == std::string_view::npos) return Error{Errc::Corrupt, path + ": a broken line"};
        out.push_back({std::string(line.substr(0, tab)), std::string(line.substr(tab + 1))});
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

Result<bool> is_attached(const std::string& folder) {
    const auto sources = HF_TRY(attached_sources(folder));
    for (const AttachedSource& source : sources) {
        if (!HF_TRY(find_process(process_of(folder, source.name)))) return false;
        if (!HF_TRY(is_mount_point(source.place))) return false;
    }
    return !sources.empty();
}

Result<void> detach(const std::string& folder) {
    std::optional<Error> first;
    for (const AttachedSource& source : HF_TRY(attached_sources(folder))) {
        auto done = detach_source(folder, source);
        if (!done && !first) first = std::move(done).error();
    }
    if (first) return std::move(*first);
    return {};
}

Result<void> discard(const std::string& folder) {
    for (const AttachedSource& source : HF_TRY(attached_sources(folder))) {
        const bool lives = HF_TRY(find_process(process_of(folder, source.name))).has_value();
        if (lives || HF_TRY(is_mount_point(source.place))) {
            return Error{Errc::Conflict, source.place + " is still attached"};
        }
    }
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) return Error{Errc::Io, "remove " + folder + ": " + failed.message()};
    return {};
}

Result<bool> is_mount_point(const std::string& path) {
    return HF_TRY(mounted_type(path)).has_value();
}

Result<std::optional<std::string>> mounted_type(const std::string& path) {
    const std::string text = HF_TRY(read_proc_file("/proc/self/mountinfo"));
    std::string_view rest = text;
    std::optional<std::string> type;  // Of several, the last hides the others.
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        for (int field = 0; field < 4; ++field) {
            line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
        }
        if (unescaped(line.substr(0, line.find(' '))) != path) continue;
        const std::size_t dash = std::min(line.find(" - "), line.size());
        line.remove_prefix(std::min(dash + 3, line.size()));
        type = std::string(line.substr(0, line.find(' ')));
    }
    return type;
}

}  // namespace holdfast::agent
