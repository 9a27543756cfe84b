/*
 * Limits that are no limits of memory: what a process has at first, whose may be seen and set, how many signals may be
 * queued for a user, how much time a process may compute, how long its arguments may be, and how long a turn of the
 * processor lasts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    USER = 12345,           /* nobody else has this number */
    PLACES = 5,             /* RLIMIT_SIGPENDING */
    GENEROUS_SECONDS = 20,  /* until a limit that does not hold is no longer waited for */
};

/* ---- Whose limits ---- */

static bool
hard_limit_is(int resource, rlim_t wanted)
{
    struct rlimit limit;

    return getrlimit(resource, &limit) == 0 && limit.rlim_max == wanted;
}

static bool
touches(pid_t process, struct rlimit *limit)
{
    struct rlimit old;

    return prlimit(process, RLIMIT_CORE, limit, limit == NULL ? &old : NULL) == 0;
}

static void
others_body(void)
{
    struct rlimit none = { 0, 0 };
    pid_t root = getppid();

    check_that(touches(root, NULL) && touches(root, &none), "root sees and sets the limits of others");
    check_that(setuid(USER) == 0 && !touches(root, NULL) && errno == EPERM && !touches(root, &none) && errno == EPERM,
               "a user neither sees nor sets another's: EPERM");
    pid_t child = check_fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    check_that(touches(child, NULL) && touches(child, &none) && touches(getpid(), &none) && touches(0, &none),
               "but those of the user's own processes");
    kill(child, SIGKILL);
    check_wait(child);
}

/* ---- Queued signals ---- */

static bool
queue(int signal, int value)
{
    return sigqueue(getpid(), signal, (union sigval) { .sival_int = value }) == 0;
}

static int
take(siginfo_t *info)
{
    struct timespec at_once = { 0, 0 };
    sigset_t sent;

    sigemptyset(&sent);
    sigaddset(&sent, SIGUSR1);
    sigaddset(&sent, SIGRTMIN);
    sigaddset(&sent, SIGRTMIN + 1);
    return sigtimedwait(&sent, info, &at_once);
}

static void
prepare_queue(uid_t user)
{
    struct rlimit limit = { PLACES, PLACES };
    sigset_t blocked;

    /* On Linux a child's end would take a place, too. */
    sigfillset(&blocked);
    sigdelset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    setrlimit(RLIMIT_SIGPENDING, &limit);
    if (user != 0)
        setuid(user);
}

static void
another_user_body(void)
{
    prepare_queue(USER + 1);
    _exit(!queue(SIGRTMIN, 0));
}

static void
same_user_body(void)
{
    _exit(queue(SIGRTMIN, 0) || errno != EAGAIN);
}

static void
full_queue_body(void)
{
    siginfo_t info;
    int queued = 0;

    prepare_queue(USER);
    while (queued < 2 * PLACES && queue(SIGRTMIN, queued))
        queued++;
    check_that(queued == PLACES && errno == EAGAIN, "RLIMIT_SIGPENDING signals can be queued, then it is EAGAIN");
    check_that(check_child(same_user_body) == 0, "the user's other processes find no place either");
    check_that(kill(getpid(), SIGRTMIN + 1) == 0 && kill(getpid(), SIGUSR1) == 0, "what kill sends arrives all the same");
    check_that(take(&info) == SIGUSR1 && info.si_pid == getpid(), "a standard signal with its sender");
    check_that(take(&info) == SIGRTMIN && info.si_value.sival_int == 0 && queue(SIGRTMIN, queued) && !queue(SIGRTMIN, 0),
               "who takes one makes place for one");
    for (int i = 1; i <= PLACES; i++)
        queued -= take(&info) == SIGRTMIN && info.si_value.sival_int == i;
    check_that(queued == 0, "each keeps its value and its turn");
    check_that(take(&info) == SIGRTMIN + 1 && info.si_code == SI_USER && info.si_pid == 0 && take(&info) == -1,
               "of the one that found no place nothing is known");
}

static void
queue_check(void)
{
    char full;
    int ends[2];

    pipe(ends);
    pid_t child = check_fork();
    if (child == 0) {
        prepare_queue(USER);
        while (queue(SIGRTMIN, 0))
            continue;
        write(ends[1], "", 1);
        pause();
    }
    read(ends[0], &full, 1);
    check_that(check_child(another_user_body) == 0, "another user has places of its own");
    kill(child, SIGKILL);
    check_wait(child);
    close(ends[0]);
    close(ends[1]);
    check_child(full_queue_body);
}

/* ---- Turns ---- */

static void
interval_check(void)
{
    struct timespec interval = { -1, -1 };

    check_that(sched_rr_get_interval(0, &interval) == 0 && interval.tv_sec == 0 && interval.tv_nsec >= 0 && interval.tv_nsec < 1000000000,
               "a turn lasts for less than a second");
    check_that(sched_rr_get_interval(-1, &interval) == -1 && errno == EINVAL, "of process -1: EINVAL");
    check_that(sched_rr_get_interval(INT32_MAX, &interval) == -1 && errno == ESRCH, "of nobody: ESRCH");
    check_that(syscall(SYS_sched_rr_get_interval, 0, 1) == -1 && errno == EFAULT, "to nowhere: EFAULT");
}

/* ---- Processor time ---- */

static volatile sig_atomic_t warned;

static void
warn(int signal)
{
    warned = signal;
}

