/*
 * Time: clocks go forward and agree, sleeping takes as long as it should, timers
 * fire, and what is not a time is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum {
    READINGS = 2000,
    NAP = 30,             /* milliseconds */
    CLOCK_NANOSLEEP_TIME64 = 407,
    USER = 4242,
    A_YEAR_IN_2024 = 1704067200,
    TRIES = 5,
    LONG_NAP = 150,       /* and of a process that is stopped meanwhile */
    TICKS = 20,           /* hundredths of a second of work, of which a clock tick must notice some */
    BUSY = 100000,        /* turns of a loop between two looks at the time */
    SLACK = 5,            /* ticks by which two readings may differ */
    INTERVAL = 14000,     /* microseconds, not a multiple of any machine's tick */
    DRIFT = 3000,
    LATE = 2000,          /* milliseconds by which a busy machine may be late */
};

static int64_t
nanoseconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Milliseconds that `wait` takes. */
static int
duration(void (*wait)(void))
{
    int64_t start = nanoseconds(CLOCK_MONOTONIC);
    wait();
    return (nanoseconds(CLOCK_MONOTONIC) - start) / 1000000;
}

static void
clock_check(void)
{
    int backwards = 0, odd = 0;
    struct timespec before, after, resolution;
    struct timeval of_day;

    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < READINGS; i++) {
        clock_gettime(CLOCK_MONOTONIC, &after);
        backwards += after.tv_sec < before.tv_sec || (after.tv_sec == before.tv_sec && after.tv_nsec < before.tv_nsec);
        odd += after.tv_nsec < 0 || after.tv_nsec > 999999999;
        before = after;
    }
    check_that(backwards == 0 && odd == 0, "the monotonic clock never goes back");
    check_that(gettimeofday(&of_day, NULL) == 0 && of_day.tv_usec < 1000000, "gettimeofday");
    check_that(llabs(time(NULL) - (long long) of_day.tv_sec) <= 1, "time agrees with it");
    check_that(clock_gettime(99, &after) == -1 && errno == EINVAL, "no such clock: EINVAL");
    clock_getres(CLOCK_MONOTONIC, &resolution);
    check_that(resolution.tv_sec == 0 && resolution.tv_nsec > 0, "its resolution");
    clock_getres(CLOCK_TAI, &resolution);
    check_that(resolution.tv_sec == 0 && resolution.tv_nsec == 1, "atomic time is as fine as that of day");
}

static void nap_nanosleep(void) { nanosleep(&(struct timespec) { 0, NAP * 1000000 }, NULL); }
static void nap_clock(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec) { 0, NAP * 1000000 }, NULL); }
static void nap_poll(void) { poll(NULL, 0, NAP); }
static void nap_select(void) { select(0, NULL, NULL, NULL, &(struct timeval) { 0, NAP * 1000 }); }

