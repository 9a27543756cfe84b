/*
 * Groups that nobody could let go on: they are woken by SIGHUP and SIGCONT when
 * they become orphaned, and do not stop by SIGTSTP any more.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NAP_MILLISECONDS = 50 };

struct seen {
    volatile int stopped, hung_up, continued, survived;
};

static struct seen *seen;

static void
nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = NAP_MILLISECONDS * 1000000L }, NULL);
}

static void
note(int signal)
{
    if (signal == SIGHUP)
        seen->hung_up = 1;
    else
        seen->continued = 1;
}

/* A member of a group of its own that stops. */
static _Noreturn void
member_run(void)
{
    signal(SIGHUP, note);
    signal(SIGCONT, note);
    setpgid(0, 0);
    raise(SIGSTOP);
    nap();
    raise(SIGTSTP);
    seen->survived = 1;
    _exit(0);
}

/* The leader of a session, which has a stopped child in another group and then goes. */
static void
leader_run(void)
{
    int status;

    setsid();
    pid_t member = fork();
    if (member == 0)
        member_run();
    seen->stopped = waitpid(member, &status, WUNTRACED) == member && WIFSTOPPED(status);
}

static void
stop_unless_orphaned(void)
{
    setsid();
    raise(SIGTSTP);
    raise(SIGTTIN);
    raise(SIGTTOU);
}

static void
stop_watched(void)
{
    int status;

    setsid();
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        raise(SIGTSTP);
        _exit(0);
    }
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTSTP)
        _exit(1);
    kill(child, SIGCONT);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        _exit(2);
}

int
main(void)
{
    seen = check_shared(sizeof *seen);
    int status = check_child(stop_unless_orphaned);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the terminal's stop signals do not stop an orphaned group");
    status = check_child(stop_watched);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 0, "but one that a parent in the session watches");
    status = check_child(leader_run);
    check_that(WIFEXITED(status) && seen->stopped, "a group stops, and its only watcher ends");
    for (int naps = 0; naps < 100 && !seen->survived; naps++)
        nap();
    check_that(seen->hung_up && seen->continued, "the orphaned group is sent SIGHUP and SIGCONT");
    check_that(seen->survived, "and cannot be stopped from the terminal");
    return check_end();
}
