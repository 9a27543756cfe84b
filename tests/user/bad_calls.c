/*
 * Random calls on files, by several processes in the same directories at once: descriptors, paths, lengths, flags and
 * pointers good and bad. No answer is expected; but the callers end as they want to, and afterwards a file, a pipe and a
 * directory work as ever. The kernel's own checks see to the rest. Not on Linux: the calls change and remove files of
 * the system's.
 *
 *     bad_calls [SEED [CALLS]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/random.h"
#include "user/lib/system.h"

#define TOP "/tmp/bad_calls"
#define KERNEL 0xC0000000u       /* where its addresses begin */

enum {
    CALLERS = 4,
    CALLS = 4000,                   /* of each caller */
    DIRECTORIES = 2,                /* shared by the callers */
    ARENA = 65536,                  /* bytes of good memory; names in the first page, results behind it */
    GUARD = 4096,                   /* bytes without access behind the arena */
    NAMES = 16, NAME_BYTES = 256,   /* names at the beginning of the arena */
    SPARED = 3,                     /* the descriptors below are not closed or replaced */
    DESCRIPTORS = 16,
    TICK_MICROSECONDS = 20000,      /* a signal as often ends calls that wait */
};

static const char *const names[] = {
    "a", "b", "d", "d/x", "d/y", "d/../a", "e", "e/z", "link", "link/x", "loop", "fifo", ".", "..", "", "/", "d/", "a/",
    "/proc", "/proc/1", "/proc/self/fd/3", "/proc/self/fd", "/proc/self/maps", "/proc/self/pagemap", "/proc/self/cwd",
    "/proc/self/exe", "/proc/self/status", "/proc/vmstat", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom",
    "/dev/tty", "/dev/fd/4", "/etc/motd", "/bin/true",
};

static char *arena;

/* ---- What calls are given: mostly sensible, now and then anything ---- */

static long
path(void)
{
    char *name = arena + draw(NAMES) * NAME_BYTES;

    if (draw(32) == 0)
        return draw(UINT32_MAX);
    strcpy(name, names[draw(sizeof names / sizeof *names)]);
    return (long) strcat(name, draw(16) == 0 ? "/" : "");
}

static long
memory(void)
{
    switch (draw(12)) {
    case 0:
        return draw(UINT32_MAX);
    case 1:
        return (long) (KERNEL + draw(1 << 20));
    case 2:
        return (long) arena + ARENA - draw(64);
    default:
        return (long) arena + NAMES * NAME_BYTES + draw(ARENA / 2);
    }
}

static long
descriptor(void)
{
    return draw(20) == 0 ? (long) draw(UINT32_MAX) : (long) (SPARED + draw(DESCRIPTORS));
}

static long
directory(void)
{
    return draw(2) == 0 ? AT_FDCWD : descriptor();
}

static long
any_number(void)
{
    switch (draw(8)) {
    case 0:
        return draw(UINT32_MAX);
    case 1:
        return 0;
    case 2:
        return INT32_MAX;
    case 3:
        return -1;
    default:
        return draw(70000);
    }
}

static long
flags(void)
{
    static const int some[] = { O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, 0 };

    return (long) draw(3) | some[draw(8)] | some[draw(8)] | (draw(8) == 0 ? 0 : O_NONBLOCK);
}

/* Maps a piece of a file, uses it as memory for calls, and unmaps it. */
static long
mapping(void)
{
    size_t length = 1 + draw(50000);
    char *place = mmap(NULL, length, (int) draw(8), draw(2) == 0 ? MAP_SHARED : MAP_PRIVATE, (int) descriptor(),
                       (off_t) draw(4) * 4096);

    if (place == MAP_FAILED)
        return -1;
    syscall(SYS_write, descriptor(), place, length);
    syscall(SYS_read, descriptor(), place, length);
    ftruncate((int) descriptor(), (off_t) draw(9000));
    syscall(SYS_write, descriptor(), place, length);
    return munmap(place, length);
}

/* ---- The calls ---- */