static void
nap_until(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += NAP * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void
nap_check(const char *name, void (*nap)(void))
{
    int took = duration(nap);
    check_that(took >= NAP && took < NAP + LATE, "%s of %d ms", name, NAP);
    if (took < NAP || took >= NAP + LATE)
        check_note("it took %d ms", took);
}

static void
refusal_check(void)
{
    check_that(nanosleep(&(struct timespec) { 0, 1000000000 }, NULL) == -1 && errno == EINVAL, "too many nanoseconds");
    check_that(nanosleep(&(struct timespec) { -1, 0 }, NULL) == -1 && errno == EINVAL, "a time before now");
    check_that(nanosleep(&(struct timespec) { 0, 0 }, NULL) == 0, "no time at all");
}

/* The calls themselves: the library hides what they write. */
struct old_time { long seconds, fraction; };

static long
call_select(struct old_time *timeout) { return syscall(SYS__newselect, 0, NULL, NULL, NULL, timeout); }

static long
call_pselect(struct old_time *timeout) { return syscall(SYS_pselect6, 0, NULL, NULL, NULL, timeout, NULL); }

static long
call_ppoll(struct old_time *timeout) { return syscall(SYS_ppoll, NULL, 0, timeout, NULL, 0); }

static void
nothing(int signal)
{
    (void) signal;
}

/* What is left of a timeout is written back: nothing when it is over, the rest when a signal comes earlier. */
static void
rest_check(const char *name, long (*call)(struct old_time *), long unit)
{
    struct old_time timeout = { 0, NAP * unit };
    struct itimerval soon = { { 0, 0 }, { 0, NAP * 1000 } };

    check_that(call(&timeout) == 0 && timeout.seconds == 0 && timeout.fraction == 0, "%s: when it is over no time is left", name);
    sigaction(SIGALRM, &(struct sigaction) { .sa_handler = nothing }, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    timeout = (struct old_time) { 100, 0 };
    check_that(call(&timeout) == -1 && errno == EINTR && timeout.seconds >= 90 && timeout.seconds < 100,
               "%s: interrupted it says what is left", name);
}

/* Whether a child's nap is no longer though it is stopped twice in its middle. */
static bool
stop_keeps_deadline(void (*nap)(void))
{
    pid_t child = check_fork();

    if (child == 0) {
        int took = duration(nap);
        _exit(took < LONG_NAP || took >= LONG_NAP + LONG_NAP / 2);
    }
    for (int i = 0; i < 2; i++) {
        usleep(LONG_NAP * 1000 / 3);
        kill(child, SIGSTOP);
        waitpid(child, NULL, WUNTRACED);
        kill(child, SIGCONT);
    }
    return check_wait(child) == 0;
}

/* A busy machine may be late; but a nap that begins anew is never in time. */
static void
stop_check(const char *name, void (*nap)(void))
{
    int tries = 0;

    while (tries < TRIES && !stop_keeps_deadline(nap))
        tries++;
    check_that(tries < TRIES, "%s is neither longer nor shorter for being stopped twice meanwhile", name);
}

static void long_nap_nanosleep(void) { nanosleep(&(struct timespec) { 0, LONG_NAP * 1000000 }, NULL); }
static void long_nap_poll(void) { poll(NULL, 0, LONG_NAP); }
static void long_nap_select(void) { select(0, NULL, NULL, NULL, &(struct timeval) { 0, LONG_NAP * 1000 }); }

static volatile sig_atomic_t alarms;

static void
alarm_count(int signal)
{
    (void) signal;
    alarms++;
}

static void
timer_check(void)
{
    struct itimerval timer = { { 0, NAP * 1000 }, { 0, NAP * 1000 } }, now = { 0 };

    signal(SIGALRM, alarm_count);
    if (setitimer(ITIMER_REAL, &timer, NULL) == -1 && errno == ENOSYS) {
        check_skip("interval timers");
        return;
    }
    while (alarms < 3)
        pause();
    timer = (struct itimerval) { 0 };
    check_that(setitimer(ITIMER_REAL, &timer, &now) == 0 && now.it_interval.tv_usec == NAP * 1000,
               "an interval timer fires again and again");
    int seen = alarms;
    nap_nanosleep();
    nap_nanosleep();
    check_that(alarms == seen, "and no more when it is stopped");
}

static void
usage_check(void)
{
    struct tms before, after;
    struct sysinfo information;
    clock_t start = times(&before);

    do
        for (volatile int i = 0; i < BUSY; i++)
            ;
    while (times(&after) - start < TICKS);
    check_that(after.tms_utime + after.tms_stime > before.tms_utime + before.tms_stime, "times counts what is used");
    check_that(sysinfo(&information) == 0 && information.totalram > 0, "sysinfo");
}

/* Numbers as clock_getcpuclockid makes them: a process's complement above three bits; 4 is a thread, 0 and 2 all of its time, 1 its user time. */
static void
others_clock_check(void)
{
    struct timespec time;
    pid_t child = check_fork();

    if (child == 0)
        for (;;)
            pause();
    clockid_t own = (clockid_t) (~(unsigned) getpid() << 3), childs = (clockid_t) (~(unsigned) child << 3);
    int64_t before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), used = nanoseconds(own | 2);

    check_that(before > 0 && used >= before && used <= nanoseconds(CLOCK_PROCESS_CPUTIME_ID), "the clock of one's own number is one's own clock");
    check_that(nanoseconds(own | 1) <= nanoseconds(own), "user time is a part of all time");
    before = nanoseconds(CLOCK_THREAD_CPUTIME_ID), used = nanoseconds(own | 4 | 2);
    check_that(used >= before && used <= nanoseconds(CLOCK_THREAD_CPUTIME_ID), "and the same for the thread");
    check_that(clock_gettime(childs | 2, &time) == 0 && nanoseconds(childs | 2) < nanoseconds(own | 2), "a child's clock has a child's time");
    check_that(clock_gettime(childs | 4 | 2, &time) == -1 && errno == EINVAL, "another process's thread has no clock: EINVAL");
    kill(child, SIGKILL);
    check_wait(child);
    check_that(clock_gettime(childs | 2, &time) == -1 && errno == EINVAL, "nor has a process that has gone: EINVAL");
    check_that(clock_gettime(own | 3, &time) == -1 && errno == EINVAL, "nor is there a clock of kind 3: EINVAL");
}

/* What is left of an alarm is told in whole seconds, as near as can be, but not as none. The C library asks setitimer instead. */
static void
alarm_check(void)
{
    struct itimerval never;

    syscall(SYS_alarm, 2);
    check_that(syscall(SYS_alarm, 0) == 2, "nearly two seconds are left: 2");
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_usec = 200000 } }, NULL);
    check_that(syscall(SYS_alarm, 0) == 1, "a part of one: 1");
    check_that(syscall(SYS_alarm, 0) == 0, "none");
    syscall(SYS_alarm, -1);
    check_that(syscall(SYS_alarm, 0) == INT_MAX, "nor is one that is far off told as an error");
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_interval = { .tv_sec = 5 } }, NULL);
    getitimer(ITIMER_REAL, &never);
    check_that(never.it_interval.tv_sec == 0, "an interval without a first time is none");
}

