/*
 * A bad pointer, in each system call that takes one, is answered by EFAULT: null,
 * an address of the kernel's, one in the mirror of the code segment, one where
 * nothing is mapped, one that may not be accessed, one that may not be written,
 * one whose object begins on a good page and ends on a bad one, and one whose
 * object would go past 4 GiB. And nothing is consumed, changed or leaked.
 *
 * The calls are made raw, since libc looks at some of the pointers itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

#define FILE_NAME "/tmp/bad_pointers"
#define STATFS64_SIZE 84    /* of the kernel's struct statfs64, which the call is told */
#define STATX_ALL_BASIC 0x7ff  /* STATX_BASIC_STATS, which libc does not have yet */

/* What a call does with the pointer, which decides what is a bad one. */
enum {
    INPUT = 1,    /* reads there */
    OUTPUT = 2,   /* writes there: a read-only page is bad as well */
    PARTIAL = 4,  /* may do part of the work when only the end is bad: tried apart, below */
    OPTIONAL = 8, /* takes null for "none" */
    ALIGNED = 16, /* wants an aligned address, so that an object cannot cross a page */
};

static int ends[2];            /* of a pipe that holds WAITING */
static int file, directory;    /* descriptors: of FILE_NAME, and of / */
static const char waiting[] = "0123456789";
static char *good;             /* two pages that may be used in every way */

/* ---- What must be so before a call can fail for its pointer alone ---------------------------------------------- */

/* A zombie to wait for. */
static pid_t
zombie_make(void)
{
    pid_t child = check_fork();
    if (child == 0)
        _exit(EXIT_SUCCESS);
    return child;
}

/* Room for any structure, filled with zeroes. */
static void *
zeroes(void)
{
    return memset(good, 0, PAGE_SIZE);
}

static long
wait_attempt(int *status, struct rusage *usage)
{
    pid_t child = zombie_make();
    long result = syscall(SYS_wait4, child, status, 0, usage);
    int error = errno;

    /* Linux has taken the child by then. */
    waitpid(child, NULL, 0);
    errno = error;
    return result;
}

static long
waitid_attempt(void *information)
{
    pid_t child = zombie_make();
    long result = syscall(SYS_waitid, P_PID, child, information, WEXITED, NULL);
    int error = errno;

    waitpid(child, NULL, 0);
    errno = error;
    return result;
}

/* Waits for a signal that is pending already. */
static long
sigtimedwait_attempt(void *set, void *information, void *timeout)
{
    static const uint64_t only_usr1 = 1 << (SIGUSR1 - 1);
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    raise(SIGUSR1);
    long result = syscall(SYS_rt_sigtimedwait, set == NULL ? &only_usr1 : set, information, timeout, sizeof only_usr1);
    int error = errno;

    signal(SIGUSR1, SIG_IGN); /* throws away what may still be pending */
    signal(SIGUSR1, SIG_DFL);
    errno = error;
    return result;
}

static long
vector_attempt(long call, int descriptor, void *base)
{
    struct iovec vector = { base, sizeof waiting - 1 };
    return syscall(call, descriptor, &vector, 1);
}

static long
execve_attempt(const char *path, void *arguments, void *environment)
{
    char *const none[] = { NULL };
    return syscall(SYS_execve, path, arguments == NULL ? (void *) none : arguments, environment);
}

static long
execve_string_attempt(void *string)
{
    void *const arguments[] = { string, NULL };
    return syscall(SYS_execve, "/bin/true", arguments, NULL);
}

