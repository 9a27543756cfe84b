/*
 * Processes among each other: groups and sessions, signals to groups, queued signals, timers of processor time, posix_spawn,
 * popen, limits and scheduling calls.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { CHILDREN = 3, QUEUED = 5, STACK = 16 << 10, TICK_MICROSECONDS = 10000 };

extern char **environ;

static volatile sig_atomic_t caught;
static int values[QUEUED];

static void
catch(int signal)
{
    (void) signal;
    caught++;
}

/* ---- Groups and sessions ---- */

static void
group_check(void)
{
    pid_t children[CHILDREN];
    int status;

    for (int i = 0; i < CHILDREN; i++) {
        children[i] = check_fork();
        if (children[i] == 0) {
            pause();
            _exit(EXIT_FAILURE);
        }
        check_that(setpgid(children[i], children[0]) == 0, "child %d joins the first one's group", i);
    }
    check_that(getpgid(children[CHILDREN - 1]) == children[0], "getpgid");
    check_that(setpgid(children[0], 1 << 20) == -1 && errno == EPERM, "no such group: EPERM");
    check_that(setpgid(getppid(), 0) == -1, "a parent cannot be moved");
    check_that(kill(-children[0], 0) == 0, "the group is there");
    kill(-children[0], SIGTERM);
    int reaped = 0;
    while (waitpid(-children[0], &status, 0) > 0)
        reaped += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
    check_that(reaped == CHILDREN && errno == ECHILD, "a signal to the group reaches each member");
    check_that(kill(-children[0], 0) == -1 && errno == ESRCH, "then the group is gone");
}

static void
session_lead(void)
{
    pid_t session = setsid();
    bool leads = session == getpid() && getsid(0) == session && getpgrp() == session;

    _exit(leads && setsid() == -1 && errno == EPERM && setpgid(0, 0) == -1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void
exec_then_move(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        execl("/proc/self/exe", "processes", "sleep", NULL);
        _exit(EXIT_FAILURE);
    }
    usleep(5 * TICK_MICROSECONDS);
    check_that(setpgid(child, child) == -1 && errno == EACCES, "a child that has called exec cannot be moved");
    kill(child, SIGKILL);
    check_wait(child);
}

/* ---- Queued signals ---- */

static void
queue_take(int signal, siginfo_t *information, void *context)
{
    (void) signal;
    (void) context;
    if (information->si_code == SI_QUEUE && information->si_pid == getpid())
        values[caught++] = information->si_value.sival_int;
}

static void
queue_check(void)
{
    struct sigaction action = { .sa_sigaction = queue_take, .sa_flags = SA_SIGINFO };
    sigset_t set;
    bool in_order = true;

    sigaction(SIGRTMIN, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    caught = 0;
    for (int i = 0; i < QUEUED; i++)
        sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = i });
    check_that(caught == 0, "blocked real-time signals wait");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    for (int i = 0; i < QUEUED; i++)
        in_order &= values[i] == i;
    check_that(caught == QUEUED && in_order, "each of them arrives, in order, with its value");
    signal(SIGRTMIN, SIG_DFL);
}

/* ---- Timers of processor time ---- */

static void
timer_check(int which, int number, const char *name)
{
    struct itimerval timer = { .it_value.tv_usec = 3 * TICK_MICROSECONDS }, left;
    struct timespec start, now;

    caught = 0;
    signal(number, catch);
    setitimer(which, &timer, NULL);
    usleep(8 * TICK_MICROSECONDS);
    check_that(caught == 0, "%s stands still while its process sleeps", name);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        /* In user mode, where virtual time passes: asking for the time is spent in the kernel. */
        for (volatile int i = 0; i < 1000000; i++)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (caught == 0 && now.tv_sec - start.tv_sec < 5);
    check_that(caught == 1, "%s fires when the time has been used", name);
    check_that(getitimer(which, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0, "once");
    signal(number, SIG_DFL);
}

/* ---- Ways to start a program ---- */

static int
child_on_stack(void *shared)
{
    *(int *) shared = getpid();
    return 7;
}

static void
clone_check(void)
{
    static char stack[STACK];
    int number = 0;
    pid_t child = clone(child_on_stack, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &number);

    check_that(child > 0 && number == child, "clone with VM and VFORK: the child's write is seen at once");
    check_that(check_wait(child) == 0x700, "its stack was its own");
    child = clone(child_on_stack, stack + sizeof stack, SIGCHLD, &number);
    check_that(check_wait(child) == 0x700 && number != child, "clone without VM: the child's write is its own");
}

static void
spawn_check(void)
{
    char *arguments[] = { "processes", "spawned", NULL }, line[32] = "";
    pid_t child;
    FILE *pipe;

    check_that(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0, "posix_spawn");
    check_that(check_wait(child) == 0x500, "runs the program");
    check_that(posix_spawn(&child, "/nowhere", NULL, NULL, arguments, environ) == ENOENT, "posix_spawn of nothing: ENOENT");
    pipe = popen("echo through a shell", "r");
    check_that(pipe != NULL && fgets(line, sizeof line, pipe) && strcmp(line, "through a shell\n") == 0, "popen");
    check_that(pclose(pipe) == 0, "pclose");
    check_that(system("exit 3") == 0x300, "system");
}

/* ---- Limits and the rest ---- */

static void
limit_check(void)
{
    struct rlimit limit, before;
    char name[16] = "";
    cpu_set_t processors;
    unsigned char random[64] = { 0 };
    int set = 0;

    check_that(getrlimit(RLIMIT_STACK, &before) == 0 && before.rlim_cur == 8 << 20, "the stack may have 8 MiB");
    limit = (struct rlimit) { 1 << 20, before.rlim_max };
    check_that(setrlimit(RLIMIT_STACK, &limit) == 0 && getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur == 1 << 20,
               "a limit can be lowered");
    setrlimit(RLIMIT_STACK, &before);
    limit = (struct rlimit) { 2, 1 };
    check_that(setrlimit(RLIMIT_CPU, &limit) == -1 && errno == EINVAL, "soft above hard: EINVAL");
    check_that(getrlimit(99, &limit) == -1 && errno == EINVAL, "no such limit: EINVAL");
    check_that(nice(5) == 5 && getpriority(PRIO_PROCESS, 0) == 5, "nice");
    check_that(sched_getaffinity(0, sizeof processors, &processors) == 0 && CPU_ISSET(0, &processors), "processor 0");
    check_that(prctl(PR_SET_NAME, "a name that is too long") == 0 && prctl(PR_GET_NAME, name) == 0
                   && strcmp(name, "a name that is ") == 0, "a name of 15 characters");
    check_that(getrandom(random, sizeof random, 0) == sizeof random, "getrandom");
    for (size_t i = 0; i < sizeof random; i++)
        set += __builtin_popcount(random[i]);
    check_that(set > 128 && set < 384, "looks random: %d of 512 bits are set", set);
}

int
main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "spawned") == 0)
        return 5;
    if (count > 1)
        return pause();
    group_check();
    check_that(check_child(session_lead) == 0, "setsid makes a leader, once");
    exec_then_move();
    queue_check();
    timer_check(ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL");
    timer_check(ITIMER_PROF, SIGPROF, "ITIMER_PROF");
    clone_check();
    spawn_check();
    limit_check();
    return check_end();
}