static volatile sig_atomic_t expired;

static void
count_expiry(int signal)
{
    (void) signal;
    expired++;
}

/* Timers of used time go by the tick, and begin again by themselves. */
static void
used_time_check(void)
{
    static const struct itimerval often = { { 0, 10000 }, { 0, 1 } }, never;
    int64_t end = nanoseconds(CLOCK_MONOTONIC) + LATE * 1000000LL;

    signal(SIGVTALRM, count_expiry);
    expired = 0;
    setitimer(ITIMER_VIRTUAL, &often, NULL);
    while (expired < 3 && nanoseconds(CLOCK_MONOTONIC) < end)
        for (volatile int i = 0; i < BUSY; i++)
            continue;
    setitimer(ITIMER_VIRTUAL, &never, NULL);
    check_that(expired >= 3, "a microsecond of used time passes, and every ten milliseconds again");
}

static void
interrupted_check(void)
{
    struct timespec until, rest = { 77, 77 };

    signal(SIGALRM, count_expiry);
    setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_usec = NAP * 1000 } }, NULL);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 2;
    check_that(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &rest) == EINTR && rest.tv_sec == 77, "a nap until a time tells of no rest");
}

/* The time that the kernel spends for a process is its profile's, and not its virtual time. */
static void
kernel_time_check(void)
{
    static const struct itimerval long_time = { { 0, 0 }, { 1000, 0 } };
    static char zeroes[1 << 16];
    struct itimerval user, all;
    struct tms used;
    int file = open("/dev/zero", O_RDONLY);
    clock_t before = times(&used), user_before = used.tms_utime, all_before = user_before + used.tms_stime;

    setitimer(ITIMER_VIRTUAL, &long_time, NULL);
    setitimer(ITIMER_PROF, &long_time, NULL);
    while (times(&used) < before + LATE / 10 && used.tms_utime + used.tms_stime < all_before + TICKS)
        read(file, zeroes, sizeof zeroes);
    getitimer(ITIMER_VIRTUAL, &user);
    getitimer(ITIMER_PROF, &all);
    setitimer(ITIMER_VIRTUAL, &(struct itimerval) { 0 }, NULL);
    setitimer(ITIMER_PROF, &(struct itimerval) { 0 }, NULL);
    long user_ticks = (1000 - user.it_value.tv_sec) * 100 - user.it_value.tv_usec / 10000;
    long all_ticks = (1000 - all.it_value.tv_sec) * 100 - all.it_value.tv_usec / 10000;
    check_that(labs(user_ticks - (used.tms_utime - user_before)) <= SLACK, "the timer of virtual time counts what times() calls user time");
    check_that(labs(all_ticks - (used.tms_utime + used.tms_stime - all_before)) <= SLACK && all_ticks > user_ticks + 2 * SLACK,
               "that of the profile what the kernel did besides");
    close(file);
}