static long
futex_attempt(void *word)
{
    return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

/* ---- The calls, in the order of SYSCALLS.md: name, use of the pointer, attempt with the pointer `bad` ---------- */

#define CALLS(CALL) \
    CALL(execve_path, INPUT, execve_attempt(bad, NULL, NULL)) \
    CALL(execve_arguments, INPUT | OPTIONAL, execve_attempt("/bin/true", bad, NULL)) \
    CALL(execve_argument, INPUT | OPTIONAL, execve_string_attempt(bad)) \
    CALL(execve_environment, INPUT | OPTIONAL, execve_attempt("/bin/true", NULL, bad)) \
    CALL(set_thread_area, INPUT, syscall(SYS_set_thread_area, bad)) \
    CALL(writev_vector, INPUT, syscall(SYS_writev, ends[1], bad, 1)) \
    CALL(writev_base, INPUT | PARTIAL, vector_attempt(SYS_writev, ends[1], bad)) \
    CALL(read, OUTPUT | PARTIAL, syscall(SYS_read, ends[0], bad, sizeof waiting - 1)) \
    CALL(write, INPUT | PARTIAL, syscall(SYS_write, ends[1], bad, sizeof waiting - 1)) \
    CALL(open, INPUT, syscall(SYS_open, bad, O_RDONLY)) \
    CALL(unlink, INPUT, syscall(SYS_unlink, bad)) \
    CALL(chdir, INPUT, syscall(SYS_chdir, bad)) \
    CALL(access, INPUT, syscall(SYS_access, bad, R_OK)) \
    CALL(rename_from, INPUT, syscall(SYS_rename, bad, FILE_NAME)) \
    CALL(rename_to, INPUT, syscall(SYS_rename, FILE_NAME, bad)) \
    CALL(mkdir, INPUT, syscall(SYS_mkdir, bad, 0777)) \
    CALL(rmdir, INPUT, syscall(SYS_rmdir, bad)) \
    CALL(pipe, OUTPUT, syscall(SYS_pipe, bad)) \
    CALL(symlink_target, INPUT, syscall(SYS_symlink, bad, FILE_NAME ".link")) \
    CALL(symlink_name, INPUT, syscall(SYS_symlink, FILE_NAME, bad)) \
    CALL(wait4_status, OUTPUT | OPTIONAL, wait_attempt(bad, NULL)) \
    CALL(wait4_usage, OUTPUT | OPTIONAL, wait_attempt(NULL, bad)) \
    CALL(uname, OUTPUT, syscall(SYS_uname, bad)) \
    CALL(_llseek, OUTPUT, syscall(SYS__llseek, file, 0, 0, bad, SEEK_CUR)) \
    CALL(nanosleep, INPUT, syscall(SYS_nanosleep, bad, NULL)) \
    CALL(rt_sigaction_new, INPUT | OPTIONAL, syscall(SYS_rt_sigaction, SIGUSR2, bad, NULL, 8)) \
    CALL(rt_sigaction_old, OUTPUT | OPTIONAL, syscall(SYS_rt_sigaction, SIGUSR2, NULL, bad, 8)) \
    CALL(rt_sigprocmask_new, INPUT | OPTIONAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8)) \
    CALL(rt_sigprocmask_old, OUTPUT | OPTIONAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad, 8)) \
    CALL(rt_sigsuspend, INPUT, syscall(SYS_rt_sigsuspend, bad, 8)) \
    CALL(getcwd, OUTPUT, syscall(SYS_getcwd, bad, PATH_MAX)) \
    CALL(stat64_path, INPUT, syscall(SYS_stat64, bad, good)) \
    CALL(stat64_result, OUTPUT, syscall(SYS_stat64, "/", bad)) \
    CALL(lstat64_path, INPUT, syscall(SYS_lstat64, bad, good)) \
    CALL(lstat64_result, OUTPUT, syscall(SYS_lstat64, "/", bad)) \
    CALL(fstat64, OUTPUT, syscall(SYS_fstat64, file, bad)) \
    CALL(getdents64, OUTPUT, syscall(SYS_getdents64, directory, bad, PAGE_SIZE)) \
    CALL(ioctl_FIONREAD, OUTPUT, syscall(SYS_ioctl, ends[0], FIONREAD, bad)) \
    CALL(select_set, INPUT | OUTPUT | OPTIONAL, syscall(SYS__newselect, ends[0] + 1, bad, NULL, NULL, zeroes())) \
    CALL(select_timeout, INPUT | OPTIONAL, syscall(SYS__newselect, 0, NULL, NULL, NULL, bad)) \
    CALL(getrusage, OUTPUT, syscall(SYS_getrusage, RUSAGE_SELF, bad)) \
    CALL(setitimer_new, INPUT | OPTIONAL, syscall(SYS_setitimer, 0, bad, NULL)) \
    CALL(setitimer_old, OUTPUT | OPTIONAL, syscall(SYS_setitimer, 0, zeroes(), bad)) \
    CALL(prlimit64_new, INPUT | OPTIONAL, syscall(SYS_prlimit64, 0, RLIMIT_CORE, bad, NULL)) \
    CALL(prlimit64_old, OUTPUT | OPTIONAL, syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, bad)) \
    CALL(poll, INPUT | OUTPUT, syscall(SYS_poll, bad, 1, 0)) \
    CALL(sysinfo, OUTPUT, syscall(SYS_sysinfo, bad)) \
    CALL(link_from, INPUT, syscall(SYS_link, bad, FILE_NAME ".link")) \
    CALL(link_to, INPUT, syscall(SYS_link, FILE_NAME, bad)) \
    CALL(mincore, OUTPUT, syscall(SYS_mincore, good, 2 * PAGE_SIZE, bad)) \
    CALL(futex, INPUT | ALIGNED, futex_attempt(bad)) \
    CALL(sigaltstack_new, INPUT | OPTIONAL, syscall(SYS_sigaltstack, bad, NULL)) \
    CALL(sigaltstack_old, OUTPUT | OPTIONAL, syscall(SYS_sigaltstack, NULL, bad)) \
    CALL(rt_sigpending, OUTPUT, syscall(SYS_rt_sigpending, bad, 8)) \
    CALL(rt_sigtimedwait_set, INPUT | OPTIONAL, sigtimedwait_attempt(bad, NULL, NULL)) \
    CALL(rt_sigtimedwait_result, OUTPUT | OPTIONAL, sigtimedwait_attempt(NULL, bad, NULL)) \
    CALL(rt_sigtimedwait_timeout, INPUT | OPTIONAL, sigtimedwait_attempt(NULL, NULL, bad)) \
    CALL(gettimeofday_time, OUTPUT | OPTIONAL, syscall(SYS_gettimeofday_time32, bad, NULL)) \
    CALL(gettimeofday_zone, OUTPUT | OPTIONAL, syscall(SYS_gettimeofday_time32, NULL, bad)) \
    CALL(clock_gettime, OUTPUT, syscall(SYS_clock_gettime32, CLOCK_MONOTONIC, bad)) \
    CALL(clock_gettime64, OUTPUT, syscall(SYS_clock_gettime64, CLOCK_MONOTONIC, bad)) \
    CALL(clock_nanosleep, INPUT, syscall(SYS_clock_nanosleep_time32, CLOCK_MONOTONIC, 0, bad, NULL)) \
    CALL(clock_nanosleep_time64, INPUT, syscall(SYS_clock_nanosleep_time64, CLOCK_MONOTONIC, 0, bad, NULL)) \
    CALL(getrandom, OUTPUT | PARTIAL, syscall(SYS_getrandom, bad, sizeof waiting, 0)) \
    CALL(times, OUTPUT | OPTIONAL, syscall(SYS_times, bad)) \
    CALL(pipe2, OUTPUT, syscall(SYS_pipe2, bad, 0)) \
    CALL(ugetrlimit, OUTPUT, syscall(SYS_ugetrlimit, RLIMIT_CORE, bad)) \
    CALL(setrlimit, INPUT, syscall(SYS_setrlimit, RLIMIT_CORE, bad)) \
    CALL(readv_vector, INPUT, syscall(SYS_readv, ends[0], bad, 1)) \
    CALL(readv_base, OUTPUT | PARTIAL, vector_attempt(SYS_readv, ends[0], bad)) \
    CALL(pread64, OUTPUT | PARTIAL, syscall(SYS_pread64, file, bad, sizeof waiting - 1, 0, 0)) \
    CALL(pwrite64, INPUT | PARTIAL, syscall(SYS_pwrite64, file, bad, sizeof waiting - 1, 0, 0)) \
    CALL(truncate64, INPUT, syscall(SYS_truncate64, bad, 0, 0)) \
    CALL(chmod, INPUT, syscall(SYS_chmod, bad, 0600)) \
    CALL(chown32, INPUT, syscall(SYS_chown32, bad, -1, -1)) \
    CALL(lchown32, INPUT, syscall(SYS_lchown32, bad, -1, -1)) \
    CALL(statfs64_path, INPUT, syscall(SYS_statfs64, bad, STATFS64_SIZE, good)) \
    CALL(statfs64_result, OUTPUT, syscall(SYS_statfs64, "/", STATFS64_SIZE, bad)) \
    CALL(fstatfs64, OUTPUT, syscall(SYS_fstatfs64, file, STATFS64_SIZE, bad)) \
    CALL(openat, INPUT, syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY)) \
    CALL(unlinkat, INPUT, syscall(SYS_unlinkat, AT_FDCWD, bad, 0)) \
    CALL(mkdirat, INPUT, syscall(SYS_mkdirat, AT_FDCWD, bad, 0777)) \
    CALL(mknod, INPUT, syscall(SYS_mknod, bad, S_IFREG | 0600, 0)) \
    CALL(faccessat, INPUT, syscall(SYS_faccessat, AT_FDCWD, bad, R_OK)) \
    CALL(fstatat64_path, INPUT, syscall(SYS_fstatat64, AT_FDCWD, bad, good, 0)) \
    CALL(fstatat64_result, OUTPUT, syscall(SYS_fstatat64, AT_FDCWD, "/", bad, 0)) \
    CALL(renameat_from, INPUT, syscall(SYS_renameat, AT_FDCWD, bad, AT_FDCWD, FILE_NAME)) \
    CALL(renameat_to, INPUT, syscall(SYS_renameat, AT_FDCWD, FILE_NAME, AT_FDCWD, bad)) \
    CALL(readlink_path, INPUT, syscall(SYS_readlink, bad, good, PAGE_SIZE)) \
    CALL(readlink_result, OUTPUT, syscall(SYS_readlink, "/proc/self/exe", bad, PAGE_SIZE)) \
    CALL(readlinkat_path, INPUT, syscall(SYS_readlinkat, AT_FDCWD, bad, good, PAGE_SIZE)) \
    CALL(readlinkat_result, OUTPUT, syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", bad, PAGE_SIZE)) \
    CALL(utimensat_path, INPUT | OPTIONAL, syscall(SYS_utimensat, AT_FDCWD, bad, NULL, 0)) \
    CALL(utimensat_times, INPUT | OPTIONAL, syscall(SYS_utimensat, AT_FDCWD, FILE_NAME, bad, 0)) \
    CALL(utimensat_time64_times, INPUT | OPTIONAL, syscall(SYS_utimensat_time64, AT_FDCWD, FILE_NAME, bad, 0)) \
    CALL(statx_path, INPUT, syscall(SYS_statx, AT_FDCWD, bad, 0, STATX_ALL_BASIC, good)) \
    CALL(statx_result, OUTPUT, syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_ALL_BASIC, bad)) \
    CALL(sendfile64, INPUT | OPTIONAL, syscall(SYS_sendfile64, ends[1], file, bad, 1)) \
    CALL(waitid, OUTPUT | OPTIONAL, waitid_attempt(bad))

#define ATTEMPT(name, uses, attempt) static long attempt_##name(void *bad) { return attempt; }
#define ENTRY(name, uses, attempt)   { #name, uses, attempt_##name },

CALLS(ATTEMPT)

static const struct call {
    const char *name;
    int uses;
    long (*attempt)(void *bad);
} calls[] = { CALLS(ENTRY) };

enum { CALL_COUNT = sizeof calls / sizeof *calls };

/* ---- Bad places ------------------------------------------------------------------------------------------------ */

enum place { NOWHERE, KERNEL, MIRROR, UNMAPPED, FORBIDDEN, READ_ONLY, CROSSING, WRAPPING, PLACES };

static struct {
    const char *name;
    char *address;
} places[PLACES] = {
    [NOWHERE] = { "null", NULL },
    [KERNEL] = { "the kernel's text", (char *) 0xC0100000 },
    [MIRROR] = { "the mirror of the code segment", (char *) attempt_read + 0x60000000 },
    [UNMAPPED] = { "an unmapped page", NULL },
    [FORBIDDEN] = { "a page without access", NULL },
    [READ_ONLY] = { "a read-only page", NULL },
    [CROSSING] = { "the last byte before an unmapped page", NULL },
    [WRAPPING] = { "the last byte of the address space", (char *) UINTPTR_MAX },
};

/* Four pages in a row: read-only, without access, accessible, and none. */
static void
places_make(void)
{
    char *pages = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    places[READ_ONLY].address = pages;
    mprotect(pages, PAGE_SIZE, PROT_READ);
    places[FORBIDDEN].address = pages + PAGE_SIZE;
    mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE);
    places[CROSSING].address = pages + 3 * PAGE_SIZE - 1;
    places[UNMAPPED].address = pages + 3 * PAGE_SIZE;
    good = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 3 * PAGE_SIZE, PAGE_SIZE);
}

