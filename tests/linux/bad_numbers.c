/*
 * Numbers out of range: for each call that takes a signal, a command, a length, an id or a time, what the numbers about
 * and beyond its limits come to. A row is a call, then each number with its outcome; "ok" where it succeeded.
 */
#define _GNU_SOURCE
#define _LARGEFILE64_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define PLACE "/tmp/bad_numbers"

/* What ipc is asked for, which libc hides. */
enum { SEMOP = 1, SEMGET = 2, SHMGET = 23 };

enum { SET_BYTES = 8, GOOD_BYTES = 65536, NOBODY = 32000, SIGNAL = SIGURG };

static char *good;              /* memory, zeroed before each call */
static int file, ends[2];       /* descriptors: of a file of 16 bytes, and of a pipe that holds a byte */
static int set, segment;        /* ids: of three semaphores, and of shared memory of one page */

/* ---- What must be said in memory ------------------------------------------------------------------------------------------- */

/* Numbers that are written to `good`, one after the other, for a call that takes a pointer. */
static void *
words(uint32_t first, uint32_t second, uint32_t third, uint32_t fourth)
{
    uint32_t *word = (uint32_t *) good;

    word[0] = first, word[1] = second, word[2] = third, word[3] = fourth;
    return good;
}

static void *
vectors(uint32_t first_length, uint32_t second_length)
{
    return words((uint32_t) (uintptr_t) good, first_length, (uint32_t) (uintptr_t) good, second_length);
}

static void *
operation(uint16_t number, int16_t change, int16_t flags)
{
    return memcpy(good, (uint16_t[]) { number, (uint16_t) change, (uint16_t) flags }, 6);
}

static long
lock_attempt(int whence, long long start, long long length, int type)
{
    struct flock64 lock = { .l_type = type, .l_whence = whence, .l_start = start, .l_len = length };
    return syscall(SYS_fcntl64, file, F_SETLK64, &lock);
}

/* In a child, so that it changes nothing here. */
static long
child_attempt(long (*attempt)(long), long n)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(attempt(n) == -1 ? errno : 0);
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return errno == 0 ? 0 : -1;
}

static long setpgid_attempt(long n) { return syscall(SYS_setpgid, 0, n); }
static long nice_attempt(long n) { return syscall(SYS_nice, n); }
static long clone_attempt(long n) { long child = syscall(SYS_clone, n, 0, 0, 0, 0); return child == 0 ? _exit(0), 0 : child; }

/* ---- The calls; `n` is the number ------------------------------------------------------------------------------------------ */

#define BOUNDS INT_MIN, -1, 0, 1, INT_MAX
#define SIGNALS -1, 0, 1, SIGKILL, SIGSTOP, 64, 65, INT_MAX
#define SMALL -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 100, INT_MAX
#define CLOCKS -1, 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16, 100, INT_MAX     /* 8 and 9 need a clock that goes on */
#define IDS INT_MIN, -1, 0, 1, NOBODY, INT_MAX

