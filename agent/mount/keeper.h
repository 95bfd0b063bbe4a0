// Keeper: the thread of a mount that nobody asked for: says when the mount is up, syncs what
// programs leave unsynced, keeps the status file.
#pragma once

#include "agent/mount/file_system.h"
#include "agent/mount/mount.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace holdfast::agent {

class Keeper {
public:
    /// Starts the thread, with all signals blocked. Both outlive it.
    Keeper(FileSystem& fs, const MountSettings& settings);
    /// Stops it. The mount must be served or gone: the thread may be waiting for it to answer.
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

private:
    void run();
    void announce();
    void keep_status();

    FileSystem& fs_;
    const MountSettings& settings_;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool stop_ = false;
    std::string last_status_;
    std::thread thread_;
};

}  // namespace holdfast::agent
