/*
 * Ranges of memory that are not what a call wants: each call that takes an address and a length, or a number of things,
 * on each kind of range. A row is a call, and a column what its range is:
 *
 *     empty      0 bytes of memory                  read-only  a page that is not writable
 *     page       one page                           none       a page without access
 *     odd        a page's length, one byte on       crossing   from a page of nothing into the kernel
 *     null       a page at address 0                kernel     a page of the kernel's
 *     unmapped   a page of nothing                  wrapping   past the end of all addresses, from the last page
 *     half       a page, then one of nothing        2 GiB      as long as that, from a page on
 *     hole       a page, one of nothing, a page     all        4 GiB less a page, from a page on
 *
 * A call that succeeds shows its result, or "ok" for an address; "half" and "hole" tell how far it came. Where "-" stands,
 * Linux's answer comes from what else it maps, from a sum that goes round, or from the size of its buffers. Each begins
 * with memory that was just made, as a user without privilege. Vectors and sets are as long as the range has room for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/bad_ranges"
#define ARENA ((char *) 0x50000000)     /* of ARENA_PAGES, below which there is nothing */
#define KERNEL ((char *) 0xC0000000)
#define LAST_PAGE ((char *) 0xFFFFF000)

#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

enum { SOMEBODY = 1000, OTHER = 100, FILE_BYTES = 4 * PAGE_SIZE, RESULT_LARGEST = 1 << 20 };

/* The arena's pages. */
enum { WRITABLE, HOLE = 3, AFTER_HOLE, READ_ONLY, FORBIDDEN, ARENA_PAGES };

static int file, directory, ends[2], pair[2]; /* descriptors: of a file of FILE_BYTES, of a full pipe's ends, of a pair of sockets */
static int *cell;               /* the column that is tried */
static char other[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* ---- What must be said in memory ---- */

static void *
vector(void *base, size_t length)
{
    static struct iovec only;

    only = (struct iovec){ base, length };
    return &only;
}

/* In a child, since the kernel keeps what it was told. */
static long
alternate_stack_attempt(char *base, size_t length)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(syscall(SYS_sigaltstack, four_words((uintptr_t) base, 0, length, 0), NULL) == -1 ? errno : 0);
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return errno == 0 ? 0 : -1;
}

static long
segment_attempt(char *base, int flags)
{
    int segment = shmget(IPC_PRIVATE, PAGE_SIZE, IPC_CREAT | 0600);
    long result = (long) shmat(segment, base, flags);
    int error = errno;

    shmctl(segment, IPC_RMID, NULL);
    errno = error;
    return result;
}

/* The child is not to have what was made: it only says whether it could be. */
static long
descriptor_attempt(long call, int fd, char *base, size_t length)
{
    return syscall(call, fd, base, length, 0, 0, 0);
}

/* ---- The calls; the range begins at `base`, and has `length` bytes and so many whole pages ---- */

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

