/*
 * Signals in a process with threads: to one thread, to any that does not block them, taken by sigwait, put off and handed
 * on; faults; stopping and going on together; kill.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/thread.h"

enum { TEAM = 4, PAGE = 4096 };

static volatile pid_t handled_by;
static volatile int handled;
static volatile pid_t numbers[TEAM];
static volatile bool over;

static pid_t
number(void)
{
    return (pid_t) syscall(SYS_gettid);
}

static void
note_handler(int signal)
{
    (void) signal;
    handled_by = number();
    handled++;
}

static void
block(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(how, &set, NULL);
}

/* Waits, letting signals in, until it is over. */
static void *
idle(void *place)
{
    numbers[(long) place] = number();
    while (!over)
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return NULL;
}

static void
wait_for_handler(int times)
{
    for (int i = 0; i < 100 && handled < times; i++)
        thread_nap();
}

/* ---- To one, and to all ---- */

static void
direct_check(void)
{
    pthread_t threads[TEAM];
    int right = 0;

    signal(SIGUSR1, note_handler);
    over = false;
    for (long i = 0; i < TEAM; i++)
        threads[i] = thread_start(idle, (void *) i);
    thread_nap();
    for (int i = 0; i < TEAM; i++) {
        handled = 0;
        pthread_kill(threads[i], SIGUSR1);
        wait_for_handler(1);
        right += handled == 1 && handled_by == numbers[i];
    }
    check_that(right == TEAM, "a signal to a thread is handled by that thread");
    check_that(syscall(SYS_tgkill, getpid(), numbers[1], 0) == 0, "tgkill finds a thread in its process");
    check_that(syscall(SYS_tgkill, getppid() + 30000, numbers[1], 0) == -1 && errno == ESRCH, "but not in another");
    block(SIG_BLOCK, SIGUSR1);
    handled = 0;
    kill(getpid(), SIGUSR1);
    wait_for_handler(1);
    check_that(handled == 1 && handled_by != getpid(), "a signal to the process goes to a thread that does not block it");
    over = true;
    for (int i = 0; i < TEAM; i++) {
        pthread_kill(threads[i], SIGUSR1);
        pthread_join(threads[i], NULL);
    }
    block(SIG_UNBLOCK, SIGUSR1);
}

/* ---- Taken by sigwait ---- */

static void *
take_signal(void *unused)
{
    sigset_t set;
    int taken = 0;

    (void) unused;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigwait(&set, &taken);
    return (void *) (long) taken;
}

static void
sigwait_check(void)
{
    pthread_t taker;
    void *taken;

    block(SIG_BLOCK, SIGUSR2);
    taker = thread_start(take_signal, NULL);
    thread_nap();
    kill(getpid(), SIGUSR2);
    pthread_join(taker, &taken);
    check_that(taken == (void *) SIGUSR2, "a thread in sigwait takes a signal to the process");
    block(SIG_UNBLOCK, SIGUSR2);
}

/* ---- Put off ---- */

static void *
unblock_late(void *unused)
{
    thread_nap();
    thread_nap();
    block(SIG_UNBLOCK, SIGUSR1);
    thread_nap();
    return unused;
}

static void
pending_check(void)
{
    pthread_t thread;
    sigset_t set;

    block(SIG_BLOCK, SIGUSR1);
    thread = thread_start(unblock_late, NULL);
    handled = 0;
    kill(getpid(), SIGUSR1);
    sigpending(&set);
    check_that(handled == 0 && sigismember(&set, SIGUSR1), "blocked by all, it is pending");
    pthread_join(thread, NULL);
    check_that(handled == 1 && handled_by != getpid(), "the first that lets it in handles it");
    block(SIG_UNBLOCK, SIGUSR1);
}

static void
order_check(void)
{
    sigset_t both;
    int first = 0, second = 0;

    block(SIG_BLOCK, SIGUSR1);
    block(SIG_BLOCK, SIGUSR2);
    kill(getpid(), SIGUSR1);
    raise(SIGUSR2);
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    sigwait(&both, &first);
    sigwait(&both, &second);
    check_that(first == SIGUSR2 && second == SIGUSR1, "a thread takes what came for it before what came for its process");
    block(SIG_UNBLOCK, SIGUSR1);
    block(SIG_UNBLOCK, SIGUSR2);
}

static volatile bool handed_on, in_time, waited;

