/*
 * Random system calls of all kinds, from several processes with several threads each, which fork, kill and map as they
 * like: arguments that make half sense, and others. No answer is expected, and callers may die of it; but whoever is
 * killed ends, nothing stays behind, and afterwards memory is as free as before. The kernel's own checks see to the
 * rest. What calls do to files is the subject of bad_calls. Not on Linux: a caller may signal whom it likes.
 *
 *     fuzz_calls [SEED [ROUNDS]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/random.h"
#include "user/lib/system.h"

#define TOP "/tmp/fuzz_calls"
#define KERNEL 0xC0000000u              /* where its addresses begin */
#define ROOM "size=4m"                  /* of the file system that callers may fill */

enum {
    ROUNDS = 4, CALLERS = 4,           /* processes of a round */
    THREADS = 3,                        /* of each, all drawing from one sequence */
    CALLS = 400,                        /* of each thread, if it lives so long */
    WARM_UP = 2,                        /* rounds after which memory is looked at first */
    MILLISECONDS = 150,                 /* for a round; then all are killed */
    ARENA = 4 << 20,                    /* bytes of memory that is there at first */
    SPARED = 3, DESCRIPTORS = 24,
    PROCESSES = 60,                     /* RLIMIT_NPROC */
    MEMORY = 48 << 20,                  /* RLIMIT_AS */
    SOMEBODY = 1000,                    /* a user without privilege */
    OBJECTS = 4096,                     /* ids of shared memory and semaphores that are removed at the end */
    LEAK = 256 << 10,                   /* bytes that may have stayed in the kernel's caches */
};

static char *arena;
static bool is_root;

/* ---- Arguments: mostly of their kind, now and then anything ---- */

static long
number(void)
{
    static const long some[] = { 0, 1, -1, 2, 4096, 4095, 65536, INT32_MAX, INT32_MIN, 0x1000000 };

    return draw(3) == 0 ? (long) draw(UINT32_MAX) : some[draw(sizeof some / sizeof *some)];
}

static long
address(void)
{
    switch (draw(24)) {
    case 0:
        return 0;
    case 1:
        return (long) (KERNEL + draw(1 << 22));
    case 2:
        return number();
    case 3:
        return (long) arena + ARENA - draw(8);
    default:
        return (long) arena + draw(ARENA / 2);
    }
}

static long
page(void)
{
    return address() & (draw(16) == 0 ? -1L : -4096L);
}

static long
process(void)
{
    long own[] = { 0, getpid(), getppid(), gettid(), -getpgrp() };
    long chosen = draw(2) == 0 ? own[draw(5)] : 2 + (long) draw(60);

    return is_root && chosen <= 1 && chosen != 0 ? 0 : chosen; /* init is to live, and to be left alone */
}

/* Of a number of seconds, or parts of one, that lets nobody sleep for long. */
static long
moment(void)
{
    long *time = (long *) (arena + draw(1024) * 16);

    time[0] = time[2] = 0;
    time[1] = time[3] = draw(8) == 0 ? number() : (long) draw(2000000);
    return draw(12) == 0 ? address() : (long) time;
}

/* Mostly one that a caller survives. */
static long
signal_number(void)
{
    static const int mild[] = { 0, SIGCHLD, SIGURG, SIGCONT, SIGUSR1, SIGUSR2, SIGALRM, SIGIO, 40, 50, 64, SIGTSTP };

    return draw(40) == 0 ? (long) draw(66) : mild[draw(sizeof mild / sizeof *mild)];
}

static long
path(void)
{
    static const char *const names[] = {
        "a", "b", "d", "d/x", "e/../a", ".", "..", "", "/proc/self/maps", "/proc/self/fd/4", "/proc/vmstat", "/dev/null", "/dev/zero",
        "/dev/urandom", "/proc/self/pagemap", "/proc/self/smaps", "/proc/2/status", "/proc/self/task",
    };
    char *name = arena + ARENA / 2 + draw(64) * 64;

    if (draw(24) == 0)
        return address();
    return (long) strcpy(name, names[draw(sizeof names / sizeof *names)]);
}

