/*
 * POSIX timers: what they send to whom, when, how often, and how often they could not; setting, asking, deleting; and
 * what fork and exec leave of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { MILLISECOND = 1000000, SECOND = 1000 * MILLISECOND, VALUE = 4711, THREAD_ID = 4 };

static volatile sig_atomic_t taken, taken_code, taken_value, taken_overrun, taken_timer, taken_thread;

static void
take(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) context;
    taken++;
    taken_code = info->si_code;
    taken_value = info->si_value.sival_int;
    taken_overrun = info->si_overrun;
    taken_timer = info->si_timerid;
    taken_thread = (int) syscall(SYS_gettid);
}

static void
catch(int signal)
{
    struct sigaction action = { .sa_sigaction = take, .sa_flags = SA_SIGINFO };

    taken = 0;
    sigaction(signal, &action, NULL);
}

static void
block(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

static long long
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * (long long) SECOND + time.tv_nsec;
}

static void
nap(long long nanoseconds)
{
    long long end = now() + nanoseconds;

    while (now() < end)
        nanosleep(&(struct timespec){ .tv_nsec = MILLISECOND }, NULL);
}

static timer_t
create(int notify, int signal)
{
    struct sigevent event = { .sigev_notify = notify, .sigev_signo = signal, .sigev_value.sival_int = VALUE };
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        check_that(false, "timer_create: %s", strerror(errno));
    return timer;
}

static int
set(timer_t timer, long long value, long long interval)
{
    struct itimerspec times = {
        .it_value = { value / SECOND, value % SECOND },
        .it_interval = { interval / SECOND, interval % SECOND },
    };

    return timer_settime(timer, 0, &times, NULL);
}

/* ---- going off ---- */

static void
once_check(int signal, const char *name)
{
    timer_t timer = create(SIGEV_SIGNAL, signal);
    long long start = now();

    catch(signal);
    set(timer, 20 * MILLISECOND, 0);
    while (taken == 0 && now() < start + 5ll * SECOND)
        pause();
    check_that(taken == 1 && now() - start >= 20 * MILLISECOND, "%s: goes off, and not early", name);
    check_that(taken_code == SI_TIMER && taken_value == VALUE && taken_overrun == 0, "%s: si_code, si_value, si_overrun", name);
    nap(40 * MILLISECOND);
    check_that(taken == 1 && timer_getoverrun(timer) == 0, "%s: once", name);
    timer_delete(timer);
}

static void
interval_check(void)
{
    timer_t timer = create(SIGEV_SIGNAL, SIGUSR1);

    catch(SIGUSR1);
    set(timer, 5 * MILLISECOND, 5 * MILLISECOND);
    for (long long end = now() + 5ll * SECOND; taken < 5 && now() < end;)
        pause();
    check_that(taken >= 5, "an interval: again and again");
    set(timer, 0, 5 * MILLISECOND);
    taken = 0;
    nap(20 * MILLISECOND);
    check_that(taken == 0, "until it is set to 0");
    timer_delete(timer);
}

/* Takes a blocked signal if it is pending: its si_overrun, or -1. */
static int
take_blocked(int signal)
{
    sigset_t set;
    siginfo_t info;

    sigemptyset(&set);
    sigaddset(&set, signal);
    return sigtimedwait(&set, &info, &(struct timespec){ 0 }) == signal ? info.si_overrun : -1;
}

/* While its signal is blocked, a timer counts how often it could have sent it again; also far below the clock's tick. */
static void
overrun_check(int signal, long long interval, const char *name)
{
    timer_t timer = create(SIGEV_SIGNAL, signal);
    long long least = 50ll * MILLISECOND / interval;
    int overruns;

    block(SIG_BLOCK, signal);
    set(timer, interval, interval);
    nap(100 * MILLISECOND);
    overruns = take_blocked(signal);
    check_that(overruns >= least, "%s: si_overrun counts the signals that could not be sent", name);
    check_that(timer_getoverrun(timer) == overruns, "%s: timer_getoverrun tells it again", name);
    timer_delete(timer);
    take_blocked(signal);
    check_that(take_blocked(signal) == -1, "%s: the signal is pending once", name);
    block(SIG_UNBLOCK, signal);
}

static void
default_check(void)
{
    timer_t timer;

    catch(SIGALRM);
    check_that(timer_create(CLOCK_REALTIME, NULL, &timer) == 0, "without an event");
    set(timer, MILLISECOND, 0);
    for (long long end = now() + 5ll * SECOND; taken == 0 && now() < end;)
        nap(MILLISECOND);
    check_that(taken == 1 && taken_code == SI_TIMER && taken_value == taken_timer, "SIGALRM with the timer's number");
    timer_delete(timer);
}

