/*
 * Groups that nobody could let go on: they are woken by SIGHUP and SIGCONT when
 * they become orphaned, and do not stop by SIGTSTP any more. And who adopts the
 * child of a process that ends: the nearest ancestor that has said so.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NAP_MILLISECONDS = 50 };

struct seen {
    volatile int stopped, hung_up, continued, survived, decided;
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

/* A grandchild whose parent ends at once; its exit status is whether this process became its parent. Its maker was not to hear of
 * its end, which is another thing for who adopts it: wait finds it. */
static pid_t
grandchild_leave(void)
{
    pid_t self = getpid(), child = fork();

    if (child == 0) {
        if (syscall(SYS_clone, 0, NULL, NULL, NULL, NULL) > 0)
            _exit(0);
        for (int naps = 0; naps < 100 && getppid() != self; naps++)
            nap();
        _exit(getppid() == self ? 3 : 4);
    }
    return child;
}

static void
reaper_run(void)
{
    int set = 0, status;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || prctl(PR_GET_CHILD_SUBREAPER, &set) != 0 || set != 1)
        _exit(1);
    if (waitpid(grandchild_leave(), &status, 0) < 0 || status != 0)
        _exit(2);
    if (wait(&status) < 0)
        _exit(5);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
}

/* A child of a reaper is none itself, and a reaper that ends is passed over. */
static void
reaper_end(void)
{
    int set = 1, status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0) {
        if (prctl(PR_GET_CHILD_SUBREAPER, &set) != 0 || set != 0)
            _exit(1);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            while (getppid() != 1 && getppid() != (pid_t) seen->hung_up)
                nap();
            _exit(7);
        }
        _exit(0);
    }
    seen->hung_up = getpid();
    waitpid(child, &status, 0);
    if (status != 0 || wait(&status) < 0)
        _exit(2);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
}

/* The orphan's parent has a parent that is no reaper, and that lives on. */
static void
reaper_far_run(void)
{
    int status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    seen->hung_up = getpid();
    pid_t child = fork();
    if (child == 0) {
        pid_t middle = fork();
        if (middle == 0) {
            pid_t middle_number = getpid();
            if (fork() > 0)
                _exit(0);
            while (getppid() == middle_number)
                nap();
            bool right = getppid() == seen->hung_up;
            seen->decided = 1;
            _exit(right ? 3 : 4);
        }
        waitpid(middle, NULL, 0);
        for (int naps = 0; naps < 100 && !seen->decided; naps++)
            nap();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    if (wait(&status) < 0)
        _exit(5);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
}

static void
reapers_check(void)
{
    int status = check_child(reaper_run);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 3, "an orphan is adopted by the ancestor that asked for it");
    status = check_child(reaper_far_run);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 3, "and by no nearer one that did not ask");
    status = check_child(reaper_end);
    check_that(WIFEXITED(status) && WEXITSTATUS(status) == 7, "that is not inherited, and who ends adopts nobody");
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
    reapers_check();
    return check_end();
}
