/*
 * Flags, each bit on its own: for each call that takes some, what it makes of every one of the 32, besides those that the
 * call cannot do without. A row is a call, then each outcome with the bits that have it:
 *
 *     pipe2: EINVAL 0-6 8-10 12-13 15-18 20-31, ok 7 11 14 19
 *
 * A result that says more than that is shown. "not tried" are what calls cannot do with, what came and went, and features
 * that Belady does not have (namespaces, huge pages, mounts that are bound).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/bad_flags"

enum { BITS = 32, SET_BYTES = 8, FIRST_FREE = STDERR_FILENO + 1, HIGHEST = 40, RESULT_LARGEST = 1 << 20, TEXT_BYTES = 24 };

static char page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct iovec vector = { page, 16 };
static int file, directory, memory, ends[2], other[2], pair[2]; /* descriptors; the first pipe and the socket hold bytes */
static int set;                                                 /* of two semaphores */

/* ---- Attempts that need more than a line ---- */

/* In a child, since what it changes would stay. */
static long
child_attempt(long (*attempt)(uint32_t), uint32_t flag)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(attempt(flag) == -1 ? errno : 0);
    waitpid(child, &status, 0);
    while (waitpid(-1, NULL, 0) > 0) /* whom CLONE_PARENT makes ours */
        continue;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : ENOTRECOVERABLE;
    return errno == 0 ? 0 : -1;
}

static long
clone_attempt(uint32_t flag)
{
    long child = syscall(SYS_clone, flag | SIGCHLD, 0, page, 0, page);

    if (child == 0)
        _exit(0);
    return child == -1 ? -1 : 0;
}

static long
lock_all_attempt(uint32_t flag)
{
    return syscall(SYS_mlockall, flag);
}

/* What one fcntl sets, another one tells. */
static long
kept_attempt(int set_command, int get_command, uint32_t flag)
{
    long result = syscall(SYS_fcntl64, file, set_command, flag);
    return result == -1 ? -1 : (syscall(SYS_fcntl64, file, get_command, 0) & flag) != 0;
}

static long
action_attempt(uint32_t flag)
{
    struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } action = { (void *) SIG_IGN, flag, NULL, 0 };

    if (syscall(SYS_rt_sigaction, SIGURG, &action, NULL, SET_BYTES) == -1)
        return -1;
    syscall(SYS_rt_sigaction, SIGURG, NULL, &action, SET_BYTES);
    return (action.flags & flag) != 0;
}

static long
poll_attempt(int fd, uint32_t flag)
{
    struct pollfd entry = { fd, (short) flag, 0 };
    return syscall(SYS_poll, &entry, 1, 0) == -1 ? -1 : entry.revents;
}

static long
segment_attempt(uint32_t get_flags, uint32_t attach_flags)
{
    int segment = shmget(IPC_PRIVATE, PAGE_SIZE, get_flags), error = errno;
    long result = segment;

    if (segment == -1)
        return -1;
    result = attach_flags == 0 ? 0 : (long) shmat(segment, attach_flags & SHM_REMAP ? page : NULL, attach_flags);
    error = errno;
    shmctl(segment, IPC_RMID, NULL);
    errno = error;
    return result;
}

static long
semaphore_set_attempt(uint32_t flag)
{
    int made = semget(IPC_PRIVATE, 1, flag), error = errno;

    semctl(made, 0, IPC_RMID);
    errno = error;
    return made == -1 ? -1 : 0;
}

static long
mount_attempt(uint32_t flag)
{
    long result = syscall(SYS_mount, "none", "d", "tmpfs", flag, NULL);
    int error = errno;

    umount2("d", MNT_DETACH);
    errno = error;
    return result;
}

/* ---- The calls; `n` is the flag, and the last is the mask of what is not tried ---- */

#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define NAMESPACES 0x7e020000
#define HUGE_PAGES 0x40000          /* MAP_HUGETLB */
#define NEWER O_DIRECT              /* which file systems in memory have had at times */
#define PROPAGATION 0x1e7020        /* of mounts: bound, moved, private and the like; and remounting what is not there */