#define CALLS(CALL) \
    CALL("kill itself: signal", syscall(SYS_kill, getpid(), n == 0 || n > 64 || n < 0 ? n : 0), -1, 0, 65, INT_MAX) \
    CALL("kill with signal 0: process", syscall(SYS_kill, n, 0), INT_MIN, -NOBODY, 0, 1, NOBODY, INT_MAX) \
    CALL("tkill: thread", syscall(SYS_tkill, n, 0), IDS) \
    CALL("tkill: signal", syscall(SYS_tkill, getpid(), n), -1, 0, 65, INT_MAX) \
    CALL("tgkill: process", syscall(SYS_tgkill, n, gettid(), 0), IDS) \
    CALL("tgkill: thread", syscall(SYS_tgkill, getpid(), n, 0), IDS) \
    CALL("tgkill: signal", syscall(SYS_tgkill, getpid(), gettid(), n), -1, 0, 65, INT_MAX) \
    CALL("rt_sigqueueinfo: signal", syscall(SYS_rt_sigqueueinfo, getpid(), n, words(0, 0, -1, 0)), -1, 0, 65) \
    CALL("rt_sigqueueinfo: process", syscall(SYS_rt_sigqueueinfo, n, 0, words(0, 0, -1, 0)), -1, 0, NOBODY) \
    CALL("rt_sigqueueinfo to init: code", syscall(SYS_rt_sigqueueinfo, 1, 0, words(0, 0, n, 0)), -60, -7, -6, -1, 0, 128) \
    CALL("rt_tgsigqueueinfo: thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), n, 0, words(0, 0, -1, 0)), IDS) \
    CALL("rt_sigaction to ask: signal", syscall(SYS_rt_sigaction, n, NULL, good, SET_BYTES), SIGNALS) \
    CALL("rt_sigaction to set: signal", syscall(SYS_rt_sigaction, n, good, NULL, SET_BYTES), SIGNALS) \
    CALL("rt_sigaction: bytes of the set", syscall(SYS_rt_sigaction, SIGNAL, NULL, good, n), -1, 0, 4, 7, 8, 9, 16) \
    CALL("sigaction to set: signal", syscall(SYS_sigaction, n, good, NULL), SIGNALS) \
    CALL("signal: signal", syscall(SYS_signal, n, 0), SIGNALS) \
    CALL("rt_sigprocmask: how", syscall(SYS_rt_sigprocmask, n, good, NULL, SET_BYTES), -1, 0, 1, 2, 3, INT_MAX) \
    CALL("rt_sigprocmask to ask: how", syscall(SYS_rt_sigprocmask, n, NULL, good, SET_BYTES), -1, 0, 3) \
    CALL("rt_sigprocmask: bytes of the set", syscall(SYS_rt_sigprocmask, 0, NULL, good, n), -1, 0, 4, 8, 9, 16) \
    CALL("sigprocmask: how", syscall(SYS_sigprocmask, n, good, NULL), -1, 0, 1, 2, 3) \
    CALL("rt_sigpending: bytes of the set", syscall(SYS_rt_sigpending, good, n), -1, 0, 1, 4, 8, 9) \
    CALL("rt_sigsuspend: bytes of the set", syscall(SYS_rt_sigsuspend, good, n), -1, 0, 4, 9) \
    CALL("rt_sigtimedwait: bytes of the set", syscall(SYS_rt_sigtimedwait, good, NULL, good, n), -1, 0, 4, 8, 9) \
    CALL("rt_sigtimedwait: nanoseconds", syscall(SYS_rt_sigtimedwait, good + 16, NULL, words(0, n, 0, 0), SET_BYTES), \
         INT_MIN, -1, 0, 999999, 1000000000, INT_MAX) \
    CALL("sigaltstack: flags", syscall(SYS_sigaltstack, words((uintptr_t) good, n, GOOD_BYTES, 0), NULL), \
         -1, 0, 1, 2, 3, 4, INT_MIN, INT_MIN + 1, INT_MIN + 2) \
    CALL("sigaltstack: bytes", syscall(SYS_sigaltstack, words((uintptr_t) good, 0, n, 0), NULL), 0, 1, 2047, 2048, -1) \
    CALL("wait4: options", syscall(SYS_wait4, -1, NULL, n | WNOHANG, NULL), 0, 2, 4, 8, 16, 0x1000000, INT_MIN, -1) \
    CALL("wait4: process", syscall(SYS_wait4, n, NULL, WNOHANG, NULL), IDS) \
    CALL("waitid: which", syscall(SYS_waitid, n, 1, good, WEXITED | WNOHANG, NULL), -1, 0, 1, 2, 4, 5) \
    CALL("waitid for a process: id", syscall(SYS_waitid, P_PID, n, good, WEXITED | WNOHANG, NULL), IDS) \
    CALL("waitid for a group: id", syscall(SYS_waitid, P_PGID, n, good, WEXITED | WNOHANG, NULL), IDS) \
    CALL("waitid: options", syscall(SYS_waitid, P_ALL, 0, good, n | WNOHANG, NULL), 0, 2, 4, 8, 16, 0x1000000, INT_MIN) \
    CALL("getpgid", syscall(SYS_getpgid, n), INT_MIN, -1, 0, NOBODY, INT_MAX) \
    CALL("getsid", syscall(SYS_getsid, n), INT_MIN, -1, 0, NOBODY, INT_MAX) \
    CALL("setpgid: process", syscall(SYS_setpgid, n, 0), INT_MIN, -1, 1, NOBODY, INT_MAX) \
    CALL("setpgid: group", child_attempt(setpgid_attempt, n), INT_MIN, -1, 0, NOBODY, INT_MAX) \
    CALL("clone: signal", child_attempt(clone_attempt, n), 0, SIGNAL, 64, 65, 255) \
    CALL("getpriority: which", syscall(SYS_getpriority, n, 0), -1, 0, 1, 2, 3) \
    CALL("getpriority of a process", syscall(SYS_getpriority, 0, n), INT_MIN, -1, 0, NOBODY) \
    CALL("setpriority: which", syscall(SYS_setpriority, n, 0, 0), -1, 0, 1, 3) \
    CALL("setpriority of a process", syscall(SYS_setpriority, 0, n, 0), INT_MIN, -1, 0, NOBODY) \
    CALL("nice", child_attempt(nice_attempt, n), INT_MIN, -1, 0, 1, INT_MAX) \
    CALL("sched_getscheduler", syscall(SYS_sched_getscheduler, n), INT_MIN, -1, 0, NOBODY, INT_MAX) \
    CALL("sched_getparam", syscall(SYS_sched_getparam, n, good), INT_MIN, -1, 0, NOBODY, INT_MAX) \
    CALL("sched_setscheduler: policy", syscall(SYS_sched_setscheduler, 0, n, good), -1, 0, 4, 7, INT_MAX) \
    CALL("sched_get_priority_max", syscall(SYS_sched_get_priority_max, n), -1, 0, 1, 2, 3, 4, 5, 7) \
    CALL("sched_get_priority_min", syscall(SYS_sched_get_priority_min, n), -1, 0, 1, 2, 3, 4, 5, 7) \
    CALL("sched_getaffinity: bytes", syscall(SYS_sched_getaffinity, 0, n, good), 0, 1, 3, 4, 5, 8, 128) \
    CALL("sched_getaffinity: process", syscall(SYS_sched_getaffinity, n, 128, good), INT_MIN, -1, 0, NOBODY) \
    CALL("sched_setaffinity: bytes", syscall(SYS_sched_setaffinity, 0, n, words(1, 0, 0, 0)), 0, 1, 4, 128) \
    CALL("sched_setaffinity: processors", syscall(SYS_sched_setaffinity, 0, 4, words(n, 0, 0, 0)), 0, 1, 2, 3, INT_MIN) \
    CALL("getrusage: who", syscall(SYS_getrusage, n, good), INT_MIN, -2, -1, 0, 1, 2) \
    CALL("getrlimit: resource", syscall(SYS_ugetrlimit, n, good), SMALL) \
    CALL("prlimit64: resource", syscall(SYS_prlimit64, 0, n, NULL, good), -1, 0, 15, 16, INT_MAX) \
    CALL("prlimit64: process", syscall(SYS_prlimit64, n, 0, NULL, good), INT_MIN, -1, 0, NOBODY) \
    CALL("setrlimit: present above the most", syscall(SYS_setrlimit, n, words(2, 1, 0, 0)), 0, 7, 15) \
    CALL("clock_gettime: clock", syscall(SYS_clock_gettime32, n, good), CLOCKS) \
    CALL("clock_gettime64: clock", syscall(SYS_clock_gettime64, n, good), -1, 12, 16) \
    CALL("clock_getres: clock", syscall(SYS_clock_getres_time32, n, good), CLOCKS) \
    CALL("clock_nanosleep: clock", syscall(SYS_clock_nanosleep_time32, n, 0, good, NULL), -1, 0, 1, 3, 4, 5, 6, 7, 10, 11, 12, 16) \
    CALL("nanosleep: seconds", syscall(SYS_nanosleep, words(n, n == 0 ? 0 : -1, 0, 0), NULL), BOUNDS) \
    CALL("nanosleep: negative seconds", syscall(SYS_nanosleep, words(n, 0, 0, 0), NULL), INT_MIN, -1) \
    CALL("nanosleep: nanoseconds", syscall(SYS_nanosleep, words(0, n, 0, 0), NULL), INT_MIN, -1, 0, 999999, 1000000000, INT_MAX) \
    CALL("getitimer: which", syscall(SYS_getitimer, n, good), -1, 0, 1, 2, 3) \
    CALL("setitimer: which", syscall(SYS_setitimer, n, good, NULL), -1, 0, 1, 2, 3) \
    CALL("setitimer: microseconds", syscall(SYS_setitimer, 0, words(0, 0, 0, n), NULL), INT_MIN, -1, 0, 1000000, INT_MAX) \
    CALL("setitimer: repeated microseconds", syscall(SYS_setitimer, 0, words(0, n, 0, 0), NULL), -1, 0, 1000000) \
    CALL("setitimer: seconds", syscall(SYS_setitimer, 0, words(0, 0, n, 0), NULL), -1, 0) \
    CALL("futex: command", syscall(SYS_futex, good, n, 1, NULL, good, 0), 1, 2, 3, 4, 14, 127, 131) \
    CALL("futex to wait: nanoseconds", syscall(SYS_futex, good + 16, 0, 1, words(0, n, 0, 0)), -1, 0, 1000000000) \
    CALL("futex to wait: bits", syscall(SYS_futex, good, 9, 1, NULL, NULL, n), 0, 1) \
    CALL("futex to wake: bits", syscall(SYS_futex, good, 10, 1, NULL, NULL, n), 0, 1) \
    CALL("futex to move: how many", syscall(SYS_futex, good, 3, 0, n, good + 4, 0), -1, 0, 1) \
    CALL("futex to wake and move: how many", syscall(SYS_futex, good, 3, n, 0, good + 4, 0), -1, 0, 1) \
    CALL("futex: address", syscall(SYS_futex, good + n, 1, 0, NULL, NULL, 0), 0, 1, 2, 3, 4) \
    CALL("set_robust_list: bytes", syscall(SYS_set_robust_list, NULL, n), 0, 11, 12, 13) \
    CALL("get_robust_list: thread", syscall(SYS_get_robust_list, n, good, good + 4), -1, 0, NOBODY) \
    CALL("getgroups32: places", syscall(SYS_getgroups32, n, good), INT_MIN, -1) \
    CALL("setgroups32: count", syscall(SYS_setgroups32, n, good), -1, 65537) \
    CALL("set_thread_area: entry", syscall(SYS_set_thread_area, words(n, 0, 0xfffff, 0x51)), 0, 5, 9, INT_MAX, INT_MIN) \
    CALL("set_thread_area: kind", syscall(SYS_set_thread_area, words(8, 0, 0xfffff, n)), 0x51, 0x50, 0x53, 0x55, 0x57, 0x71) \
    CALL("get_thread_area: entry", syscall(SYS_get_thread_area, words(n, 0, 0, 0)), -1, 0, 5, 6, 8, 9) \
    CALL("lseek: whence", syscall(SYS_lseek, file, 0, n), -1, 0, 1, 2, 3, 4, 5, INT_MAX) \
    CALL("lseek: offset", syscall(SYS_lseek, file, n, SEEK_SET), BOUNDS) \
    CALL("lseek from the end", syscall(SYS_lseek, file, n, SEEK_END), INT_MIN, -17, -16, 0, INT_MAX) \
    CALL("_llseek: upper half", syscall(SYS__llseek, file, n, 0, good, SEEK_SET), BOUNDS, 4095, 4096) \
    CALL("lseek to data", syscall(SYS_lseek, file, n, SEEK_DATA), -1, 0, 15, 16) \
    CALL("read: bytes", syscall(SYS_read, file, good, n), -1, 0, 1) \
    CALL("write: bytes", syscall(SYS_write, file, good, n), -1, 0, 1) \
    CALL("pread64: bytes", syscall(SYS_pread64, file, good, n, 0, 0), -1, 0, 1) \
    CALL("pread64: upper half of the offset", syscall(SYS_pread64, file, good, 1, 0, n), BOUNDS) \
    CALL("pwrite64: upper half of the offset", syscall(SYS_pwrite64, file, good, 1, 0, n), INT_MIN, -1, INT_MAX) \
    CALL("readv: count", syscall(SYS_readv, file, good, n), INT_MIN, -1, 0, 1, 1024, 1025, INT_MAX) \
    CALL("writev: count", syscall(SYS_writev, file, good, n), INT_MIN, -1, 0, 1, 1024, 1025, INT_MAX) \
    CALL("vmsplice: count", syscall(SYS_vmsplice, ends[1], good, n, 2), -1, 0, 1025) \
    CALL("readv: length of the first", syscall(SYS_readv, file, vectors(n, 0), 2), INT_MIN, -1, 0, 1) \
    CALL("readv: length of the second", syscall(SYS_readv, file, vectors(1, n), 2), INT_MIN, -1, 0, 1) \
    CALL("sendfile64: upper half of the offset", syscall(SYS_sendfile64, ends[1], file, words(0, n, 0, 0), 1), INT_MIN, -1) \
    CALL("splice: upper half of the offset", syscall(SYS_splice, file, words(0, n, 0, 0), ends[1], NULL, 1, 2), INT_MIN, -1) \
    CALL("copy_file_range: upper half", syscall(SYS_copy_file_range, file, words(0, n, 0, 0), file, NULL, 1, 0), INT_MIN, -1) \
    CALL("copy_file_range: flags", syscall(SYS_copy_file_range, file, NULL, file, NULL, 0, n), 1, INT_MIN) \
    CALL("fadvise64: advice", syscall(SYS_fadvise64, file, 0, 0, 0, n), -1, 0, 5, 6) \
    CALL("fadvise64: length", syscall(SYS_fadvise64, file, 0, 0, n, 0), INT_MIN, -1, 0) \
    CALL("truncate64: upper half", syscall(SYS_truncate64, "file", 0, n), INT_MIN, -1) \
    CALL("ftruncate64: upper half", syscall(SYS_ftruncate64, file, 0, n), INT_MIN, -1) \
    CALL("fallocate: mode", syscall(SYS_fallocate, file, n, 0, 0, 16, 0), 0, 1, 2, INT_MIN) \
    CALL("fallocate: offset", syscall(SYS_fallocate, file, 0, 0, n, 16, 0), INT_MIN, -1, 0) \
    CALL("fallocate: bytes", syscall(SYS_fallocate, file, 0, 0, 0, n, n < 0 ? -1 : 0), -1, 0, 1) \
    CALL("dup2 to", syscall(SYS_dup2, file, n), INT_MIN, -1, 1024, INT_MAX) \
    CALL("dup3 to", syscall(SYS_dup3, file, n, 0), INT_MIN, -1, 1024, INT_MAX) \
    CALL("F_DUPFD from", syscall(SYS_fcntl64, file, F_DUPFD, n), INT_MIN, -1, 1024, INT_MAX) \
    CALL("fcntl64: command", syscall(SYS_fcntl64, file, n, 0), -1, 18, 100, 1023, 1050, INT_MAX) \
    CALL("F_SETPIPE_SZ", syscall(SYS_fcntl64, ends[0], F_SETPIPE_SZ, n), -1, 0, 1, 4096, 65536) \
    CALL("F_SETLK64: type", lock_attempt(SEEK_SET, 0, 1, n), -1, 0, 1, 2, 3, 4) \
    CALL("F_SETLK64: whence", lock_attempt(n, 0, 1, F_WRLCK), -1, 0, 1, 2, 3) \
    CALL("F_SETLK64: start", lock_attempt(SEEK_SET, n, 1, F_WRLCK), INT_MIN, -1, 0, INT_MAX) \
    CALL("F_SETLK64: length", lock_attempt(SEEK_SET, 8, n, F_WRLCK), -9, -8, 0, INT_MAX) \
    CALL("F_SETLK64 up to the last byte and beyond", lock_attempt(SEEK_SET, LLONG_MAX, n, F_WRLCK), 0, 1, 2) \
    CALL("flock: operation", syscall(SYS_flock, file, n), 0, 1, 2, 3, 4, 5, 8, 9) \
    CALL("ioctl: command", syscall(SYS_ioctl, file, n, good), -1, 0, 0x5401, INT_MAX) \
    CALL("poll: entries", syscall(SYS_poll, NULL, n, 0), -1, 0, 1025, INT_MAX) \
    CALL("select: descriptors", syscall(SYS__newselect, n, NULL, NULL, NULL, good), INT_MIN, -1, 0, 1024, 65536, INT_MAX) \
    CALL("select: microseconds", syscall(SYS__newselect, 0, NULL, NULL, NULL, words(0, n, 0, 0)), INT_MIN, -1, 0) \
    CALL("ppoll: nanoseconds", syscall(SYS_ppoll, NULL, 0, words(0, n, 0, 0), NULL, 0), -1, 0, 1000000000) \
    CALL("ppoll: bytes of the set", syscall(SYS_ppoll, NULL, 0, good, good, n), 0, 4, 8, 9) \
    CALL("access: mode", syscall(SYS_access, "file", n), -1, 0, 7, 8, 16, INT_MIN) \
    CALL("getcwd: bytes", syscall(SYS_getcwd, good, n), 0, 1, 16, 17, 4096) \
    CALL("readlink: bytes", syscall(SYS_readlink, "link", good, n), INT_MIN, -1, 0, 1, 4096) \
    CALL("statfs64: bytes", syscall(SYS_statfs64, "/", n, good), 0, 64, 83, 84, 85, 88) \
    CALL("getdents64: bytes", syscall(SYS_getdents64, 100, good, n), -1, 0, 23, 24, 4096) \
    CALL("mknod: kind", syscall(SYS_mknod, "made", n, 0), -1, 0, 0x1000, 0x3000, 0x4000, 0x5000, 0x8000, 0xa000, 0xc000, 0xf000) \
    CALL("utimensat: nanoseconds", syscall(SYS_utimensat, AT_FDCWD, "file", words(0, n, 0, 0), 0), \
         INT_MIN, -1, 0, 999999999, 1000000000, 0x3ffffffe, 0x3fffffff) \
    CALL("getrandom: bytes", syscall(SYS_getrandom, good, n, 0), 0, 1, 256) \
    CALL("pipe2: descriptors", syscall(SYS_pipe2, good, n), -1, 1, 2, 4) \
    CALL("socket: domain", syscall(SYS_socket, n, SOCK_STREAM, 0), -1, 0, 46, INT_MAX) \
    CALL("socketpair: domain", syscall(SYS_socketpair, n, SOCK_STREAM, 0, good), -1, 0, 1, 46) \
    CALL("socketpair: kind", syscall(SYS_socketpair, AF_UNIX, n, 0, good), -1, 0, 1, 4, 11, 16) \
    CALL("socketpair: protocol", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, n, good), -1, 0, 1, 2) \
    CALL("semget: count", syscall(SYS_ipc, SEMGET, IPC_PRIVATE, n, 0600), -1, 0, 32001, INT_MAX) \
    CALL("semget of an old key: count", syscall(SYS_ipc, SEMGET, 4711, n, 0600), -1, 0, 3, 4) \
    CALL("semop: set", syscall(SYS_ipc, SEMOP, n, 1, 0, operation(0, 1, 0)), INT_MIN, -1, INT_MAX) \
    CALL("semop: operations", syscall(SYS_ipc, SEMOP, set, n, 0, good), -1, 0, 500, 501) \
    CALL("semop: number", syscall(SYS_ipc, SEMOP, set, 1, 0, operation(n, 1, 0)), 0, 2, 3, 65535) \
    CALL("semop: change", syscall(SYS_ipc, SEMOP, set, 1, 0, operation(1, n, IPC_NOWAIT)), -32768, -1, 0, 32767) \
    CALL("SETVAL", syscall(SYS_semctl, set, 2, SETVAL, n), INT_MIN, -1, 0, 32767, 32768) \
    CALL("GETVAL: number", syscall(SYS_semctl, set, n, GETVAL, 0), -1, 0, 2, 3) \
    CALL("semctl: command", syscall(SYS_semctl, set, 0, n, good), -1, 10, 100) \
    CALL("shmget: bytes", syscall(SYS_ipc, SHMGET, IPC_PRIVATE, n, 0600), 0) \
    CALL("shmget of an old key: bytes", syscall(SYS_ipc, SHMGET, 4711, n, 0600), 0, 4096, 4097, -1) \
    CALL("shmat: address", syscall(SYS_shmat, segment, n, 0), 1, 4095, INT_MIN + 1) \
    CALL("shmdt: address", syscall(SYS_shmdt, n), -1, 0, 1, 4096) \
    CALL("shmctl: command", syscall(SYS_shmctl, segment, n, good), -1, 20, 100) \
    CALL("shmctl: segment", syscall(SYS_shmctl, n, IPC_STAT, good), INT_MIN, -1, INT_MAX) \
    CALL("ipc: call", syscall(SYS_ipc, n, 0, 0, 0, good, 0), 0, 5, 20, 25, 0xffff) \
    CALL("prctl: option", syscall(SYS_prctl, n, 0, 0, 0, 0), -1, 0, 1000) \
    CALL("madvise: advice", syscall(SYS_madvise, good, 4096, n), -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 17, 20, 21, 22, 23, 26, 99) \
    CALL("mmap2: page of the file", syscall(SYS_mmap2, NULL, 4096, 1, MAP_PRIVATE, file, n), 0, INT_MAX, -1) \
    CALL("mmap2: kind", syscall(SYS_mmap2, NULL, 4096, 1, n, file, 0), 0, 1, 2, 3, 4, 15) \
    CALL("capget: version", syscall(SYS_capget, words(n, 0, 0, 0), good + 8), 0, 0x19980330, 0x20071026, 0x20080522) \
    CALL("capget: process", syscall(SYS_capget, words(0x20080522, n, 0, 0), good + 8), -1, 0, NOBODY)

#define NUMBERS(...) (const long[]) { __VA_ARGS__ }, sizeof (const long[]) { __VA_ARGS__ } / sizeof(long)
#define COUNT(name, attempt, ...) + 1
enum { CALL_COUNT = 0 CALLS(COUNT) };

#define ENTRY(name, attempt, ...) { name, NUMBERS(__VA_ARGS__) },
static const struct row { const char *name; const long *numbers; size_t count; } rows[] = { CALLS(ENTRY) };

#define IF_CHOSEN(name, attempt, ...) if (number++ == chosen) return attempt;

static long
call_make(int chosen, long n)
{
    int number = 0;

    CALLS(IF_CHOSEN)
    return 0;
}

/* ---- Before and after each ------------------------------------------------------------------------------------------------- */

static void
surroundings_make(void)
{
    memset(good, 0, GOOD_BYTES);
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(file, good, 16);
    lseek(file, 0, SEEK_SET);
    symlink("file", "link");
    pipe2(ends, O_NONBLOCK);
    write(ends[1], good, 1);
    dup2(open(".", O_RDONLY | O_DIRECTORY), 100);
    set = semget(4711, 3, IPC_CREAT | 0600);
    segment = shmget(4711, 4096, IPC_CREAT | 0600);
}

static void
surroundings_remove(void)
{
    for (int fd = STDERR_FILENO + 1; fd < 110; fd++)
        close(fd);
    close(1023);
    unlink("file");
    unlink("link");
    unlink("made");
    rmdir("made");
    semctl(set, 0, IPC_RMID);
    shmctl(segment, IPC_RMID, NULL);
}

static void
row_show(int chosen)
{
    const struct row *row = &rows[chosen];

    printf("%s:", row->name);
    for (size_t i = 0; i < row->count; i++) {
        surroundings_make();
        long result = call_make(chosen, row->numbers[i]);
        printf("%s %ld %s", i == 0 ? "" : ",", row->numbers[i], result == -1 ? error_name(errno) : "ok");
        surroundings_remove();
    }
    putchar('\n');
    fflush(stdout);
}

int
main(void)
{
    good = mmap(NULL, GOOD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mkdir(PLACE, 0755);
    chdir(PLACE);
    signal(SIGPIPE, SIG_IGN);
    for (int call = 0; call < CALL_COUNT; call++)
        row_show(call);
    chdir("/");
    return rmdir(PLACE) == 0 ? 0 : 1;
}