static long
argument(char kind)
{
    if (draw(32) == 0)
        return number();
    switch (kind) {
    case 'f': return SPARED + (long) draw(DESCRIPTORS);
    case 'd': return draw(2) == 0 ? AT_FDCWD : SPARED + (long) draw(DESCRIPTORS);
    case 'p': return path();
    case 'a': return address();
    case 'P': return page();
    case 'l': return (long) draw(draw(4) == 0 ? ARENA : 9000);
    case 'i': return process();
    case 's': return signal_number();
    case 't': return moment();
    case 'c': return (long) draw(40);           /* a command, or few of something */
    case 'b': return 1L << draw(32) | (draw(2) == 0 ? 1L << draw(32) : 0);
    case '8': return 8;
    case '0': return 0;
    default: return number();
    }
}

/* ---- Calls: a letter for each argument, as above ---- */

#define CALL(name, arguments) { SYS_##name, arguments }

static const struct call { int number; const char *arguments; } calls[] = {
    CALL(mmap2, "Plcbfc"), CALL(mmap2, "Plcbfc"), CALL(mmap2, "0lcbfc"), CALL(munmap, "Pl"), CALL(mprotect, "Plc"),
    CALL(mremap, "Pllc0"), CALL(mremap, "PllcP"), CALL(madvise, "Plc"), CALL(madvise, "Plc"), CALL(mincore, "Pla"),
    CALL(msync, "Plc"), CALL(mlock, "Pl"), CALL(munlock, "Pl"), CALL(mlock2, "Plc"), CALL(mlockall, "c"), CALL(munlockall, ""),
    CALL(brk, "a"), CALL(brk, "0"),
    CALL(ipc, "cnlncn"), CALL(shmget, "clb"), CALL(shmat, "cPb"), CALL(shmat, "c0c"), CALL(shmdt, "P"), CALL(shmctl, "cca"),
    CALL(semget, "ccb"), CALL(semctl, "ccca"), CALL(memfd_create, "pc"),
    CALL(kill, "is"), CALL(tkill, "is"), CALL(tgkill, "iis"), CALL(rt_sigaction, "s0a8"), CALL(rt_sigprocmask, "caa8"),
    CALL(rt_sigpending, "a8"), CALL(rt_sigtimedwait, "aat8"), CALL(rt_sigqueueinfo, "isa"), CALL(sigaltstack, "aa"),
    CALL(alarm, "c"), CALL(setitimer, "cta"), CALL(getitimer, "ca"),
    CALL(futex, "Pccta"), CALL(futex, "acctac"), CALL(set_robust_list, "ac"), CALL(get_robust_list, "iaa"), CALL(set_tid_address, "a"),
    CALL(set_thread_area, "a"), CALL(get_thread_area, "a"),
    CALL(wait4, "iaca"), CALL(waitid, "ciaba"), CALL(wait4, "iaba"), CALL(getpgid, "i"), CALL(setpgid, "ii"), CALL(setsid, ""),
    CALL(sched_yield, ""), CALL(sched_getaffinity, "ila"), CALL(sched_setscheduler, "ica"), CALL(sched_getparam, "ia"),
    CALL(getpriority, "ci"), CALL(setpriority, "cin"), CALL(getrusage, "na"), CALL(ugetrlimit, "ca"), CALL(prlimit64, "0c0a"),
    CALL(nanosleep, "ta"), CALL(clock_nanosleep_time32, "ccta"), CALL(clock_gettime32, "ca"), CALL(clock_getres_time32, "ca"), CALL(times, "a"),
    CALL(getuid32, ""), CALL(setuid32, "n"), CALL(setresuid32, "nnn"), CALL(getgroups32, "ca"), CALL(setgroups32, "ca"), CALL(capget, "aa"),
    CALL(prctl, "caaaa"), CALL(personality, "n"), CALL(umask, "n"), CALL(uname, "a"), CALL(sysinfo, "a"), CALL(getrandom, "alc"),
    CALL(open, "pbn"), CALL(openat, "dpbn"), CALL(close, "f"), CALL(dup, "f"), CALL(dup2, "ff"), CALL(dup3, "ffb"), CALL(pipe2, "ab"),
    CALL(socketpair, "cb0a"), CALL(socketpair, "cc0a"), CALL(sendto, "falb00"), CALL(recvfrom, "falbaa"), CALL(shutdown, "fc"),
    CALL(read, "fal"), CALL(write, "fal"), CALL(readv, "fac"), CALL(writev, "fac"), CALL(pread64, "falcc"), CALL(pwrite64, "falcc"),
    CALL(sendfile64, "ffal"), CALL(copy_file_range, "fafal0"), CALL(splice, "fafalc"), CALL(splice, "f0f0lc"), CALL(tee, "fflc"),
    CALL(vmsplice, "facc"), CALL(_llseek, "f0lac"), CALL(fcntl64, "fca"), CALL(fcntl64, "fcn"), CALL(fcntl64, "fcc"), CALL(flock, "fc"),
    CALL(ftruncate64, "fl0"), CALL(fallocate, "fcl0l0"), CALL(fsync, "f"), CALL(poll, "act"), CALL(poll, "acc"), CALL(_newselect, "caaat"),
    CALL(ppoll, "acta8"), CALL(pselect6, "caaata"), CALL(getdents64, "fal"), CALL(fstat64, "fa"), CALL(statx, "dpbba"), CALL(chdir, "p"),
    CALL(mkdirat, "dpn"), CALL(unlinkat, "dpb"), CALL(renameat2, "dpdpc"), CALL(linkat, "dpdpb"), CALL(symlinkat, "pdp"), CALL(readlinkat, "dpal"),
    CALL(utimensat, "dpab"), CALL(fchmod, "fn"), CALL(ioctl, "fna"), CALL(execve, "paa"), CALL(rt_sigaction, "saa8"),
};

