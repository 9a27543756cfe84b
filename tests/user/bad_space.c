/*
 * Files and pipes until there is room for no more: ENOSPC and EMFILE, nobody is killed for it, and all of it comes
 * back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

#define FILE_NAME "/tmp/bad_space"
#define DIRECTORY_NAME "/tmp/bad_space_d"

enum {
    PIECE = 65536,                  /* bytes written at a time */
    MIB = 1 << 20,
    STEP = 256 << 10,               /* bytes by which a program grows */
    LARGEST_MIB = 1024,             /* a machine with more than this is not filled */
    SLACK_KIB = 512,                /* what the kernel may keep for later */
    DESCRIPTORS = 64,
    ENTRIES = 3000,
    HOARDERS = 6,
    RESERVE_PART = 16,              /* what files and pipes leave to programs: one part in so many */
};

static long
free_kib(void)
{
    struct sysinfo information;

    sysinfo(&information);
    return (long) ((unsigned long long) (information.freeram + information.freeswap) * information.mem_unit / 1024);
}

static long
kib_of(const char *name)
{
    return (long) (memory_bytes(name) / 1024);
}

/* Where files' pages could go. */
static long
room_kib(void)
{
    return kib_of("MemFree") + kib_of("Cached") - kib_of("Shmem") + kib_of("SwapFree");
}

/*
 * What is left to programs is the reserve: not less, and not much more. Linux keeps none: its tmpfs takes half of the memory, and pipes
 * have a limit of their own.
 */
static void
reserve_check(const char *who, long left, long all)
{
    if (!system_is_belady()) {
        check_skip("%s leave a part of memory", who);
        return;
    }
    check_that(left >= all / RESERVE_PART - SLACK_KIB && left <= all / RESERVE_PART + SLACK_KIB,
               "%s leave one part in %d: %ld KiB of %ld", who, RESERVE_PART, left, all);
}

static void
fill_check(void)
{
    static char piece[PIECE];
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    long long written = 0;
    ssize_t done;
    char byte = 0;

    memset(piece, 'x', sizeof piece);
    while ((done = write(file, piece, sizeof piece)) > 0)
        written += done;
    check_that(done == -1 && errno == ENOSPC, "after %lld MiB there is no space left", written / MIB);
    reserve_check("files", room_kib(), kib_of("MemTotal") + kib_of("SwapTotal"));
    check_that(lseek(file, 0, SEEK_END) == written, "the file has just what was written");
    check_that(pread(file, &byte, 1, written - 1) == 1 && byte == 'x', "its last byte can be read");
    check_that(mkdir(DIRECTORY_NAME, 0755) == 0 || errno == ENOSPC,
               "a directory can be made, or there is no space for it");
    check_that(ftruncate(file, 0) == 0 && write(file, piece, sizeof piece) == PIECE, "emptied, it takes more");
    close(file);
    unlink(FILE_NAME);
    rmdir(DIRECTORY_NAME);
}

/* More than there is room for, in one piece: nothing but zeroes, which take no memory themselves. */
static void
one_write_check(void)
{
    size_t bytes = (size_t) room_kib() * 1024 + 4 * MIB;
    char *zeroes = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ssize_t done = write(file, zeroes, bytes);

    check_that(done > 0 && (size_t) done < bytes && lseek(file, 0, SEEK_END) == done, "one write of more than there is room for is cut");
    reserve_check("the part of it", room_kib(), kib_of("MemTotal") + kib_of("SwapTotal"));
    munmap(zeroes, bytes);
    close(file);
    unlink(FILE_NAME);
}

/* A program may use the reserve; then a file gets nothing, and nobody is killed for it. */
static void
squeeze_check(void)
{
    long reserve = (kib_of("MemTotal") + kib_of("SwapTotal")) / RESERVE_PART;
    int file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);

    while (room_kib() > reserve * 3 / 4) {
        char *taken = mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int i = 0; i < STEP; i += PAGE_SIZE)
            taken[i] = 'x';
    }
    check_that(write(file, "x", 1) == -1 && errno == ENOSPC, "where a program has taken of the reserve, a file gets no page: ENOSPC");
    unlink(FILE_NAME);
}

