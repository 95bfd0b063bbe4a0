// Mounted: a mount_folder process for a test, and the folders it needs. Whatever happens, the
// mount is gone when this is.
#pragma once

#include "vault/base/file.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace holdfast::agent {

/// A new folder, removed with all that is in it.
class ScratchFolder {
public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// True if mounts can be tested here; else the reason is printed.
bool can_mount();

/// The file's content, or why it cannot be read.
std::string get(const std::string& path);
void overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes);

class Mounted {
public:
    /// Needs `base`/lower; makes `base`/mnt and `base`/overlay.
    explicit Mounted(std::string base) : base_(std::move(base)) {}
    ~Mounted();
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;

    std::string overlay() const { return base_ + "/overlay"; }
    std::string path(const std::string& below = "") const { return base_ + "/mnt/" + below; }
    std::string log() const;

    std::string snapshot_id = "snapshot-1";
    std::string overlay_argument;      // Instead of overlay(); "-" mounts read-only.
    std::vector<std::string> options;  // "flush_ms=0", "fail=a/b:4096".
    bool with_status = true;           // Else the process keeps no status file.
    std::string fault;                 // HOLDFAST_FAULT of the process.

    /// Starts the process and waits until the mount answers. False if it ended instead.
    bool start();
    /// kill -9, then lets go of the mount.
    void kill();
    /// SIGTERM. Answers the exit status.
    int stop();
    /// Unmounts, which ends the process. Answers its exit status.
    int unmount();
    /// True if the process has ended by itself.
    bool dead();
    pid_t pid() const { return pid_; }

private:
    int wait();

    std::string base_;
    pid_t pid_ = -1;
};

}  // namespace holdfast::agent
