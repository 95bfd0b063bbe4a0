// attach, start, clean-up: the snapshot becomes a running system that nobody can reach.
#include "agent/attach/attach.h"
#include "agent/failover/plan.h"
#include "agent/failover/released.h"
#include "agent/failover/supply.h"
#include "agent/failover/wording.h"
#include "agent/host/room.h"
#include "agent/host/user.h"
#include "agent/source/postgres/log_files.h"
#include "agent/source/postgres/prepare.h"
#include "vault/base/fault.h"
#include "vault/base/file.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::agent {
namespace {

constexpr int ready_ms_min = 10 * 60'000;  // Recovery of a large log takes its time.
constexpr int ready_asked_ms_max = 15'000;
constexpr int look_again_ms = 250;
constexpr std::size_t rules_bytes_max = 1 << 20;

/// Who may log in. First the room's own user, by the socket that is theirs alone, for the checks.
/// Then the copy's own rules. At last those whom a door lets in: they come from 127.0.0.1,
/// wherever they are, so rules about their networks cannot fit; they need their password.
Result<std::string> login_rules(const std::string& data_dir) {
    std::string rules = "local all all trust\n";
    const std::string theirs = data_dir + "/pg_hba.conf";
    if (path_exists(theirs)) {
        rules += std::string(as_text(HF_TRY(read_file(theirs, rules_bytes_max)))) + "\n";
    }
    return rules + "host all all 127.0.0.1/32 md5\nhost all all ::1/128 md5\n";
}

Result<Arguments> postgres_options(const StepContext& context, const Plan& plan, const User& user) {
    const std::string data_dir = context.tree() + "/" + plan.runtime.source;
    postgres::StartSettings settings;
    settings.port = plan.port();
    settings.listen_addresses = "127.0.0.1";
    settings.socket_dir = context.run_folder();
    const std::string log = context.tree() + "/" + postgres::log_source_name(plan.runtime.source);
    if (path_exists(log)) settings.log_folder = log;
    Arguments options = HF_TRY(postgres::prepare_restored_cluster(data_dir, settings));
    const std::string rules = context.run_folder() + "/logins.conf";
    HF_TRY(write_file_durably(rules, as_view(HF_TRY(login_rules(data_dir)))));
    if (::chown(rules.c_str(), user.uid, user.gid) != 0) {
        return io_error(errno, "give " + rules + " to the system's user");
    }
    options.push_back("-c");
    options.push_back("hba_file=" + rules);
    return options;
}

Result<RoomOrder> room_order(const StepContext& context, const Plan& plan) {
    const User user = HF_TRY(find_user(plan.runtime.user));
    HF_TRY(make_private_folder(context.run_folder(), user));
    RoomOrder order;
    order.name = context.run.name();
    order.user = plan.runtime.user;
    order.writable = {context.tree(), context.run_folder()};
    Arguments options;
    if (plan.serves_postgres()) options = HF_TRY(postgres_options(context, plan, user));
    order.start = HF_TRY(command_of(context, plan, plan.runtime.start, options));
    order.stop_signal = plan.runtime.stop_signal;
    order.stop_seconds = plan.runtime.stop_seconds;
    const auto need = [&](const Arguments& command) {
        if (!in_system_folder(command.front())) order.programs.push_back(command.front());
    };
    need(plan.runtime.start);
    need(plan.runtime.ready);
    for (const auto& [name, command] : plan.runtime.commands) need(command);
    std::sort(order.programs.begin(), order.programs.end());
    order.programs.erase(std::unique(order.programs.begin(), order.programs.end()),
                         order.programs.end());
    return order;
}

Error ended_by_itself(const StepContext& context) {
    return {Errc::Io,
            "the system ended by itself; the last it said: " + room_log(context.folder())};
}

Result<void> wait_until_ready(const StepContext& context, const Plan& plan) {
    const Arguments ready = HF_TRY(command_of(context, plan, plan.runtime.ready));
    const std::int64_t ms_max =
        std::max<std::int64_t>(context.run.facts.time_to_run_ms_max, ready_ms_min);
    const std::int64_t deadline = context.clock.steady_ns() / 1'000'000 + ms_max;
    for (;;) {
        auto asked = run_in_room(context.folder(), plan.runtime.user, ready, ready_asked_ms_max);
        if (asked && asked->ok()) return {};
        if (!HF_TRY(is_room_open(context.folder()))) return ended_by_itself(context);
        if (context.hurry()) return Error{Errc::Interrupted, "stopped while the system started"};
        if (context.clock.steady_ns() / 1'000'000 > deadline) {
            return Error{Errc::Unreachable,
                         "the system is not ready after " + span_text(ms_max) +
                             "; the last it said: " + room_log(context.folder())};
        }
        (void)::poll(nullptr, 0, look_again_ms);
    }
}

/// A room that a crash left behind would hold the mount.
Result<void> discard_run(const StepContext& context) {
    HF_TRY(detach(context.folder()));
    return discard(context.folder());
}

}  // namespace