/* Fills pipes until it gets no more of them, tells so by a byte, and keeps them until it is killed. */
static void
hoard(int tell)
{
    static char piece[PIECE];
    int ends[2];

    while (pipe2(ends, O_NONBLOCK) == 0)
        while (write(ends[1], piece, sizeof piece) > 0)
            ;
    write(tell, errno == EMFILE || errno == ENFILE ? "y" : "n", 1);
    pause();
}

static void
pipes_check(void)
{
    pid_t hoarders[HOARDERS];
    int ends[2], refused = 0;
    char answer;

    pipe(ends);
    for (int i = 0; i < HOARDERS; i++) {
        hoarders[i] = check_fork();
        if (hoarders[i] == 0)
            hoard(ends[1]);
    }
    for (int i = 0; i < HOARDERS; i++)
        refused += read(ends[0], &answer, 1) == 1 && answer == 'y';
    check_that(refused == HOARDERS, "each of %d hoarders of pipes is refused more in the end", HOARDERS);
    reserve_check("pipes", kib_of("MemFree") + kib_of("Cached") + kib_of("AnonPages"), kib_of("MemTotal"));
    check_that(write(ends[1], "x", 1) == 1 && read(ends[0], &answer, 1) == 1, "a pipe from before still works");
    for (int i = 0; i < HOARDERS; i++) {
        kill(hoarders[i], SIGTERM);
        refused -= check_wait(hoarders[i]) == SIGTERM;
    }
    check_that(refused == 0, "and none of them was killed for want of memory");
    close(ends[0]);
    close(ends[1]);
}

static void
descriptors_check(void)
{
    struct rlimit limit, few = { DESCRIPTORS, DESCRIPTORS };
    int opened[DESCRIPTORS], count = 0, ends[2];

    getrlimit(RLIMIT_NOFILE, &limit);
    few.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    while (count < DESCRIPTORS && (opened[count] = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    check_that(errno == EMFILE && count < DESCRIPTORS, "RLIMIT_NOFILE ends opening: EMFILE");
    check_that(pipe(ends) == -1 && errno == EMFILE, "and pipes");
    close(opened[--count]);
    check_that(pipe(ends) == -1 && errno == EMFILE, "room for one end of a pipe is not enough");
    check_that((opened[count] = dup(0)) >= 0, "and the failed pipe has kept nothing");
    check_that(dup2(0, DESCRIPTORS) == -1 && errno == EBADF, "dup2 beyond the limit: EBADF");
    check_that(fcntl(0, F_DUPFD, DESCRIPTORS) == -1 && errno == EINVAL, "F_DUPFD beyond the limit: EINVAL");
    while (count >= 0)
        close(opened[count--]);
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void
entries_check(void)
{
    char name[64];
    int made = 0;

    mkdir(DIRECTORY_NAME, 0755);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, DIRECTORY_NAME "/%d", i);
        made += mkdir(name, 0755) == 0;
    }
    check_that(made == ENTRIES, "%d directories in one", ENTRIES);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, DIRECTORY_NAME "/%d", i);
        made -= rmdir(name) == 0;
    }
    check_that(made == 0 && rmdir(DIRECTORY_NAME) == 0, "and all of them are removed");
}

int
main(void)
{
    long before;

    /* What stops who fills memory is to be the reserve, not a limit. Linux has none, and would kill somebody. */
    if (system_is_belady())
        mount("none", "/tmp", NULL, MS_REMOUNT, "size=0,nr_inodes=0");
    descriptors_check();
    entries_check();
    before = free_kib();
    if (before / 1024 > LARGEST_MIB) {
        check_skip("too much memory to fill it");
        return check_end();
    }
    pipes_check();
    fill_check();
    one_write_check();
    if (system_is_belady())
        check_child(squeeze_check);
    else
        check_skip("a program takes of the reserve");
    check_that(free_kib() >= before - SLACK_KIB, "all memory has come back");
    return check_end();
}
