/* sync_log: a library to preload. It writes down, in order, what a program does to make names last:
 * a line "mkdir PATH", "rename PATH" (the new name) or "fsync PATH" each, appended to the file in
 * $HOLDFAST_SYNC_LOG. So a test can see, across kills, what a loss of power would take. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void note(const char* what, const char* path) {
    const char* log = getenv("HOLDFAST_SYNC_LOG");
    char line[PATH_MAX + 16];
    const int length = snprintf(line, sizeof line, "%s %s\n", what, path);
    const int fd = log == NULL ? -1 : open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    if (write(fd, line, (size_t)length) != length) abort();
    close(fd);
}

int rename(const char* from, const char* to) {
    int (*real)(const char*, const char*) = NULL;
    *(void**)&real = dlsym(RTLD_NEXT, "rename");
    const int done = real(from, to);
    if (done == 0) note("rename", to);
    return done;
}

int mkdir(const char* path, mode_t mode) {
    int (*real)(const char*, mode_t) = NULL;
    *(void**)&real = dlsym(RTLD_NEXT, "mkdir");
    const int done = real(path, mode);
    if (done == 0) note("mkdir", path);
    return done;
}

int fsync(int fd) {
    int (*real)(int) = NULL;
    *(void**)&real = dlsym(RTLD_NEXT, "fsync");
    const int done = real(fd);
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (done != 0 || length < 0) return done;
    path[length] = '\0';
    note("fsync", path);
    return done;
}
