/*
 * What is special about process 1: no signal that it has no handler for does anything to it, whoever sends it and
 * however it comes; and it has no siblings. Here the test itself is process 1; elsewhere there is nothing to check.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NAP_MILLISECONDS = 60 };

static int number;

static void
send_body(void)
{
    nanosleep(&(struct timespec) { .tv_nsec = NAP_MILLISECONDS / 3 * 1000000 }, NULL);
    kill(getppid(), number);
}

/* A nap that a signal interrupts ends with EINTR, even where the signal does nothing. */
static void
nap_check(const char *name)
{
    pid_t child = check_fork();

    if (child == 0) {
        send_body();
        _exit(0);
    }
    check_that(nanosleep(&(struct timespec) { .tv_nsec = NAP_MILLISECONDS * 1000000 }, NULL) == 0, "it sleeps on when it is sent %s", name);
    check_wait(child);
}

/* What is pending has to be dropped when it is taken. */
static void
pending_check(void)
{
    static const int signals[] = { SIGTERM, SIGSEGV, SIGTSTP, 64 };
    sigset_t set;

    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        kill(getpid(), signals[i]);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigpending(&set);
    check_that(sigismember(&set, SIGTERM) == 0 && sigismember(&set, 64) == 0, "signals that it had blocked do nothing when it takes them");
}

static volatile sig_atomic_t taken;

static void
note(int signal)
{
    taken = signal;
}

int
main(void)
{
    static const struct { int number; const char *name; } rows[] = {
        { SIGTERM, "SIGTERM" }, { SIGKILL, "SIGKILL" }, { SIGSTOP, "SIGSTOP" }, { SIGTSTP, "SIGTSTP" }, { SIGSEGV, "SIGSEGV" },
    };

    if (getpid() != 1) {
        check_skip("not process 1");
        return check_end();
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        number = rows[i].number;
        nap_check(rows[i].name);
    }
    pending_check();
    signal(SIGTERM, note);
    check_that(refused(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL), "it has no siblings, for whom nobody would wait: EINVAL");
    kill(getpid(), SIGTERM);
    check_that(taken == SIGTERM, "it handles what it has a handler for");
    return check_end();
}