static bool
place_is_bad(enum place place, int uses)
{
    switch (place) {
    case NOWHERE:
        return !(uses & OPTIONAL);
    case READ_ONLY:
        return uses & OUTPUT;
    case CROSSING:
    case WRAPPING:
        return !(uses & (PARTIAL | ALIGNED));
    default:
        return true;
    }
}

/* Makes one call with each bad pointer. */
static void
call_check(const struct call *call)
{
    int wrong = 0;

    for (enum place place = 0; place < PLACES; place++) {
        if (!place_is_bad(place, call->uses))
            continue;
        *places[CROSSING].address = 'x'; /* the beginning of a name, for calls that take one */
        errno = 0;
        long result = call->attempt(places[place].address);
        if (result == -1 && errno == ENOSYS) {
            check_skip("%s", call->name);
            return;
        }
        if (result != -1 || errno != EFAULT) {
            check_note("%s, %s: result %ld, %s", call->name, places[place].name, result, strerror(errno));
            wrong++;
        }
    }
    check_that(wrong == 0, "%s: EFAULT for each bad pointer", call->name);
}

/* ---- Nothing is consumed --------------------------------------------------------------------------------------- */

static void
pipe_check(void)
{
    char *edge = places[CROSSING].address - 3; /* four good bytes, then none */
    char bytes[2 * sizeof waiting];

    check_that(read(ends[0], edge, sizeof waiting - 1) == -1 && errno == EFAULT,
               "read from a pipe into a place that ends too early");
    memcpy(edge, "abcd", 4);
    check_that(write(ends[1], edge, sizeof waiting - 1) == -1 && errno == EFAULT,
               "write to a pipe from a place that ends too early");
    check_that(read(ends[0], bytes, sizeof bytes) == sizeof waiting - 1
               && memcmp(bytes, waiting, sizeof waiting - 1) == 0, "the pipe holds what it did before");
}

