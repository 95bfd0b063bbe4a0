#include "agent/mount/keeper.h"

#include "agent/mount/status.h"
#include "vault/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace holdfast::agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds status_interval{1000};
constexpr unsigned read_ahead_kb = 1024;  // As much as one request carries.

/// The kernel's own choice is 128 KiB.
void widen_read_ahead(dev_t device) {
    const std::string path = "/sys/class/bdi/" + std::to_string(major(device)) + ":" +
                             std::to_string(minor(device)) + "/read_ahead_kb";
    const Result<Fd> file = open_file(path, O_WRONLY);
    // Only speed depends on it; without the right to set it the mount works as well.
    if (file) (void)write_all(*file, as_view(std::to_string(read_ahead_kb)), path);
}

}  // namespace

Keeper::Keeper(FileSystem& fs, const MountSettings& settings) : fs_(fs), settings_(settings) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Keeper::~Keeper() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    woken_.notify_all();
    thread_.join();
    keep_status();
}

void Keeper::announce() {
    struct stat info {};
    // Answered only when the kernel and the threads that serve it have met.
    if (::stat(settings_.folder.c_str(), &info) == 0) widen_read_ahead(info.st_dev);
    Fd ready(settings_.ready_fd);
    if (ready) (void)write_all(ready, as_view("ready\n"), "the ready descriptor");
}

void Keeper::run() {
    announce();
    milliseconds unflushed{0};
    std::unique_lock lock(mutex_);
    while (!woken_.wait_for(lock, status_interval, [this] { return stop_; })) {
        lock.unlock();
        unflushed += status_interval;
        if (settings_.flush_ms != 0 && unflushed >= milliseconds(settings_.flush_ms)) {
            const int error = fs_.sync_all();
            if (error != 0) settings_.log("sync of the overlay: " + std::string(strerror(error)));
            unflushed = milliseconds{0};
        }
        keep_status();
        lock.lock();
    }
}

void Keeper::keep_status() {
    if (settings_.status_file.empty()) return;
    std::string text = encode_status(fs_.status());
    if (text == last_status_) return;
    const Result<void> kept = write_file_durably(settings_.status_file, as_view(text), 0644);
    if (!kept) settings_.log(kept.error().message);
    last_status_ = std::move(text);
}

}  // namespace holdfast::agent
