/* A disk that fails, or on which the process dies, at the n-th write, fsync or rename in a folder.

   Loaded before libc by LD_PRELOAD; `disk_watch` says in which folder, `disk_fail` when and how. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NEVER, ONCE, FROM_THEN_ON, DIE_BEFORE, DIE_AFTER };

static char watched[PATH_MAX];
static long count, at;
static int how = NEVER;

void disk_watch(const char *folder) { strncpy(watched, folder, sizeof watched - 1); }
void disk_fail(long n, int mode) { count = 0; at = n; how = mode; }
long disk_count(void) { return count; }

static int within(const char *path) {
    return watched[0] && !strncmp(path, watched, strlen(watched));
}

static int within_fd(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return within(path);
}

/* Whether this call is to fail; dies here where it is to. */
static int fails(int here) {
    if (!here) return 0;
    count++;
    if (how == DIE_BEFORE && count == at) kill(getpid(), SIGKILL);
    return (how == ONCE && count == at) || (how == FROM_THEN_ON && count >= at);
}

static void after(int here) {
    if (here && how == DIE_AFTER && count == at) kill(getpid(), SIGKILL);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    int here = within_fd(fd);
    if (fails(here)) { errno = ENOSPC; return -1; }
    if (here && how == DIE_AFTER && count == at) size = size / 2 + 1;  /* half of it is there */
    ssize_t done = real(fd, data, size);
    after(here);
    return done;
}

int fsync(int fd) {
    REAL(fsync);
    int here = within_fd(fd);
    if (fails(here)) { errno = EIO; return -1; }
    int result = real(fd);
    after(here);
    return result;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    int here = within(from);
    if (fails(here)) { errno = EIO; return -1; }
    int result = real(from, to);
    after(here);
    return result;
}
