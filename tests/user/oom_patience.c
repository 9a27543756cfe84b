/*
 * Memory is full, and the process that holds most of it is dying already, but waits for a slow disk, so that nothing can hurry it. It is
 * given two seconds to end, and others wait for its memory; only then is another one killed. The disk's latency decides which it comes to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

/* Parts of all memory, in percent: together more than there is, without the first one less. */
enum { DYING = 55, GROWING = 70 };

#define PATIENCE_MS 2000

#define LATENCY "/proc/sys/vm/ramdisk.latency"

/* A disk that is done sooner than patience ends, and one that is not; each has a file that nobody has read so far. */
#define SOON "1000000"
#define LATE "3000000"
#define SOON_FILE "/bin/tour"
#define LATE_FILE "/bin/gc"

static size_t all_bytes;

static long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* From now on the process waits for no page of its own any more. */
static void
leave_the_disk(void)
{
    if (mlockall(MCL_CURRENT) < 0)
        _exit(2);
}

static void
memory_take(size_t percent)
{
    size_t bytes = all_bytes / 100 * percent;
    char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        _exit(3);
    for (size_t i = 0; i < bytes; i += PAGE_SIZE)
        base[i] = 1;
}

/* Holds most, and then waits for the disk, which is slow from now on. */
static pid_t
dying_start(int tell, const char *latency, const char *path)
{
    pid_t child = check_fork();
    char byte = 'y';
    int file;

    if (child != 0)
        return child;
    leave_the_disk();
    memory_take(DYING);
    file = open(path, O_RDONLY);
    if (!setting_write(LATENCY, latency))
        _exit(4);
    write(tell, &byte, 1);
    read(file, &byte, 1);
    _exit(5);
}

/* Ends with 0 if it gets what it wants. */
static pid_t
growing_start(int hear)
{
    pid_t child = check_fork();
    char byte;

    if (child != 0)
        return child;
    leave_the_disk();
    read(hear, &byte, 1);
    memory_take(GROWING);
    _exit(0);
}

/* One process dies while it waits for a disk of this latency, another wants its memory: its exit status, and the time it took. */
static int
memory_fill(const char *latency, const char *path, pid_t *dying, long *taken)
{
    int told[2], start[2], status;
    pid_t growing;
    long begun;
    char byte;

    all_bytes = memory_bytes("MemFree");
    if (pipe(told) < 0 || pipe(start) < 0)
        exit(1);
    growing = growing_start(start[0]);
    *dying = dying_start(told[1], latency, path);
    read(told[0], &byte, 1);
    kill(*dying, SIGKILL);
    check_that(waitpid(*dying, NULL, WNOHANG) == 0, "who waits for the disk is killed, and cannot end yet");
    begun = now_ms();
    write(start[1], "y", 1);
    status = check_wait(growing);
    *taken = now_ms() - begun;
    return status;
}

static void
disk_in_time(void)
{
    pid_t dying;
    int status;
    long taken;

    check_that(memory_fill(SOON, SOON_FILE, &dying, &taken) == 0, "who wants its memory waits for it, and gets it");
    check_that(waitpid(dying, &status, WNOHANG) == dying, "since it has ended");
}

static void
disk_too_late(void)
{
    pid_t dying;
    long taken;

    check_that(memory_fill(LATE, LATE_FILE, &dying, &taken) == SIGKILL, "in the end the next one is killed");
    check_that(taken >= PATIENCE_MS && taken < 2 * PATIENCE_MS, "after two seconds of patience: %ld ms", taken);
    check_that(waitpid(dying, NULL, WNOHANG) == 0, "while the first is still there");
    check_that(check_wait(dying) == SIGKILL, "it ends when the disk is done");
}

int
main(void)
{
    if (!system_is_belady()) {
        check_skip("a disk that is slow on request");
        return check_end();
    }
    leave_the_disk();
    disk_in_time();
    disk_too_late();
    return check_end();
}