#define CALLS(CALL) \
    CALL("mmap2 there", syscall(SYS_mmap2, base, length, RW, ANONYMOUS | MAP_FIXED, -1, 0)) \
    CALL("mmap2 if free", syscall(SYS_mmap2, base, length, RW, ANONYMOUS | 0x100000, -1, 0)) \
    CALL("mmap2 of a file", syscall(SYS_mmap2, base, length, RW, MAP_SHARED | MAP_FIXED, file, 0)) \
    CALL("munmap", syscall(SYS_munmap, base, length)) \
    CALL("mprotect to read", syscall(SYS_mprotect, base, length, PROT_READ)) \
    CALL("mprotect to write", syscall(SYS_mprotect, base, length, RW)) \
    CALL("mprotect growing down", syscall(SYS_mprotect, base, length, RW | PROT_GROWSDOWN)) \
    CALL("mremap to a page", syscall(SYS_mremap, base, length, PAGE_SIZE, MREMAP_MAYMOVE)) \
    CALL("mremap to more", syscall(SYS_mremap, base, length, 5 * PAGE_SIZE, MREMAP_MAYMOVE)) \
    CALL("mremap to more, here", syscall(SYS_mremap, base, length, 5 * PAGE_SIZE, 0)) \
    CALL("mremap to nothing", syscall(SYS_mremap, base, length, 0, MREMAP_MAYMOVE)) \
    CALL("mremap from a page", syscall(SYS_mremap, other, PAGE_SIZE, length, MREMAP_MAYMOVE)) \
    CALL("mremap to there", syscall(SYS_mremap, other, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, base)) \
    CALL("mremap leaving it", syscall(SYS_mremap, base, length, length, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0)) \
    CALL("madvise NORMAL", syscall(SYS_madvise, base, length, MADV_NORMAL)) \
    CALL("madvise WILLNEED", syscall(SYS_madvise, base, length, MADV_WILLNEED)) \
    CALL("madvise DONTNEED", syscall(SYS_madvise, base, length, MADV_DONTNEED)) \
    CALL("madvise FREE", syscall(SYS_madvise, base, length, MADV_FREE)) \
    CALL("madvise REMOVE", syscall(SYS_madvise, base, length, MADV_REMOVE)) \
    CALL("madvise DONTFORK", syscall(SYS_madvise, base, length, MADV_DONTFORK)) \
    CALL("madvise POPULATE_READ", syscall(SYS_madvise, base, length, MADV_POPULATE_READ)) \
    CALL("madvise POPULATE_WRITE", syscall(SYS_madvise, base, length, MADV_POPULATE_WRITE)) \
    CALL("madvise COLD", syscall(SYS_madvise, base, length, MADV_COLD)) \
    CALL("madvise unknown", syscall(SYS_madvise, base, length, 99)) \
    CALL("mlock", syscall(SYS_mlock, base, length)) \
    CALL("mlock2 ONFAULT", syscall(SYS_mlock2, base, length, 1)) \
    CALL("munlock", syscall(SYS_munlock, base, length)) \
    CALL("mincore", syscall(SYS_mincore, base, length, other)) \
    CALL("mincore's vector", syscall(SYS_mincore, ARENA, length > HOLE * PAGE_SIZE ? HOLE * PAGE_SIZE : length, base)) \
    CALL("msync", syscall(SYS_msync, base, length, 0)) \
    CALL("msync SYNC", syscall(SYS_msync, base, length, MS_SYNC)) \
    CALL("msync ASYNC", syscall(SYS_msync, base, length, MS_ASYNC)) \
    CALL("msync SYNC INVALIDATE", syscall(SYS_msync, base, length, MS_SYNC | MS_INVALIDATE)) \
    CALL("shmat", segment_attempt(base, 0)) \
    CALL("shmat SHM_RND", segment_attempt(base, SHM_RND)) \
    CALL("shmat SHM_REMAP", segment_attempt(base, SHM_REMAP)) \
    CALL("read", syscall(SYS_read, file, base, length)) \
    CALL("write", syscall(SYS_write, file, base, length)) \
    CALL("pread64", syscall(SYS_pread64, file, base, length, PAGE_SIZE, 0)) \
    CALL("pread64 at the end", syscall(SYS_pread64, file, base, length, FILE_BYTES, 0)) \
    CALL("pwrite64", syscall(SYS_pwrite64, file, base, length, PAGE_SIZE, 0)) \
    CALL("readv", syscall(SYS_readv, file, vector(base, length), 1)) \
    CALL("writev", syscall(SYS_writev, file, vector(base, length), 1)) \
    CALL("preadv", syscall(SYS_preadv, file, vector(base, length), 1, PAGE_SIZE, 0)) \
    CALL("pwritev", syscall(SYS_pwritev, file, vector(base, length), 1, PAGE_SIZE, 0)) \
    CALL("readv's vector", syscall(SYS_readv, file, base, length / sizeof(struct iovec))) \
    CALL("writev's vector", syscall(SYS_writev, file, base, length / sizeof(struct iovec))) \
    CALL("vmsplice's vector", syscall(SYS_vmsplice, ends[1], base, length / sizeof(struct iovec), SPLICE_F_NONBLOCK)) \
    CALL("read from a pipe", syscall(SYS_read, ends[0], base, length)) \
    CALL("write to a pipe", syscall(SYS_write, ends[1], base, length)) \
    CALL("vmsplice to a pipe", syscall(SYS_vmsplice, ends[1], vector(base, length), 1, SPLICE_F_NONBLOCK)) \
    CALL("vmsplice from a pipe", syscall(SYS_vmsplice, ends[0], vector(base, length), 1, SPLICE_F_NONBLOCK)) \
    CALL("read from a socket", syscall(SYS_read, pair[0], base, length)) \
    CALL("recvfrom", syscall(SYS_recvfrom, pair[0], base, length, MSG_DONTWAIT, NULL, NULL)) \
    CALL("read from a directory", syscall(SYS_read, directory, base, length)) \
    CALL("getdents64", syscall(SYS_getdents64, directory, base, length)) \
    CALL("read from /dev/zero", descriptor_attempt(SYS_read, open("/dev/zero", O_RDONLY), base, length)) \
    CALL("write to /dev/null", descriptor_attempt(SYS_write, open("/dev/null", O_WRONLY), base, length)) \
    CALL("write to /dev/full", descriptor_attempt(SYS_write, open("/dev/full", O_WRONLY), base, length)) \
    CALL("read from /proc", descriptor_attempt(SYS_read, open("/proc/sys/kernel/ostype", O_RDONLY), base, length)) \
    CALL("getrandom", syscall(SYS_getrandom, base, length, 0)) \
    CALL("getcwd", syscall(SYS_getcwd, base, length)) \
    CALL("readlink", syscall(SYS_readlink, "link", base, length)) \
    CALL("poll", syscall(SYS_poll, base, length / sizeof(struct pollfd), 0)) \
    CALL("_newselect", syscall(SYS__newselect, length > 1024 ? 1024 : length, base, NULL, NULL, four_words(0, 0, 0, 0))) \
    CALL("getgroups32", syscall(SYS_getgroups32, length / sizeof(gid_t), base)) \
    CALL("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, length, base)) \
    CALL("sched_setaffinity", syscall(SYS_sched_setaffinity, 0, length, base)) \
    CALL("semop", syscall(SYS_ipc, 1, 1 << 30, length > PAGE_SIZE / 2 ? 500 : length, 0, base)) \
    CALL("sigaltstack", alternate_stack_attempt(base, length)) \
    CALL("set_robust_list", syscall(SYS_set_robust_list, base, length)) \
    CALL("futex WAIT", syscall(SYS_futex, base, FUTEX_WAIT, 1, NULL)) \
    CALL("futex WAIT, private", syscall(SYS_futex, base, FUTEX_WAIT_PRIVATE, 1, NULL)) \
    CALL("futex WAKE", syscall(SYS_futex, base, FUTEX_WAKE, 1)) \
    CALL("futex WAKE, private", syscall(SYS_futex, base, FUTEX_WAKE_PRIVATE, 1)) \
    CALL("futex REQUEUE from", syscall(SYS_futex, base, FUTEX_REQUEUE, 1, 1, ARENA, 0)) \
    CALL("futex REQUEUE to", syscall(SYS_futex, ARENA, FUTEX_REQUEUE, 1, 1, base, 0)) \
    CALL("futex CMP_REQUEUE", syscall(SYS_futex, base, FUTEX_CMP_REQUEUE, 1, 1, ARENA, 0)) \
    CALL("futex WAKE_OP", syscall(SYS_futex, ARENA, FUTEX_WAKE_OP, 1, 1, base, 0)) \
    CALL("set_thread_area", syscall(SYS_set_thread_area, four_words(8, (uintptr_t) base, length / PAGE_SIZE, 0x51))) \
    CALL("set_tid_address", syscall(SYS_set_tid_address, base) == getpid() ? 0 : -1)

#define COUNT(name, attempt) + 1
enum { CALL_COUNT = 0 CALLS(COUNT) };

#define NAME(name, attempt) name,
static const char *const names[] = { CALLS(NAME) };

#define IF_CHOSEN(name, attempt) if (number++ == chosen) return attempt;

static long
call_make(int chosen, char *base, size_t length)
{
    int number = 0;

    CALLS(IF_CHOSEN)
    return 0;
}

/* ---- Ranges ---- */

#define PAGE(number) (ARENA + (number) * PAGE_SIZE)

static const struct range {
    const char *name;
    char *base;
    size_t length;
} ranges[] = {
    { "empty", PAGE(WRITABLE), 0 },
    { "page", PAGE(WRITABLE), PAGE_SIZE },
    { "odd", PAGE(WRITABLE) + 1, PAGE_SIZE },
    { "null", NULL, PAGE_SIZE },
    { "unmapped", PAGE(HOLE), PAGE_SIZE },
    { "half", PAGE(HOLE - 1), 2 * PAGE_SIZE },
    { "hole", PAGE(HOLE - 1), 3 * PAGE_SIZE },
    { "read-only", PAGE(READ_ONLY), PAGE_SIZE },
    { "none", PAGE(FORBIDDEN), PAGE_SIZE },
    { "crossing", PAGE(HOLE), 0x70000000 },
    { "kernel", KERNEL, PAGE_SIZE },
    { "wrapping", LAST_PAGE, 2 * PAGE_SIZE },
    { "2 GiB", PAGE(WRITABLE), (size_t) 1 << 31 },
    { "all", PAGE(WRITABLE), -PAGE_SIZE },
};

enum { RANGE_COUNT = sizeof ranges / sizeof *ranges };

static void
surroundings_make(void)
{
    mmap(ARENA, ARENA_PAGES * PAGE_SIZE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
    munmap(PAGE(HOLE), PAGE_SIZE);
    mprotect(PAGE(READ_ONLY), PAGE_SIZE, PROT_READ);
    mprotect(PAGE(FORBIDDEN), PAGE_SIZE, PROT_NONE);
    mmap(other, PAGE_SIZE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    ftruncate(file, FILE_BYTES);
    symlink("file", "link");
    directory = open(".", O_RDONLY | O_DIRECTORY);
    pipe2(ends, O_NONBLOCK);
    write(ends[1], PAGE(WRITABLE), 3 * PAGE_SIZE);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    write(pair[1], PAGE(WRITABLE), 3 * PAGE_SIZE);
}

static void
surroundings_remove(void)
{
    munmap(ARENA, ARENA_PAGES * PAGE_SIZE);
    for (int fd = STDERR_FILENO + 1; fd < OTHER; fd++)
        close(fd);
    unlink("file");
    unlink("link");
}

static bool
is_left_out(const char *name, const struct range *range)
{
    static const struct { const char *call, *range; } accidents[] = {
        { "madvise ", "crossing" }, { "madvise ", "2 GiB" }, { "mremap leaving", "2 GiB" }, { "mremap leaving", "all" },
        { "mprotect growing", "crossing" }, { "mprotect growing", "2 GiB" }, { "sched_getaffinity", "2 GiB" },
        { "read from a socket", "half" }, { "read from a socket", "hole" }, { "recvfrom", "half" }, { "recvfrom", "hole" },
    };

    for (size_t i = 0; i < sizeof accidents / sizeof *accidents; i++)
        if (strncmp(name, accidents[i].call, strlen(accidents[i].call)) == 0 && strcmp(range->name, accidents[i].range) == 0)
            return true;
    return false;
}

static void
cell_show(int chosen, const struct range *range)
{
    char text[16];

    if (is_left_out(names[chosen], range)) {
        printf(" %9s", "-");
        return;
    }

    surroundings_make();
    long result = call_make(chosen, range->base, range->length);
    if (result == -1)
        snprintf(text, sizeof text, "%s", error_name(errno));
    else if (result == 0 || result < 0 || result > RESULT_LARGEST)
        snprintf(text, sizeof text, "ok");
    else
        snprintf(text, sizeof text, "%ld", result);
    surroundings_remove();
    printf(" %9s", text);
    fflush(stdout);
}

/* In a child, which may lose what it stands on; another one goes on then. */
static void
row_show(int chosen)
{
    for (*cell = 0; *cell < RANGE_COUNT; ++*cell) {
        int status;
        pid_t child = fork();

        if (child == 0) {
            for (; *cell < RANGE_COUNT; ++*cell)
                cell_show(chosen, &ranges[*cell]);
            _exit(0);
        }
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status))
            printf(" %9s", signal_name(WTERMSIG(status)));
        fflush(stdout);
    }
}

int
main(void)
{
    mkdir(PLACE, 0755);
    chown(PLACE, SOMEBODY, SOMEBODY);
    chdir(PLACE);
    setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
    signal(SIGPIPE, SIG_IGN);
    cell = mmap(NULL, sizeof *cell, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    printf("%22s", "");
    for (int i = 0; i < RANGE_COUNT; i++)
        printf(" %9s", ranges[i].name);
    for (int call = 0; call < CALL_COUNT; call++) {
        printf("\n%-22s", names[call]);
        fflush(stdout);
        row_show(call);
    }
    putchar('\n');
    return 0;
}