static void
none_check(void)
{
    timer_t timer = create(SIGEV_NONE, SIGUSR1);
    struct itimerspec left;

    catch(SIGUSR1);
    set(timer, 30 * MILLISECOND, 0);
    check_that(timer_gettime(timer, &left) == 0 && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30 * MILLISECOND, "SIGEV_NONE: runs");
    nap(50 * MILLISECOND);
    check_that(timer_gettime(timer, &left) == 0 && left.it_value.tv_nsec == 0 && left.it_value.tv_sec == 0 && taken == 0, "ends, and sends nothing");
    timer_delete(timer);
}

static volatile int stop;

static void *
wait_in_thread(void *number)
{
    *(volatile int *) number = (int) syscall(SYS_gettid);
    while (!stop)
        nap(MILLISECOND);
    return NULL;
}

static void
thread_check(void)
{
    struct { int value, signal, notify, thread, rest[12]; } event = { VALUE, SIGUSR2, THREAD_ID, 0, { 0 } };
    volatile int number = 0;
    int timer = -1;
    pthread_t thread;

    catch(SIGUSR2);
    pthread_create(&thread, NULL, wait_in_thread, (void *) &number);
    while (number == 0)
        nap(MILLISECOND);
    event.thread = number;
    check_that(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0, "SIGEV_THREAD_ID");
    set((timer_t) (long) timer, 5 * MILLISECOND, 0);
    for (long long end = now() + 5ll * SECOND; taken == 0 && now() < end;)
        nap(MILLISECOND);
    check_that(taken == 1 && taken_thread == number, "the signal comes to that thread");
    set((timer_t) (long) timer, 5 * MILLISECOND, 5 * MILLISECOND);
    stop = 1;
    pthread_join(thread, NULL);
    taken = 0;
    nap(20 * MILLISECOND);
    check_that(taken == 0, "and to nobody when it has gone");
    check_that(syscall(SYS_timer_delete, timer) == 0, "its timer can be deleted");
    event.thread = getppid();
    check_that(refused(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer), EINVAL), "no thread of another process");
}

/* Rule: with a timer at most its own signal goes. */
static void
other_signal_check(void)
{
    timer_t timer = create(SIGEV_SIGNAL, SIGRTMIN);
    siginfo_t info = { 0 };
    sigset_t wanted;

    block(SIG_BLOCK, SIGRTMIN);
    set(timer, MILLISECOND, 0);
    nap(20 * MILLISECOND);
    sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = VALUE + 1 });
    timer_delete(timer);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGRTMIN);
    while (sigtimedwait(&wanted, &info, &(struct timespec) { 0 }) == SIGRTMIN && info.si_code != SI_QUEUE)
        continue;
    check_that(info.si_code == SI_QUEUE && info.si_value.sival_int == VALUE + 1, "a signal of the same number outlives a timer's that is deleted");
    block(SIG_UNBLOCK, SIGRTMIN);
}

/* ---- setting and asking ---- */

static void
settings_check(void)
{
    timer_t timer = create(SIGEV_SIGNAL, SIGUSR1);
    struct itimerspec times = { .it_value = { 100, 5 }, .it_interval = { 7, 8 } }, old;

    catch(SIGUSR1);
    check_that(timer_gettime(timer, &old) == 0 && old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0, "a new timer does not run");
    check_that(timer_settime(timer, 0, &times, &old) == 0 && old.it_value.tv_sec == 0 && old.it_interval.tv_sec == 0, "it is set");
    check_that(timer_gettime(timer, &old) == 0 && old.it_value.tv_sec >= 99 && old.it_interval.tv_sec == 7 && old.it_interval.tv_nsec == 8, "and tells what is left");
    times.it_value = (struct timespec){ 0, 0 };
    check_that(timer_settime(timer, 0, &times, &old) == 0 && old.it_value.tv_sec >= 99, "timer_settime tells it too");
    check_that(timer_gettime(timer, &old) == 0 && old.it_value.tv_sec == 0 && old.it_interval.tv_sec == 0, "one that is stopped has no interval");
    clock_gettime(CLOCK_MONOTONIC, &times.it_value);
    times.it_value.tv_sec += 50;
    check_that(timer_settime(timer, TIMER_ABSTIME, &times, NULL) == 0 && timer_gettime(timer, &old) == 0 && old.it_value.tv_sec >= 48 && old.it_value.tv_sec <= 50, "TIMER_ABSTIME");
    times = (struct itimerspec){ .it_value = { 0, 1 } };
    timer_settime(timer, TIMER_ABSTIME, &times, NULL);
    for (long long end = now() + 5ll * SECOND; taken == 0 && now() < end;)
        nap(MILLISECOND);
    check_that(taken == 1, "a time that is past: at once");
    timer_delete(timer);
    check_that(timer_create(CLOCK_REALTIME, NULL, &timer) == 0, "on the clock on the wall");
    clock_gettime(CLOCK_REALTIME, &times.it_value);
    times.it_value.tv_sec += 50;
    check_that(timer_settime(timer, TIMER_ABSTIME, &times, NULL) == 0 && timer_gettime(timer, &old) == 0 && old.it_value.tv_sec >= 48 && old.it_value.tv_sec <= 50, "TIMER_ABSTIME there");
    timer_delete(timer);
}