static void
note_handing_on(int signal)
{
    (void) signal;
    handed_on = true;
}

/* Does not end before another thread has taken the other signal; but not without end. */
static void
wait_for_the_other(int signal)
{
    (void) signal;
    for (int i = 0; i < 500 && !handed_on; i++)
        thread_nap();
    in_time = handed_on;
    waited = true;
}

/* Wakes for signals only. */
static void *
pause_until_over(void *unused)
{
    while (!over)
        pause();
    return unused;
}

/* Rule: a signal that came for a thread, and that its handler for another one blocks, is taken by a thread that lets it in,
 * whichever of the two threads the first one came to. */
static void
handler_mask_check(void)
{
    struct sigaction action = { .sa_handler = wait_for_the_other, .sa_flags = SA_RESTART };
    pthread_t thread;
    pid_t child;

    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, note_handing_on);
    over = false;
    thread = thread_start(pause_until_over, NULL);
    child = check_fork();
    if (child == 0) {
        thread_nap();
        kill(getppid(), SIGUSR1);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    check_wait(child);
    while (!waited)
        thread_nap();
    check_that(in_time, "what a handler keeps from its thread is another's");
    over = true;
    signal(SIGUSR1, note_handler);
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
}

/* ---- Faults ---- */

static volatile char *bad_page;
static volatile pid_t fault_thread;

static void
mend(int signal, siginfo_t *info, void *context)
{
    (void) signal;
    (void) context;
    fault_thread = number();
    if (info->si_addr == bad_page)
        mprotect((void *) bad_page, PAGE, PROT_READ | PROT_WRITE);
    else
        _exit(EXIT_FAILURE);
}

static void *
touch_bad_page(void *unused)
{
    (void) unused;
    *bad_page = 1;
    return (void *) (long) number();
}

static void
fault_check(void)
{
    struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
    void *toucher;

    sigaction(SIGSEGV, &action, NULL);
    bad_page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_join(thread_start(touch_bad_page, NULL), &toucher);
    check_that(fault_thread == (pid_t) (long) toucher, "a fault is handled by the thread that made it");
    signal(SIGSEGV, SIG_DFL);
}

/* ---- Stop, go on, kill ---- */

struct counts {
    volatile int counter[TEAM];
};

static struct counts *counts;

static void *
count_up(void *place)
{
    for (;;) {
        counts->counter[(long) place]++;
        sched_yield();
    }
    return NULL;
}

static void
body_count(void)
{
    for (long i = 1; i < TEAM; i++)
        thread_start(count_up, (void *) i);
    thread_start(idle, (void *) 0);
    count_up((void *) 0);
}

static bool
counts_move(void)
{
    struct counts before = *counts;
    bool moves = false;

    thread_nap();
    for (int i = 0; i < TEAM; i++)
        moves |= counts->counter[i] != before.counter[i];
    return moves;
}

static void
stop_check(void)
{
    pid_t child;
    int status;

    counts = check_shared(sizeof(*counts));
    over = false;
    child = check_fork();
    if (child == 0)
        body_count();
    while (counts->counter[TEAM - 1] == 0)
        sched_yield();
    kill(child, SIGSTOP);
    check_that(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "the parent hears of the stop, once all have stopped");
    check_that(!counts_move(), "no thread runs");
    check_that(waitpid(child, &status, WUNTRACED | WNOHANG) == 0, "and hears of it once");
    kill(child, SIGCONT);
    check_that(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status), "it hears that the process goes on");
    check_that(counts_move(), "the threads run");
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    check_that(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a stopped process is killed");
}

/* ---- A signal for a thread that ends before it could act ---- */

static void *
end_soon(void *unused)
{
    thread_nap();
    return unused;
}

static void
handing_on_check(void)
{
    int lost = 0;

    for (int i = 0; i < 10; i++) {
        pthread_t thread = thread_start(end_soon, NULL);

        handled = 0;
        kill(getpid(), SIGUSR1);
        wait_for_handler(1);
        lost += handled != 1;
        pthread_join(thread, NULL);
    }
    check_that(lost == 0, "no signal is lost with a thread");
}

int
main(void)
{
    direct_check();
    sigwait_check();
    pending_check();
    order_check();
    handler_mask_check();
    fault_check();
    stop_check();
    handing_on_check();
    return check_end();
}
