/*
 * Clocks, sleeping and timers: what the calls answer, what is left when they end early, and that
 * none ends too soon.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/outcome.h"

enum { SHORT_MICROSECONDS = 30000, BILLION = 1000000000 };

static volatile int ticks;

static void
tick(int signal)
{
    (void) signal;
    ticks++;
}

static long long
now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * (long long) BILLION + time.tv_nsec;
}

/* ---- Clocks ----------------------------------------------------------------------------------------------------------------- */

static void
clocks_show(void)
{
    struct timespec time;
    struct timeval day;

    for (clockid_t clock = 0; clock < 8; clock++)
        outcome(clock_gettime(clock, &time), "clock %d", (int) clock);
    for (clockid_t clock = 0; clock < 2; clock++) {
        outcome(clock_getres(clock, &time), "resolution of clock %d", (int) clock);
        tell("  below 5 ms: %d", time.tv_sec == 0 && time.tv_nsec > 0 && time.tv_nsec <= 5000000);
    }
    outcome(clock_gettime(77, &time), "clock 77");
    outcome(syscall(SYS_clock_gettime64, 0, 16), "into nowhere");
    gettimeofday(&day, NULL);
    tell("both tell the same: %d", llabs(day.tv_sec * 1000LL + day.tv_usec / 1000 - now(CLOCK_REALTIME) / 1000000) < 1000);
    long long first = now(CLOCK_MONOTONIC), second = now(CLOCK_MONOTONIC);
    tell("time goes on: %d", second >= first);
    long long start = now(CLOCK_PROCESS_CPUTIME_ID);
    usleep(SHORT_MICROSECONDS);
    tell("sleeping uses no processor: %d", now(CLOCK_PROCESS_CPUTIME_ID) - start < SHORT_MICROSECONDS * 1000LL);
    while (now(CLOCK_PROCESS_CPUTIME_ID) - start < SHORT_MICROSECONDS * 1000LL)
        ;
    tell("computing does: %d", times(&(struct tms){ 0 }) > 0);
}

/* ---- Sleeping ----------------------------------------------------------------------------------------------------------------- */

static void
sleeping_show(void)
{
    struct timespec rest = { 0, 0 }, until;

    long long start = now(CLOCK_MONOTONIC);
    outcome(nanosleep(&(struct timespec){ 0, SHORT_MICROSECONDS * 1000 }, NULL), "nanosleep");
    tell("not too short: %d", now(CLOCK_MONOTONIC) - start >= SHORT_MICROSECONDS * 1000LL);
    outcome(nanosleep(&(struct timespec){ 0, BILLION }, NULL), "too many nanoseconds");
    outcome(nanosleep(&(struct timespec){ -1, 0 }, NULL), "negative seconds");
    outcome(nanosleep(&(struct timespec){ 0, 0 }, NULL), "for no time");
    signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = SHORT_MICROSECONDS }, NULL);
    outcome(nanosleep(&(struct timespec){ 10, 0 }, &rest), "nanosleep of 10 s, interrupted");
    tell("left: %d", rest.tv_sec == 9 && rest.tv_nsec > 0 && rest.tv_nsec < BILLION);
    clock_gettime(CLOCK_MONOTONIC, &until);
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    tell("until now: %s", errno == 0 ? "0" : error_name(errno));
    start = now(CLOCK_MONOTONIC);
    until.tv_nsec += SHORT_MICROSECONDS * 1000;
    until.tv_sec += until.tv_nsec / BILLION;
    until.tv_nsec %= BILLION;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    tell("until soon, not too early: %d", now(CLOCK_MONOTONIC) >= until.tv_sec * (long long) BILLION + until.tv_nsec);
    errno = clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &until, NULL);
    tell("by this thread's processor time: %s", error_name(errno));
    errno = clock_nanosleep(77, 0, &until, NULL);
    tell("by clock 77: %s", error_name(errno));
}

/* ---- Interval timers ----------------------------------------------------------------------------------------------------------- */

static void
intervals_show(void)
{
    struct itimerval old;

    signal(SIGALRM, tick);
    signal(SIGVTALRM, tick);
    signal(SIGPROF, tick);
    ticks = 0;
    outcome(setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 10000 }, { 0, 10000 } }, NULL), "setitimer, every 10 ms");
    while (ticks < 5)
        pause();
    outcome(getitimer(ITIMER_REAL, &old), "getitimer");
    tell("interval %ld, left of it: %d", (long) old.it_interval.tv_usec, old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 10000);
    outcome(setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, &old), "setitimer off");
    tell("interval %ld", (long) old.it_interval.tv_usec);
    ticks = 0;
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){ { 0, 0 }, { 0, 20000 } }, NULL);
    while (ticks < 1)
        ;
    setitimer(ITIMER_PROF, &(struct itimerval){ { 0, 0 }, { 0, 20000 } }, NULL);
    while (ticks < 2)
        getppid();
    tell("virtual time and the profiler's passed");
    outcome(setitimer(7, &old, NULL), "setitimer of a wrong kind");
    outcome(setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 1000000 } }, NULL), "with too many microseconds");
    outcome(syscall(SYS_getitimer, ITIMER_REAL, 16), "getitimer into nowhere");
    outcome(alarm(20), "alarm");
    outcome(alarm(0), "alarm off");
    sigset_t alarms, none;
    sigemptyset(&none);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarms, NULL);      /* until it is waited for: a busy machine may stand still here */
    setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 100 } }, NULL);
    sigsuspend(&none);
    sigprocmask(SIG_UNBLOCK, &alarms, NULL);
    outcome(alarm(0), "after a short one");
}

static void
usage_show(void)
{
    struct rusage usage;

    outcome(getrusage(RUSAGE_SELF, &usage), "getrusage");
    tell("some memory: %d, some faults: %d", usage.ru_maxrss > 0, usage.ru_minflt > 0);
    outcome(getrusage(RUSAGE_CHILDREN, &usage), "of children");
    tell("none yet: %d", usage.ru_minflt == 0);
    outcome(getrusage(RUSAGE_THREAD, &usage), "of this thread");
    outcome(getrusage(77, &usage), "of 77");
}

int
main(void)
{
    usage_show();
    clocks_show();
    sleeping_show();
    intervals_show();
    return EXIT_SUCCESS;
}
