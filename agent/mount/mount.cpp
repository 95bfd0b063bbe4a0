#include "agent/mount/mount.h"

#include "agent/mount/file_system.h"
#include "agent/mount/fuse_operations.h"
#include "agent/mount/keeper.h"
#include "vault/base/closer.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace holdfast::agent {
namespace {

constexpr unsigned threads_max = 64;

using Session = std::unique_ptr<fuse_session, Closer<fuse_session_destroy>>;
using LoopConfig = std::unique_ptr<fuse_loop_config, Closer<fuse_loop_cfg_destroy>>;

void log_to_stderr(std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

Result<void> check_settings(const MountSettings& settings) {
    if (settings.threads < 1 || settings.threads > threads_max) {
        return Error{Errc::Invalid, "a mount needs 1 to " + std::to_string(threads_max) +
                                        " threads, not " + std::to_string(settings.threads)};
    }
    if (settings.name.find(',') != std::string::npos) {
        return Error{Errc::Invalid, "a mount's name has no comma: " + settings.name};
    }
    struct stat info {};
    if (::stat(settings.folder.c_str(), &info) != 0) {
        return io_error(errno, "mount on " + settings.folder);
    }
    if (!S_ISDIR(info.st_mode)) {
        return Error{Errc::Invalid, "mount on " + settings.folder + ": it is not a folder"};
    }
    return {};
}

std::string options_of(const MountSettings& settings) {
    std::string options = "fsname=" + settings.name + ",subtype=holdfast,default_permissions";
    options += ",max_read=" + std::to_string(request_bytes_max);
    if (settings.allow_other) options += ",allow_other";
    if (settings.overlay.empty()) options += ",ro";
    return options;
}

Result<Session> make_session(MountedFiles& mounted, const MountSettings& settings) {
    std::string program = "holdfast-mount";
    std::string flag = "-o";
    std::string options = options_of(settings);
    std::array<char*, 3> argv{program.data(), flag.data(), options.data()};
    fuse_args args = FUSE_ARGS_INIT(static_cast<int>(argv.size()), argv.data());
    Session session(
        fuse_session_new(&args, &fuse_operations(), sizeof(fuse_lowlevel_ops), &mounted));
    fuse_opt_free_args(&args);
    if (!session) {
        return Error{Errc::Invalid, "libfuse refuses the mount options " + options};
    }
    return session;
}

/// Data files are kept open; the usual soft limit would be reached.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);  // The cache stays below 1024 in any case.
}

Result<void> serve(fuse_session* session, FileSystem& fs, const MountSettings& settings) {
    const LoopConfig config(fuse_loop_cfg_create());
    fuse_loop_cfg_set_max_threads(config.get(), settings.threads);
    fuse_loop_cfg_set_idle_threads(config.get(), settings.threads);
    std::optional<Keeper> keeper(std::in_place, fs, settings);
    const int error = fuse_session_loop_mt(session, config.get());
    const int unsynced = fs.sync_all();
    fuse_session_unmount(session);  // Before the keeper is waited for: it may wait for the mount.
    keeper.reset();
    if (error < 0) return io_error(-error, "serve " + settings.folder);
    if (unsynced != 0) return io_error(unsynced, "last sync of " + settings.overlay);
    return {};
}

}  // namespace

Result<int> serve_mount(const Tree& lower, const MountSettings& given) {
    MountSettings settings = given;
    if (!settings.log) settings.log = log_to_stderr;
    HF_TRY(check_settings(settings));
    raise_descriptor_limit();
    const auto fs = HF_TRY(FileSystem::open(lower, settings, system_clock()));
    MountedFiles mounted{*fs, {}};
    const Session session = HF_TRY(make_session(mounted, settings));
    if (fuse_set_signal_handlers(session.get()) != 0) {
        return Error{Errc::Io, "cannot watch for signals"};
    }
    if (fuse_session_mount(session.get(), settings.folder.c_str()) != 0) {
        fuse_remove_signal_handlers(session.get());
        return Error{Errc::Denied, "the kernel refuses to mount on " + settings.folder +
                                       "; is this root, and is /dev/fuse there?"};
    }
    const Result<void> served = serve(session.get(), *fs, settings);
    fuse_remove_signal_handlers(session.get());
    if (served) return 0;
    settings.log(served.error().message);
    return 1;
}

}  // namespace holdfast::agent