/* How far an interval timer's next expiry is from its first and a whole number of intervals, in microseconds. */
static long
timer_drift(int64_t first)
{
    struct itimerval left;
    int64_t before, after;

    do {
        before = nanoseconds(CLOCK_MONOTONIC);
        getitimer(ITIMER_REAL, &left);
        after = nanoseconds(CLOCK_MONOTONIC);
    } while (after - before > 500000);
    long drift = (long) ((after - first) / 1000 + left.it_value.tv_usec) % INTERVAL;
    return drift > INTERVAL / 2 ? INTERVAL - drift : drift;
}

/* However late a signal is handled, the next is not later for it. */
static void
drift_check(void)
{
    struct itimerval timer = { { 0, INTERVAL }, { 0, INTERVAL } };
    sigset_t alarm;
    int signal;

    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    int64_t first = nanoseconds(CLOCK_MONOTONIC);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < TICKS; i++)
        sigwait(&alarm, &signal);
    long drift = timer_drift(first);
    setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    if (!check_that(drift <= DRIFT, "an interval timer goes off at whole intervals from its start"))
        check_note("%ld microseconds off", drift);
}

/* A time that no clock will ever show is a long time, not a short one. */
static void
far_check(void)
{
    struct itimerval soon = { { 0, 0 }, { 0, NAP * 1000 } };
    static const int64_t far[] = { 1LL << 34, 1LL << 62, INT64_MAX };

    signal(SIGALRM, count_expiry);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        setitimer(ITIMER_REAL, &soon, NULL);
        check_that(syscall(CLOCK_NANOSLEEP_TIME64, CLOCK_MONOTONIC, 0, (int64_t[]) { far[i], 0 }, NULL) == -1 && errno == EINTR,
                   "a nap of %llx seconds does not end by itself", (long long) far[i]);
    }
}

static void
set_body(void)
{
    uint32_t seconds = 1;

    setresuid(USER, USER, USER);
    _exit(syscall(SYS_stime, &seconds) != -1 || errno != EPERM);
}

int
main(void)
{
    clock_check();
    nap_check("nanosleep", nap_nanosleep);
    nap_check("clock_nanosleep", nap_clock);
    nap_check("clock_nanosleep until a time", nap_until);
    nap_check("poll", nap_poll);
    nap_check("select", nap_select);
    rest_check("select", call_select, 1000);
    rest_check("pselect", call_pselect, 1000000);
    rest_check("ppoll", call_ppoll, 1000000);
    stop_check("nanosleep", long_nap_nanosleep);
    stop_check("poll", long_nap_poll);
    stop_check("select", long_nap_select);
    refusal_check();
    timer_check();
    usage_check();
    others_clock_check();
    alarm_check();
    used_time_check();
    interrupted_check();
    kernel_time_check();
    drift_check();
    far_check();
    if (geteuid() == 0)
        check_that(check_child(set_body) == 0, "a user does not set the clock: EPERM");
    check_that(syscall(CLOCK_NANOSLEEP_TIME64, CLOCK_MONOTONIC, 0, (int64_t[]) { 0, 1000 }, NULL) == 0, "a nap of wide numbers");
    check_that(syscall(CLOCK_NANOSLEEP_TIME64, CLOCK_MONOTONIC, 0, 16, NULL) == -1 && errno == EFAULT, "a time from nowhere: EFAULT");
    check_that(time(NULL) > A_YEAR_IN_2024, "the clock knows the year");
    return check_end();
}