static void
narrow_check(void)
{
    long times[4] = { 3, 4, 100, 6 }, old[4] = { -1, -1, -1, -1 };
    int timer = -1;

    check_that(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer) == 0 && timer >= 0, "the calls with seconds of 32 bits");
    check_that(syscall(SYS_timer_settime32, timer, 0, times, old) == 0 && old[0] == 0 && old[2] == 0, "timer_settime");
    check_that(syscall(SYS_timer_gettime32, timer, old) == 0 && old[0] == 3 && old[1] == 4 && old[2] >= 99 && old[2] <= 100, "timer_gettime");
    syscall(SYS_timer_delete, timer);
}

/* ---- what is refused ---- */

static void
refusal_check(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 };
    struct itimerspec times = { .it_value = { 1, SECOND } };
    int timer = -1;

    check_that(refused(syscall(SYS_timer_create, 99, NULL, &timer), EINVAL), "a clock that does not exist");
    check_that(refused(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer), EINVAL), "a signal that does not exist");
    event = (struct sigevent){ .sigev_notify = 77, .sigev_signo = SIGUSR1 };
    check_that(refused(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer), EINVAL), "a way to tell that does not exist");
    check_that(refused(syscall(SYS_timer_create, CLOCK_MONOTONIC, -4096, &timer), EFAULT), "an event from nowhere");
    check_that(refused(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, -4096), EFAULT), "a number to nowhere");
    check_that(refused(syscall(SYS_timer_gettime64, 1000, &times), EINVAL) && refused(syscall(SYS_timer_getoverrun, 1000), EINVAL)
               && refused(syscall(SYS_timer_delete, 1000), EINVAL), "a timer that does not exist");
    syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer);
    check_that(refused(syscall(SYS_timer_settime64, timer, 0, &times, NULL), EINVAL), "a time with a whole second of nanoseconds");
    check_that(refused(syscall(SYS_timer_settime64, timer, 0, NULL, NULL), EINVAL), "no time");
    check_that(refused(syscall(SYS_timer_settime64, timer, 0, -4096, NULL), EFAULT), "a time from nowhere");
    check_that(refused(syscall(SYS_timer_gettime64, timer, -4096), EFAULT), "a time to nowhere");
    check_that(syscall(SYS_timer_delete, timer) == 0 && refused(syscall(SYS_timer_delete, timer), EINVAL), "a timer is deleted once");
}

/* ---- fork and exec ---- */

static int inherited;

static void
fork_body(void)
{
    _exit(!refused(syscall(SYS_timer_gettime64, inherited, &(struct itimerspec){ 0 }), EINVAL));
}

static void
exec_body(void)
{
    int timer;
    struct itimerspec soon = { .it_value = { 0, 50 * MILLISECOND } };

    syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer);
    syscall(SYS_timer_settime64, timer, 0, &soon, NULL);
    execl("/proc/self/exe", "posix_timers", "sleep", NULL);
    _exit(99);
}

static void
inheritance_check(void)
{
    syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &inherited);
    check_that(check_child(fork_body) == 0, "a child has no timers");
    check_that(check_child(exec_body) == 0, "nor has a new program");
    syscall(SYS_timer_delete, inherited);
}

/* Nobody else has this user number. */
enum { USER = 23456, PLACES = 3 };

/* Each timer has a place among the user's queued signals, whether its own is pending or not. */
static void
places_body(void)
{
    timer_t timers[PLACES + 1];

    setrlimit(RLIMIT_SIGPENDING, &(struct rlimit) { PLACES, PLACES });
    setuid(USER);
    for (int i = 0; i < PLACES; i++)
        check_that(timer_create(CLOCK_MONOTONIC, NULL, &timers[i]) == 0, "RLIMIT_SIGPENDING has a place for timer %d", i);
    check_that(refused(timer_create(CLOCK_MONOTONIC, NULL, &timers[PLACES]), EAGAIN), "for one more it has none: EAGAIN");
    check_that(refused(sigqueue(getpid(), SIGRTMIN, (union sigval) { 0 }), EAGAIN), "nor for another signal");
    check_that(timer_delete(timers[0]) == 0 && timer_create(CLOCK_MONOTONIC, NULL, &timers[0]) == 0, "but for one whose place is free");
}

int
main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "sleep") == 0) {
        nap(120 * MILLISECOND);
        return 0;
    }
    once_check(SIGUSR1, "a standard signal");
    once_check(SIGRTMIN, "a real-time signal");
    interval_check();
    overrun_check(SIGUSR1, 10 * MILLISECOND, "a standard signal");
    overrun_check(SIGRTMIN, 10 * MILLISECOND, "a real-time signal");
    overrun_check(SIGRTMIN, MILLISECOND / 100, "ten microseconds");
    default_check();
    none_check();
    thread_check();
    other_signal_check();
    settings_check();
    narrow_check();
    refusal_check();
    inheritance_check();
    if (geteuid() == 0)
        check_child(places_body);
    else
        check_skip("another user");
    return check_end();
}