static void calls_make(int count);

/* A child goes on for a while, and ends as it likes. The memory of one that shares it stays away from our stack. */
static void
child_make(int remaining)
{
    static const long kinds[] = { SIGCHLD, 0, CLONE_FILES | SIGCHLD, CLONE_FS | SIGUSR1, CLONE_PARENT_SETTID | SIGCHLD, CLONE_CHILD_CLEARTID | 64 };
    long child = syscall(SYS_clone, kinds[draw(6)], 0, address(), 0, address());

    if (child == 0) {
        draw(getpid());
        calls_make(remaining / 8);
        _exit((int) draw(256));
    }
}

static void
call_make(void)
{
    const struct call *call = &calls[draw(sizeof calls / sizeof *calls)];
    long arguments[6] = { 0 };

    for (int i = 0; call->arguments[i] != '\0'; i++)
        arguments[i] = argument(call->arguments[i]);
    syscall(call->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

static void
calls_make(int count)
{
    while (count-- > 0) {
        if (draw(40) == 0)
            child_make(count);
        else if (draw(500) == 0)
            syscall(draw(2) == 0 ? SYS_rt_sigreturn : SYS_sigreturn); /* which few survive */
        else
            call_make();
    }
}

/* ---- A caller ---- */

static void
caught(int signal)
{
    (void) signal;
}

static void *
thread_run(void *unused)
{
    calls_make(CALLS);
    return unused;
}

static void
caller_run(int caller, uint32_t seed)
{
    static const struct rlimit processes = { PROCESSES, PROCESSES }, memory = { MEMORY, MEMORY };
    pthread_t threads[THREADS];

    random_state = (seed * CALLERS + (uint32_t) caller + 1) * 2654435761u;
    arena = mmap(NULL, 2 * ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(arena + ARENA, ARENA, PROT_NONE); /* what goes beyond shall hit nothing that matters */
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGSEGV && signal != SIGBUS && signal != SIGILL && signal != SIGFPE)
            sigaction(signal, &(struct sigaction){ .sa_handler = caught, .sa_flags = signal % 2 == 0 ? SA_RESTART : 0 }, NULL);
    for (size_t i = 0; i < ARENA / 2; i += sizeof(uint32_t))
        *(uint32_t *) (arena + i) = draw(3) == 0 ? (uint32_t) number() : draw(64);
    setsid();
    chdir(TOP);
    setrlimit(RLIMIT_NPROC, &processes);
    setrlimit(RLIMIT_AS, &memory);
    is_root = caller % CALLERS == 0;
    if (!is_root)
        setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
    for (int i = 0; i < SPARED; i++)
        if (dup2(open("/dev/null", O_RDWR), i) != i)
            _exit(EXIT_FAILURE); /* rather than write to the console */
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, thread_run, NULL);
    calls_make(CALLS);
    _exit(EXIT_SUCCESS);
}

/* ---- Rounds ---- */

static void
sleep_milliseconds(long milliseconds)
{
    struct timespec time = { 0, milliseconds * 1000000 };
    nanosleep(&time, NULL);
}

/* Everybody else is killed, and ends; whoever was adopted by us as well. */
static void
everybody_end(void)
{
    do
        kill(-1, SIGKILL);
    while (waitpid(-1, NULL, __WALL) > 0 || errno != ECHILD);
}

static void
objects_remove(void)
{
    for (int id = 0; id < OBJECTS; id++) {
        shmctl(id, IPC_RMID, NULL);
        semctl(id, 0, IPC_RMID);
    }
}

static void
round_run(uint32_t seed)
{
    mkdir(TOP, 0777);
    mount("tmpfs", TOP, "tmpfs", 0, ROOM);
    chmod(TOP, 0777);
    for (int caller = 0; caller < CALLERS; caller++)
        if (fork() == 0) /* without the results of checks, which callers would write over */
            caller_run(caller, seed);
    for (int waited = 0; waited < MILLISECONDS && waitpid(-1, NULL, WNOHANG) != -1; waited += 10)
        sleep_milliseconds(10);
    everybody_end();
    objects_remove();
    umount2(TOP, MNT_DETACH);
    rmdir(TOP);
}

static void
exit_3(void)
{
    _exit(3);
}

static void
works_check(void)
{
    char byte = 0;
    int ends[2];

    check_that(pipe(ends) == 0 && write(ends[1], "y", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'y', "a pipe works");
    check_that(check_child(exit_3) == 3 << 8, "a child runs and is waited for");
}

int
main(int count, char **arguments)
{
    char *version = file_text("/proc/version");
    uint32_t seed = count > 1 ? (uint32_t) atoi(arguments[1]) : 1;
    int rounds = count > 2 ? atoi(arguments[2]) : ROUNDS;
    uint64_t before = 0;

    if (version == NULL || strstr(version, "Belady") == NULL || getpid() != 1) {
        check_skip("only as the first process of Belady");
        return check_end();
    }
    for (int round = 0; round < rounds; round++) {
        if (round == WARM_UP)
            before = memory_bytes("MemFree") + memory_bytes("SwapFree");
        round_run(seed * 1000 + (uint32_t) round);
    }
    uint64_t after = memory_bytes("MemFree") + memory_bytes("SwapFree");
    check_that(true, "%d rounds of %d processes with %d threads (seed %u)", rounds, CALLERS, THREADS + 1, (unsigned) seed);
    check_that(rounds <= WARM_UP || after + LEAK >= before, "memory is as free as before: %ld KiB less", (long) (before - after) / 1024);
    works_check();
    return check_end();
}