#define CALLS(CALL) \
    CALL("openat of a file", syscall(SYS_openat, AT_FDCWD, "file", n), NEWER) \
    CALL("openat of a file to write", syscall(SYS_openat, AT_FDCWD, "file", n | O_WRONLY), NEWER) \
    CALL("openat of a directory", syscall(SYS_openat, AT_FDCWD, "d", n), NEWER) \
    CALL("openat of a link", syscall(SYS_openat, AT_FDCWD, "link", n | O_NOFOLLOW), 0) \
    CALL("openat of nothing", syscall(SYS_openat, AT_FDCWD, "new", n, 0600), 0) \
    CALL("openat O_PATH", syscall(SYS_openat, AT_FDCWD, "file", n | O_PATH), 0) \
    CALL("openat O_CREAT: mode", syscall(SYS_openat, AT_FDCWD, "new", O_CREAT | O_WRONLY, n), 0) \
    CALL("F_SETFL", kept_attempt(F_SETFL, F_GETFL, n), NEWER) \
    CALL("F_SETFD", kept_attempt(F_SETFD, F_GETFD, n), 0) \
    CALL("F_ADD_SEALS", syscall(SYS_fcntl64, memory, 1033, n), 0) \
    CALL("pipe2", syscall(SYS_pipe2, page, n), O_EXCL) \
    CALL("dup3", syscall(SYS_dup3, file, HIGHEST, n), 0) \
    CALL("memfd_create", syscall(SYS_memfd_create, "name", n), HUGE_PAGES | 4) \
    CALL("flock", syscall(SYS_flock, file, n | LOCK_SH), 0x20) \
    CALL("poll to read", poll_attempt(ends[0], n), 0) \
    CALL("poll to write", poll_attempt(other[1], n), 0) \
    CALL("mmap2: protection", syscall(SYS_mmap2, NULL, PAGE_SIZE, n, ANONYMOUS, -1, 0), 0) \
    CALL("mmap2: flags", syscall(SYS_mmap2, page, PAGE_SIZE, RW, ANONYMOUS | n, -1, 0), HUGE_PAGES) \
    CALL("mmap2: flags of a file", syscall(SYS_mmap2, page, PAGE_SIZE, RW, MAP_PRIVATE | n, file, 0), HUGE_PAGES) \
    CALL("mmap2: flags that are looked at", syscall(SYS_mmap2, page, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | n, file, 0), HUGE_PAGES) \
    CALL("mprotect", syscall(SYS_mprotect, page, PAGE_SIZE, RW | n), 0) \
    CALL("mremap", syscall(SYS_mremap, page, PAGE_SIZE, PAGE_SIZE, n, page + PAGE_SIZE), 0) \
    CALL("mremap MREMAP_MAYMOVE", syscall(SYS_mremap, page, PAGE_SIZE, PAGE_SIZE, n | MREMAP_MAYMOVE, 0x50000000), 0) \
    CALL("msync", syscall(SYS_msync, page, PAGE_SIZE, n), 0) \
    CALL("msync MS_SYNC", syscall(SYS_msync, page, PAGE_SIZE, n | MS_SYNC), 0) \
    CALL("mlock2", syscall(SYS_mlock2, page, PAGE_SIZE, n), 0) \
    CALL("mlockall", child_attempt(lock_all_attempt, n), 0) \
    CALL("mlockall MCL_CURRENT", child_attempt(lock_all_attempt, n | MCL_CURRENT), 0) \
    CALL("shmget", segment_attempt(n | 0600, 0), 0x800) \
    CALL("shmat", segment_attempt(0600, n), 0) \
    CALL("semget", semaphore_set_attempt(n), 0) \
    CALL("semop", syscall(SYS_ipc, 1, set, 1, 0, memcpy(page, (uint16_t[]){ 0, 1, (uint16_t) n }, 6)), 0) \
    CALL("clone", child_attempt(clone_attempt, n), NAMESPACES | CLONE_VM | CLONE_SETTLS | CLONE_PIDFD | 0xff) \
    CALL("wait4", syscall(SYS_wait4, -1, NULL, n | WNOHANG, NULL), 0) \
    CALL("waitid", syscall(SYS_waitid, P_ALL, 0, NULL, n | WNOHANG, NULL), 0) \
    CALL("waitid WEXITED", syscall(SYS_waitid, P_ALL, 0, NULL, n | WEXITED | WNOHANG, NULL), 0) \
    CALL("rt_sigaction", action_attempt(n), 0) \
    CALL("sigaltstack", syscall(SYS_sigaltstack, four_words((uintptr_t) page, n, PAGE_SIZE, 0), NULL), 0) \
    CALL("futex to wake", syscall(SYS_futex, page, n | FUTEX_WAKE, 1), 0x7f) \
    CALL("futex to wait", syscall(SYS_futex, page, n | FUTEX_WAIT, 1, NULL), 0x7f) \
    CALL("clock_nanosleep", syscall(SYS_clock_nanosleep_time32, CLOCK_MONOTONIC, n, four_words(0, 1, 0, 0), NULL), 0) \
    CALL("set_thread_area", syscall(SYS_set_thread_area, four_words(8, 0, 0xfffff, 0x51 ^ n)), 0) \
    CALL("getrandom", syscall(SYS_getrandom, page, 1, n), 0) \
    CALL("socketpair", syscall(SYS_socketpair, AF_UNIX, n | SOCK_STREAM, 0, page), 0x7) \
    CALL("sendto", syscall(SYS_sendto, pair[1], page, 1, n | MSG_DONTWAIT, NULL, 0), MSG_OOB | MSG_PEEK) \
    CALL("recvfrom", syscall(SYS_recvfrom, pair[0], page, 1, n | MSG_DONTWAIT, NULL, NULL), MSG_OOB | MSG_PEEK) \
    CALL("splice", syscall(SYS_splice, ends[0], NULL, other[1], NULL, 1, n), 0) \
    CALL("tee", syscall(SYS_tee, ends[0], other[1], 1, n), 0) \
    CALL("vmsplice", syscall(SYS_vmsplice, other[1], &vector, 1, n), 0) \
    CALL("copy_file_range", syscall(SYS_copy_file_range, file, NULL, memory, NULL, 1, n), 0) \
    CALL("fallocate", syscall(SYS_fallocate, file, n, 0, 0, PAGE_SIZE, 0), 0) \
    CALL("fallocate FALLOC_FL_KEEP_SIZE", syscall(SYS_fallocate, file, n | FALLOC_FL_KEEP_SIZE, 0, 0, PAGE_SIZE, 0), 0) \
    CALL("unlinkat of a file", syscall(SYS_unlinkat, AT_FDCWD, "file", n), 0) \
    CALL("unlinkat of a directory", syscall(SYS_unlinkat, AT_FDCWD, "d", n), 0) \
    CALL("linkat", syscall(SYS_linkat, AT_FDCWD, "file", AT_FDCWD, "new", n), 0) \
    CALL("renameat2", syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "new", n), 0x4) \
    CALL("renameat2 over another", syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "link", n), 0x4) \
    CALL("faccessat2: flags", syscall(SYS_faccessat2, AT_FDCWD, "file", R_OK, n), 0) \
    CALL("faccessat2: mode", syscall(SYS_faccessat2, AT_FDCWD, "file", n, 0), 0) \
    CALL("faccessat: mode", syscall(SYS_faccessat, AT_FDCWD, "file", n), 0) \
    CALL("access: mode", syscall(SYS_access, "file", n), 0) \
    CALL("fstatat64", syscall(SYS_fstatat64, AT_FDCWD, "file", page, n), 0) \
    CALL("statx: flags", syscall(SYS_statx, AT_FDCWD, "file", n, 0x7ff, page), 0) \
    CALL("statx: mask", syscall(SYS_statx, AT_FDCWD, "file", 0, n, page), 0) \
    CALL("fchownat", syscall(SYS_fchownat, AT_FDCWD, "file", -1, -1, n), 0) \
    CALL("utimensat", syscall(SYS_utimensat, AT_FDCWD, "file", NULL, n), 0) \
    CALL("utimensat of itself", syscall(SYS_utimensat, file, NULL, NULL, n), 0) \
    CALL("chmod: mode", syscall(SYS_chmod, "file", n), 0) \
    CALL("mkdirat: mode", syscall(SYS_mkdirat, AT_FDCWD, "new", n), 0) \
    CALL("mknodat: mode", syscall(SYS_mknodat, AT_FDCWD, "new", n, 0), 0) \
    CALL("mount", mount_attempt(n), PROPAGATION) \
    CALL("umount2", syscall(SYS_umount2, "d", n), 0)

