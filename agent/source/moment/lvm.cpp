#include "agent/process/command.h"
#include "agent/source/moment/moment.h"
#include "agent/source/passing_name.h"

#include "vault/base/file.h"
#include "vault/base/json.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace holdfast::agent::moment {
namespace {

constexpr std::string_view lvm_prefix = "holdfast-moment-";

/// What the program said, if it ended with 0.
Result<std::string> lvm_run(std::vector<std::string> command) {
    CommandOrder order;
    order.command = std::move(command);
    CommandResult ran = HF_TRY(run_command(order));
    if (ran.ok()) return std::move(ran.output);
    return Error{Errc::Io, order.command[0] + " ended with " + std::to_string(ran.status) + ": " +
                               ran.error_tail};
}

/// The one object of a report, be it findmnt's ("filesystems") or lvs' ("report", "lv").
Result<Json> only_row(const std::string& text, const std::string& of) {
    const Json all = Json::parse(text, nullptr, false);
    const Json* rows = nullptr;
    if (all.is_object() && all.contains("filesystems")) rows = &all["filesystems"];
    if (all.is_object() && all.contains("report") && all["report"].is_array() &&
        !all["report"].empty() && all["report"][0].contains("lv")) {
        rows = &all["report"][0]["lv"];
    }
    if (rows == nullptr || !rows->is_array() || rows->empty() || !(*rows)[0].is_object()) {
        return Error{Errc::Io, "nothing was told of " + of};
    }
    return (*rows)[0];
}

struct Origin {
    std::string group, volume, type;
    std::string below;  // The folder's path in the volume's file system.
    bool thin = false;
};

Result<Origin> origin_of(const std::string& path) {
    const Json mounted =
        HF_TRY(only_row(HF_TRY(lvm_run({"/usr/bin/findmnt", "--json", "--nofsroot", "--output",
                                        "SOURCE,TARGET,FSTYPE,FSROOT", "--target", path})),
                        path));
    const std::string device = mounted.value("source", "");
    const auto reported = lvm_run({"/usr/sbin/lvs", "--reportformat", "json", "--options",
                                   "vg_name,lv_name,pool_lv", device});
    if (!reported) {
        return Error{Errc::Invalid, path + " is on " + device +
                                        ", which is no LVM volume: " + reported.error().message};
    }
    const Json volume = HF_TRY(only_row(*reported, device));
    Origin origin{volume.value("vg_name", ""),
                  volume.value("lv_name", ""),
                  mounted.value("fstype", ""),
                  {},
                  !volume.value("pool_lv", "").empty()};
    const std::string target = mounted.value("target", "/");
    const std::string inside = mounted.value("fsroot", "/");
    origin.below =
        (inside == "/" ? "" : inside) + (target == "/" ? path : path.substr(target.size()));
    return origin;
}

Result<void> remove_volume(const std::string& group, const std::string& name) {
    HF_TRY(lvm_run({"/usr/sbin/lvremove", "--yes", "--force", group + "/" + name}));
    return {};
}

class LvmMoment final : public Moment {
public:
    LvmMoment(Origin origin, std::string name, std::string place)
        : origin_(std::move(origin)),
          name_(std::move(name)),
          place_(std::move(place)),
          folder_(place_ + origin_.below) {}
    ~LvmMoment() override {
        if (open_) (void)let_go();
    }
    const std::string& folder() const override { return folder_; }

    Result<void> mount() {
        const std::string device = "/dev/" + origin_.group + "/" + name_;
        // XFS refuses a second file system of one UUID.
        const std::string options = origin_.type == "xfs" ? "ro,nouuid" : "ro";
        HF_TRY(lvm_run({"/usr/bin/mount", "-t", origin_.type, "-o", options, device, place_}));
        mounted_ = true;
        return {};
    }

    Result<void> end() override {
        open_ = false;
        const Json state =
            HF_TRY(only_row(HF_TRY(lvm_run({"/usr/sbin/lvs", "--reportformat", "json", "--options",
                                            "lv_snapshot_invalid", origin_.group + "/" + name_})),
                            name_));
        HF_TRY(let_go());
        if (!state.value("lv_snapshot_invalid", "").empty()) {
            return Error{Errc::Full, "so much was written meanwhile that the LVM snapshot of " +
                                         origin_.volume +
                                         " overflowed; try again at a quieter time"};
        }
        return {};
    }

private:
    Result<void> let_go() {
        if (mounted_) HF_TRY(lvm_run({"/usr/bin/umount", place_}));
        mounted_ = false;
        (void)::rmdir(place_.c_str());
        return remove_volume(origin_.group, name_);
    }

    Origin origin_;
    std::string name_, place_, folder_;
    bool mounted_ = false;
    bool open_ = true;
};

/// Removes snapshots of killed processes, and where they were mounted.
Result<void> sweep_volumes(const Origin& origin, const std::string& scratch) {
    const std::string said = HF_TRY(
        lvm_run({"/usr/sbin/lvs", "--reportformat", "json", "--options", "lv_name", origin.group}));
    const Json all = Json::parse(said, nullptr, false);
    if (!all.is_object() || !all.contains("report")) return {};
    for (const Json& report : all["report"]) {
        for (const Json& volume : report.value("lv", Json::array())) {
            const std::string name = volume.value("lv_name", "");
            if (!is_left_over(name, lvm_prefix)) continue;
            const std::string place = scratch + "/" + name;
            (void)lvm_run({"/usr/bin/umount", place});  // It may not have come so far.
            (void)::rmdir(place.c_str());
            HF_TRY(remove_volume(origin.group, name));
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Moment>> hold_lvm(const std::string& folder, const std::string& scratch) {
    std::error_code failed;
    const std::string path = std::filesystem::canonical(folder, failed).string();
    if (failed) return io_error(failed.value(), "look at " + folder);
    const Origin origin = HF_TRY(origin_of(path));
    HF_TRY(sweep_volumes(origin, scratch));
    const std::string name = passing_name(lvm_prefix);
    const std::string place = scratch + "/" + name;
    if (::mkdir(place.c_str(), 0700) != 0) return io_error(errno, "make " + place);
    std::vector<std::string> command{"/usr/sbin/lvcreate", "--yes", "--snapshot", "--name", name};
    if (origin.thin) {
        command.insert(command.end(), {"--setactivationskip", "n"});
    } else {
        command.insert(command.end(), {"--extents", "20%ORIGIN"});
    }
    command.push_back(origin.group + "/" + origin.volume);
    const auto made = lvm_run(std::move(command));
    if (!made) {
        (void)::rmdir(place.c_str());
        return made.error();
    }
    auto moment = std::make_unique<LvmMoment>(origin, name, place);
    HF_TRY(moment->mount());
    return std::unique_ptr<Moment>(std::move(moment));
}

}  // namespace holdfast::agent::moment