Result<StepResult> attach_chosen(StepContext& context) {
    const Plan plan = HF_TRY(plan_of(context));
    const User user = HF_TRY(find_user(plan.runtime.user));
    const std::int64_t start = context.clock.steady_ns();
    if (!HF_TRY(is_attached(context.folder()))) {
        // A mount that died takes its room with it: that one sees the dead mount for ever.
        HF_TRY(close_room(context.folder(), plan.runtime.stop_seconds));
        HF_TRY(note_release(context.home, context.store, context.run));
        const auto supply = HF_TRY(Supply::open(context.home, context.clock, context.run,
                                                context.store, attach_index(context.folder())));
        {
            const Fd still = HF_TRY(supply->hold_still());
            const auto chosen = HF_TRY(supply->reader().find(context.run.facts.snapshot));
            HF_TRY(mark_attached(context.folder(), chosen.id));
            HF_TRY(supply->reader().refresh());
        }
        const auto record = HF_TRY(supply->reader().find(context.run.facts.snapshot));
        AttachSettings settings;
        settings.folder = context.folder();
        settings.store = supply->store_folder();
        settings.place = context.tree();
        settings.owner = Owner{user.uid, user.gid};
        settings.released = supply->released();
        HF_TRY(attach_snapshot(supply->reader(), record, settings));
    }
    const std::size_t count = HF_TRY(attached_sources(context.folder())).size();
    const std::int64_t took_ms = (context.clock.steady_ns() - start) / 1'000'000;
    return StepResult{true, count_text(count, "source") + " attached in " +
                                std::to_string(took_ms) + " ms; nothing was copied"};
}

Result<void> detach_chosen(StepContext& context) {
    return discard_run(context);
}

Result<StepResult> start_sealed(StepContext& context) {
    const Plan plan = HF_TRY(plan_of(context));
    const std::int64_t start = context.clock.steady_ns();
    HF_TRY(attach_chosen(context));  // Again, if its mount died since.
    if (!HF_TRY(is_room_open(context.folder()))) {
        HF_TRY(open_room(context.folder(), HF_TRY(room_order(context, plan))));
    }
    fault_point("room opened");
    HF_TRY(wait_until_ready(context, plan));
    const std::int64_t took_ms = (context.clock.steady_ns() - start) / 1'000'000;
    return StepResult{true, plan.runtime.name + " answers after " + std::to_string(took_ms) +
                                " ms, and reaches nothing outside"};
}

Result<void> stop_sealed(StepContext& context) {
    const auto plan = plan_of(context);
    return close_room(context.folder(), plan ? plan->runtime.stop_seconds : 30);
}

Result<StepResult> clean_up(StepContext& context) {
    HF_TRY(stop_sealed(context));
    fault_point("room closed");
    HF_TRY(discard_run(context));
    if (path_exists(context.folder())) {
        return Error{Errc::Io, context.folder() + " is still there"};
    }
    return StepResult{true, "no process, no mount and no file of the drill is left"};
}

}  // namespace holdfast::agent