#define ENTRY(name, attempt, left_out) { name, left_out },
static const struct row { const char *name; uint32_t left_out; } rows[] = { CALLS(ENTRY) };

enum { CALL_COUNT = sizeof rows / sizeof *rows };

#define IF_CHOSEN(name, attempt, left_out) if (number++ == chosen) return attempt;

static long
call_make(int chosen, uint32_t n)
{
    int number = 0;

    CALLS(IF_CHOSEN)
    return 0;
}

/* ---- Before and after each ---- */

static void
surroundings_make(void)
{
    mmap(page, sizeof page, RW, ANONYMOUS | MAP_FIXED, -1, 0);
    mkdir("d", 0755);
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    ftruncate(file, PAGE_SIZE);
    symlink("file", "link");
    directory = open("d", O_RDONLY | O_DIRECTORY);
    memory = (int) syscall(SYS_memfd_create, "name", 2); /* MFD_ALLOW_SEALING */
    pipe2(ends, O_NONBLOCK);
    write(ends[1], page, 16);
    pipe2(other, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    write(pair[1], page, 16);
    set = semget(IPC_PRIVATE, 2, 0600);
}

static void
surroundings_remove(void)
{
    for (int fd = FIRST_FREE; fd <= HIGHEST; fd++)
        close(fd);
    munmap((void *) 0x50000000, PAGE_SIZE);
    unlink("file");
    unlink("link");
    unlink("new");
    rmdir("new");
    rmdir("d");
    semctl(set, 0, IPC_RMID);
}

/* ---- Rows ---- */

static void
outcome_write(char text[TEXT_BYTES], int chosen, int bit)
{
    uint32_t flag = (uint32_t) 1 << bit;

    if (rows[chosen].left_out & flag) {
        snprintf(text, TEXT_BYTES, "not tried");
        return;
    }
    surroundings_make();
    long result = call_make(chosen, flag);
    if (result == -1)
        snprintf(text, TEXT_BYTES, "%s", error_name(errno));
    else if (result <= HIGHEST || result > RESULT_LARGEST)
        snprintf(text, TEXT_BYTES, result > 0 && result < FIRST_FREE ? "%ld" : "ok", result);
    else
        snprintf(text, TEXT_BYTES, "%#lx", result);
    surroundings_remove();
}

/* The bits from `first` on that have the outcome of `first`, as ranges; each loses its text. */
static void
outcome_show(char texts[BITS][TEXT_BYTES], int first)
{
    char outcome[TEXT_BYTES];

    strcpy(outcome, texts[first]);
    printf(" %s", outcome);
    for (int bit = first; bit < BITS; bit++) {
        if (strcmp(texts[bit], outcome) != 0)
            continue;
        int last = bit;
        while (last + 1 < BITS && strcmp(texts[last + 1], outcome) == 0)
            last++;
        printf(last > bit ? " %d-%d" : " %d", bit, last);
        for (; bit <= last; bit++)
            *texts[bit] = '\0';
    }
}

static void
row_show(int chosen)
{
    char texts[BITS][TEXT_BYTES];
    bool is_first = true;

    for (int bit = 0; bit < BITS; bit++)
        outcome_write(texts[bit], chosen, bit);
    printf("%s:", rows[chosen].name);
    for (int bit = 0; bit < BITS; bit++) {
        if (*texts[bit] == '\0')
            continue;
        if (!is_first)
            putchar(',');
        is_first = false;
        outcome_show(texts, bit);
    }
    putchar('\n');
    fflush(stdout);
}

int
main(void)
{
    mkdir(PLACE, 0755);
    chdir(PLACE);
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    for (int call = 0; call < CALL_COUNT; call++)
        row_show(call);
    chdir("/");
    return rmdir(PLACE) == 0 ? 0 : 1;
}