static void
vector_check(void)
{
    char bytes[2 * sizeof waiting];
    struct iovec vectors[] = { { bytes, 4 }, { places[UNMAPPED].address, 4 } };

    memcpy(bytes, "abcd", 4);
    check_that(writev(ends[1], vectors, 2) == -1 && errno == EFAULT, "writev of a good and a bad part writes nothing");
    check_that(write(ends[1], waiting, 4) == 4 && readv(ends[0], vectors, 2) == 4 && memcmp(bytes, waiting, 4) == 0,
               "readv into a good and a bad part fills the good one");
}

/* A file may take the bytes that could be read, as on Linux, or none; but it must say which. */
static void
file_check(void)
{
    char *edge = places[CROSSING].address - 3;
    struct stat status;

    ftruncate(file, 0);
    lseek(file, 0, SEEK_SET);
    memcpy(edge, "abcd", 4);
    ssize_t wrote = write(file, edge, sizeof waiting - 1);
    fstat(file, &status);
    check_that((wrote == 4 || (wrote == -1 && errno == EFAULT)) && status.st_size == (wrote == 4 ? 4 : 0)
               && lseek(file, 0, SEEK_CUR) == status.st_size, "a file grows by as much as write says: %zd", wrote);

    check_that(read(file, places[UNMAPPED].address, 0) == 0, "nothing read into a bad place is no mistake");
    pwrite(file, waiting, sizeof waiting - 1, 0);
    lseek(file, 0, SEEK_SET);
    check_that(read(file, places[UNMAPPED].address, 4) == -1 && errno == EFAULT && lseek(file, 0, SEEK_CUR) == 0,
               "a file's position stays when nothing could be read");
}

/* The bytes of all entries of the directory; afterwards its position is the beginning again. */
static int
directory_size(void)
{
    char entries[PAGE_SIZE];
    int bytes = 0;
    long got;

    while ((got = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0)
        bytes += got;
    lseek(directory, 0, SEEK_SET);
    return bytes;
}

int
main(void)
{
    int first_free, then_free;

    /* The first check maps memory for its results; from then on nothing is mapped that could fill the unmapped page. */
    check_that(pipe(ends) == 0, "a pipe");
    places_make();
    write(ends[1], waiting, sizeof waiting - 1);
    file = open(FILE_NAME, O_CREAT | O_RDWR | O_TRUNC, 0600);
    write(file, waiting, sizeof waiting - 1);
    directory = open("/", O_RDONLY | O_DIRECTORY);
    int before = directory_size();
    close(first_free = dup(file));

    for (int i = 0; i < CALL_COUNT; i++)
        call_check(&calls[i]);
    close(then_free = dup(file));
    check_that(first_free == then_free, "no descriptor was left open");
    check_that(directory_size() == before, "no entry of a directory was passed over");
    pipe_check();
    vector_check();
    file_check();
    unlink(FILE_NAME);
    return check_end();
}
