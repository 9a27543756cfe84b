/*
 * Waiting: the status says how a child ended; which child is meant by the argument;
 * without a child, ECHILD; orphans go to process 1; stopped and continued children.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { NAP_MICROSECONDS = 20000, CHILDREN = 5 };

static void exit_zero(void) { _exit(0); }
static void exit_high(void) { _exit(0x1ff); }
static void exit_three(void) { exit(3); }
static void end_abort(void) { abort(); }
static void end_kill(void) { raise(SIGKILL); }
static void end_unused_signal(void) { raise(SIGRTMIN); }

static void
status_check(void)
{
    check_that(check_child(exit_zero) == 0, "exit 0");
    check_that(check_child(exit_high) == 0xff00, "of an exit status eight bits count");
    check_that(check_child(exit_three) == 0x300, "exit 3");
    check_that((check_child(end_abort) & 0x7f) == SIGABRT, "abort");
    check_that(check_child(end_kill) == SIGKILL, "SIGKILL");
    check_that((check_child(end_unused_signal) & 0x7f) == SIGRTMIN, "a real-time signal");
}

static pid_t
child_napping(int exit_status)
{
    pid_t child = check_fork();
    if (child == 0) {
        usleep(NAP_MICROSECONDS);
        _exit(exit_status);
    }
    return child;
}

static void
choice_check(void)
{
    int status;

    check_that(wait(&status) == -1 && errno == ECHILD, "no child: ECHILD");
    pid_t first = child_napping(1), second = child_napping(2);
    check_that(waitpid(first, &status, WNOHANG) == 0, "WNOHANG does not wait");
    check_that(waitpid(second, &status, 0) == second && WEXITSTATUS(status) == 2, "a certain child");
    check_that(waitpid(-1, &status, 0) == first && WEXITSTATUS(status) == 1, "any child");
    check_that(waitpid(first, &status, 0) == -1 && errno == ECHILD, "each child is waited for once");
    check_that(waitpid(1, &status, 0) == -1 && errno == ECHILD, "another's child: ECHILD");
    check_that(waitpid(-1, &status, 0x1000) == -1 && errno == EINVAL, "unknown options: EINVAL");
    pid_t grouped = child_napping(4);
    check_that(waitpid(0, &status, 0) == grouped, "a child of one's own group");
}

static void
many_check(void)
{
    int sum = 0, status;

    for (int i = 0; i < CHILDREN; i++)
        child_napping(i);
    for (int i = 0; i < CHILDREN; i++)
        sum += wait(&status) > 0 ? WEXITSTATUS(status) : 100;
    check_that(sum == CHILDREN * (CHILDREN - 1) / 2, "%d children, each once", CHILDREN);
    check_that(wait(&status) == -1 && errno == ECHILD, "then none");
}

static void
usage_check(void)
{
    struct rusage usage = { .ru_minflt = -1 };
    int status;

    pid_t child = child_napping(0);
    check_that(wait4(child, &status, 0, &usage) == child && usage.ru_minflt >= 0, "wait4 tells what it used");
}

static void
information_check(void)
{
    siginfo_t information = { .si_pid = 0 };
    pid_t child = child_napping(9);

    if (waitid(P_PID, child, &information, WEXITED | WNOWAIT) == -1 && errno == ENOSYS) {
        check_skip("waitid");
        check_wait(child);
        return;
    }
    check_that(information.si_pid == child && information.si_code == CLD_EXITED && information.si_status == 9,
               "waitid tells who and how");
    check_that(check_wait(child) == 0x900, "with WNOWAIT it leaves the child");
}

/* The grandchild tells through a pipe who its parent is when its first one has gone. */
static void
orphan_check(void)
{
    pid_t parent = 0;
    int ends[2];

    pipe(ends);
    pid_t child = check_fork();
    if (child == 0) {
        pid_t first_parent = getpid();
        if (check_fork() == 0) {
            while ((parent = getppid()) == first_parent)
                usleep(1000);
            _exit(write(ends[1], &parent, sizeof parent) != sizeof parent);
        }
        _exit(EXIT_SUCCESS);
    }
    check_wait(child);
    check_that(read(ends[0], &parent, sizeof parent) == sizeof parent, "an orphan lives");
    check_that(parent != 0 && parent != child, "and has a new parent, %d", parent);
    /* If that is this process (as init), it must be waited for here. */
    if (parent == getpid())
        wait(NULL);
    close(ends[0]);
    close(ends[1]);
}

static void
stop_check(void)
{
    int status;
    pid_t child = child_napping(6);

    kill(child, SIGSTOP);
    if (waitpid(child, &status, WUNTRACED) != child || WIFEXITED(status)) {
        check_skip("stopped children");
        return;
    }
    check_that(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "a stopped child");
    kill(child, SIGCONT);
    check_that(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status), "a continued child");
    check_that(check_wait(child) == 0x600, "that exits in the end");
}

static void
ignored_check(void)
{
    int status;

    signal(SIGCHLD, SIG_IGN);
    child_napping(0);
    check_that(wait(&status) == -1 && errno == ECHILD, "with SIGCHLD ignored, nobody waits for a child");
    signal(SIGCHLD, SIG_DFL);
}

static void
descriptor_check(void)
{
    siginfo_t info;

    check_that(waitid(P_PIDFD, 0, &info, WEXITED) == -1 && errno == EBADF, "a descriptor that stands for no process: EBADF");
    check_that(waitid(P_PIDFD, -1, &info, WEXITED) == -1 && errno == EINVAL, "what is no descriptor: EINVAL");
    check_that(waitid(4, 0, &info, WEXITED) == -1 && errno == EINVAL, "there is no fifth way to choose: EINVAL");
}

int
main(void)
{
    status_check();
    choice_check();
    many_check();
    usage_check();
    information_check();
    orphan_check();
    stop_check();
    ignored_check();
    descriptor_check();
    return check_end();
}