#define CALLS_TO_MAKE(CALL) \
    CALL(syscall(SYS_open, path(), flags(), 0777)) \
    CALL(syscall(SYS_open, path(), O_RDWR | O_CREAT | O_NONBLOCK, 0777)) \
    CALL(syscall(SYS_openat, directory(), path(), flags(), 0777)) \
    CALL(syscall(SYS_close, descriptor())) \
    CALL(syscall(SYS_read, descriptor(), memory(), any_number())) \
    CALL(syscall(SYS_write, descriptor(), memory(), any_number())) \
    CALL(syscall(SYS_pread64, descriptor(), memory(), any_number(), any_number(), draw(8) == 0)) \
    CALL(syscall(SYS_pwrite64, descriptor(), memory(), any_number(), draw(1 << 20), draw(8) == 0)) \
    CALL(syscall(SYS_readv, descriptor(), memory(), draw(20))) \
    CALL(syscall(SYS_writev, descriptor(), memory(), draw(20))) \
    CALL(syscall(SYS_sendfile64, descriptor(), descriptor(), draw(2) == 0 ? 0 : memory(), any_number())) \
    CALL(syscall(SYS__llseek, descriptor(), draw(4) == 0 ? any_number() : 0, any_number(), memory(), draw(6))) \
    CALL(syscall(SYS_getdents64, descriptor(), memory(), any_number())) \
    CALL(syscall(SYS_getdents, descriptor(), memory(), any_number())) \
    CALL(syscall(SYS_readdir, descriptor(), memory())) \
    CALL(syscall(SYS_mkdir, path(), 0777)) \
    CALL(syscall(SYS_rmdir, path())) \
    CALL(syscall(SYS_unlink, path())) \
    CALL(syscall(SYS_unlinkat, directory(), path(), draw(2) == 0 ? 0 : AT_REMOVEDIR)) \
    CALL(syscall(SYS_rename, path(), path())) \
    CALL(syscall(SYS_renameat, directory(), path(), directory(), path())) \
    CALL(syscall(SYS_link, path(), path())) \
    CALL(syscall(SYS_symlink, path(), path())) \
    CALL(syscall(SYS_mknod, path(), (draw(2) == 0 ? S_IFIFO : S_IFREG) | 0666, 0)) \
    CALL(syscall(SYS_readlink, path(), memory(), any_number())) \
    CALL(syscall(SYS_stat64, path(), memory())) \
    CALL(syscall(SYS_lstat64, path(), memory())) \
    CALL(syscall(SYS_fstat64, descriptor(), memory())) \
    CALL(syscall(SYS_statx, directory(), path(), draw(0x8000), draw(0x1000), memory())) \
    CALL(syscall(SYS_utimensat, directory(), path(), draw(2) == 0 ? 0 : memory(), 0)) \
    CALL(syscall(SYS_truncate64, path(), draw(1 << 21), draw(16) == 0)) \
    CALL(syscall(SYS_ftruncate64, descriptor(), draw(1 << 21), draw(16) == 0)) \
    CALL(syscall(SYS_chmod, path(), draw(UINT32_MAX))) \
    CALL(syscall(SYS_access, path(), draw(9))) \
    CALL(syscall(SYS_chdir, path())) \
    CALL(syscall(SYS_fchdir, descriptor())) \
    CALL(syscall(SYS_getcwd, memory(), any_number())) \
    CALL(syscall(SYS_dup, descriptor())) \
    CALL(syscall(SYS_dup2, descriptor(), SPARED + draw(DESCRIPTORS))) \
    CALL(syscall(SYS_fcntl64, descriptor(), draw(20), draw(4) == 0 ? memory() : (long) draw(80))) \
    CALL(syscall(SYS_ioctl, descriptor(), draw(2) == 0 ? (long) (TCGETS + draw(0x60)) : any_number(), memory())) \
    CALL(syscall(SYS_pipe2, memory(), draw(2) == 0 ? 0 : O_NONBLOCK)) \
    CALL(syscall(SYS_poll, memory(), draw(20), draw(3))) \
    CALL(syscall(SYS__newselect, draw(40), memory(), memory(), draw(2) == 0 ? 0 : memory(), memory())) \
    CALL(mapping())

#define ONE(attempt) + 1
#define IF_CHOSEN(attempt) if (number++ == chosen) { attempt; return; }

static void
call_make(void)
{
    uint32_t chosen = draw(0 CALLS_TO_MAKE(ONE));
    uint32_t number = 0;

    CALLS_TO_MAKE(IF_CHOSEN)
}

/* ---- A caller ---- */

static void
tick(int signal)
{
    (void) signal;
}

/* Fills the memory that calls read vectors and sets from with words that may be addresses. */
static void
arena_stir(void)
{
    uint32_t *words = (uint32_t *) (arena + NAMES * NAME_BYTES);

    for (int i = 0; i < 200; i++)
        words[draw(ARENA / 2 / sizeof *words)] = draw(3) == 0 ? draw(100) : (uint32_t) (uintptr_t) arena + draw(ARENA);
}

static void
surroundings_make(int caller)
{
    struct sigaction action = { .sa_handler = tick };
    struct itimerval often = { { 0, TICK_MICROSECONDS }, { 0, TICK_MICROSECONDS } };
    char place[64];
    int null = open("/dev/null", O_RDWR);

    snprintf(place, sizeof place, TOP "/%d", caller % DIRECTORIES);
    mkdir(place, 0777);
    chdir(place);
    mkdir("d", 0777);
    mkdir("e", 0777);
    symlink("d", "link");
    symlink("loop", "loop");
    for (int i = 0; i < SPARED; i++)
        dup2(null, i);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void
caller_run(int caller, uint32_t seed, int calls)
{
    random_state = (seed * CALLERS + (uint32_t) caller + 1) * 2654435761u;
    arena = mmap(NULL, ARENA + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(arena + ARENA, GUARD, PROT_NONE); /* calls with a great length shall end here, and spare what lies above */
    surroundings_make(caller);
    for (int i = 0; i < calls; i++) {
        if (i % 64 == 0)
            arena_stir();
        call_make();
    }
    _exit(EXIT_SUCCESS);
}

/* ---- Afterwards ---- */

static void
all_is_well_check(void)
{
    char byte = 0;
    int ends[2];
    int file = open(TOP "/after", O_RDWR | O_CREAT | O_TRUNC, 0600);

    check_that(write(file, "x", 1) == 1 && pread(file, &byte, 1, 0) == 1 && byte == 'x', "a file works");
    check_that(pipe(ends) == 0 && write(ends[1], "y", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'y',
               "a pipe works");
    check_that(mkdir(TOP "/after.d", 0755) == 0 && rmdir(TOP "/after.d") == 0, "a directory works");
}

int
main(int count, char **arguments)
{
    uint32_t seed = count > 1 ? (uint32_t) atoi(arguments[1]) : 1;
    int calls = count > 2 ? atoi(arguments[2]) : CALLS;
    pid_t callers[CALLERS];
    int ended = 0;

    if (!system_is_belady()) {
        check_skip("files of this system would suffer");
        return check_end();
    }
    mkdir(TOP, 0777);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = check_fork();
        if (callers[i] == 0)
            caller_run(i, seed, calls);
    }
    for (int i = 0; i < CALLERS; i++)
        ended += check_wait(callers[i]) == 0;
    check_that(ended == CALLERS, "%d processes made %d random calls each (seed %u)", ended, calls, (unsigned) seed);
    all_is_well_check();
    return check_end();
}