/* No time at all: warned at once, and again a second later. */
static void
warned_body(void)
{
    struct rlimit time = { 0, 10 };

    signal(SIGXCPU, warn);
    setrlimit(RLIMIT_CPU, &time);
    while (warned == 0)
        continue;
    getrlimit(RLIMIT_CPU, &time);
    _exit(time.rlim_cur != 1);
}

static void
compute_for_ever(struct rlimit time)
{
    setrlimit(RLIMIT_CPU, &time);
    for (;;)
        continue;
}

static void soft_body(void) { compute_for_ever((struct rlimit) { 0, 10 }); }
static void hard_body(void) { compute_for_ever((struct rlimit) { 0, 0 }); }

/* The child has used none of its time; its parent has used up its own. */
static void
inherited_body(void)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit) { 1, 1 });
    pid_t child = check_fork();
    if (child == 0)
        _exit(0);
    _exit(check_wait(child));
}

/* The child computes; its parent has been warned, and does not care. On Linux the child has a second. */
static void
inherited_soft_body(void)
{
    signal(SIGXCPU, SIG_IGN);
    setrlimit(RLIMIT_CPU, &(struct rlimit) { 0, 10 });
    pid_t child = check_fork();
    if (child == 0) {
        signal(SIGXCPU, SIG_DFL);
        alarm(GENEROUS_SECONDS);
        for (;;)
            continue;
    }
    int status = check_wait(child);
    _exit(!WIFSIGNALED(status) || WTERMSIG(status) != SIGXCPU);
}

static bool
ends_by(void (*body)(void), int signal)
{
    int status = check_child(body);

    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

static void
time_check(void)
{
    check_that(check_child(warned_body) == 0, "who has used up RLIMIT_CPU is sent SIGXCPU, and has one second more");
    check_that(ends_by(soft_body, SIGXCPU), "which ends who does not handle it");
    check_that(ends_by(hard_body, SIGKILL), "beyond the hard limit it is SIGKILL");
    check_that(check_child(inherited_body) == 0, "a child begins anew");
    check_that(check_child(inherited_soft_body) == 0, "and has the same limit");
}

/* ---- Arguments ---- */

enum { STRING = 60000, MANY_STRINGS = 16 };

/* What exec of this program says, with so many long strings under this limit of the stack: 0 or errno. */
static int
exec_error(rlim_t stack, int strings)
{
    static char text[STRING];
    char *environment[MANY_STRINGS + 1] = { NULL };
    pid_t child = check_fork();

    if (child != 0)
        return WEXITSTATUS(check_wait(child));
    memset(text, 'a', sizeof text - 1);
    for (int i = 0; i < strings; i++)
        environment[i] = text;
    setrlimit(RLIMIT_STACK, &(struct rlimit) { stack, RLIM_INFINITY });
    execve("/proc/self/exe", (char *[]) { "limits", "again", NULL }, environment);
    _exit(errno);
}

static void
strings_check(void)
{
    check_that(exec_error(1 << 20, 4) == 0 && exec_error(1 << 20, 5) == E2BIG, "a quarter of RLIMIT_STACK is for arguments");
    check_that(exec_error(256 << 10, 2) == 0 && exec_error(256 << 10, 3) == E2BIG, "but 128 KiB at least");
    check_that(exec_error(96 << 10, 1) == 0 && exec_error(96 << 10, 2) == E2BIG, "unless the stack itself may not have them");
}

/* ---- Hard limits ---- */

static void
nice_body(void)
{
    setrlimit(RLIMIT_NICE, &(struct rlimit) { 20, 20 });
    setuid(USER);
    check_that(setpriority(PRIO_PROCESS, 0, 5) == 0 && setpriority(PRIO_PROCESS, 0, 0) == 0, "a user may be as nice to himself as RLIMIT_NICE says");
    check_that(refused(setpriority(PRIO_PROCESS, 0, -1), EACCES), "but not nicer: EACCES");
}

static void
files_check(void)
{
    struct rlimit old, limit;

    getrlimit(RLIMIT_NOFILE, &old);
    limit = (struct rlimit) { old.rlim_cur, (1 << 20) + 1 };
    check_that(refused(setrlimit(RLIMIT_NOFILE, &limit), EPERM), "nobody has more than 1048576 descriptors, not even root: EPERM");
    check_that(refused(prlimit(INT32_MAX, 77, NULL, &old), ESRCH) && refused(prlimit(0, 77, NULL, &old), EINVAL),
               "it matters more whose limit than which");
}

int
main(int count, char **arguments)
{
    struct rlimit processes, signals;

    (void) arguments;
    if (count > 1)
        return 0;
    check_that(hard_limit_is(RLIMIT_NICE, 0) && hard_limit_is(RLIMIT_RTPRIO, 0), "nobody may be nicer to himself than to others at first");
    check_that(getrlimit(RLIMIT_NPROC, &processes) == 0 && getrlimit(RLIMIT_SIGPENDING, &signals) == 0 && processes.rlim_cur > 0
               && processes.rlim_cur != RLIM_INFINITY && processes.rlim_cur == signals.rlim_cur,
               "a user's processes and queued signals are limited");
    if (geteuid() == 0) {
        check_child(others_body);
        queue_check();
        check_child(nice_body);
        files_check();
    } else {
        check_skip("other users");
    }
    time_check();
    strings_check();
    interval_check();
    return check_end();
}
