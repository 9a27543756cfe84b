/*
 * Rules of signals that hardly any program needs to know, and that hold all the same: what cannot be blocked, what
 * sending and ignoring throw away, in what order signals are taken, what the older calls leave alone, who may signal
 * whom, and what fork hands on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { SET_BYTES = 8, HIDDEN = 32, ONE = 4242, OTHER = 4243, THIRD = 4244 };    /* HIDDEN: a signal that the C library keeps to itself */

#define BIT(signal) (1ULL << ((signal) - 1))

/* ---- Sets as the kernel has them, all 64 signals ---- */

static uint64_t
mask_set(int how, uint64_t set)
{
    uint64_t old = 0;

    syscall(SYS_rt_sigprocmask, how, &set, &old, SET_BYTES);
    return old;
}

static uint64_t
mask_now(void)
{
    return mask_set(SIG_BLOCK, 0);
}

static uint64_t
pending_now(void)
{
    uint64_t set = 0;

    syscall(SYS_rt_sigpending, &set, SET_BYTES);
    return set;
}

static void
send_self(int signal)
{
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

/* Takes a pending signal of the set: its number, or -1. */
static int
take(uint64_t set, siginfo_t *info)
{
    long at_once[2] = { 0, 0 };

    return (int) syscall(SYS_rt_sigtimedwait, &set, info, at_once, SET_BYTES);
}

/* ---- Blocking ---- */

static void
blocking_check(void)
{
    struct { void (*handler)(int); unsigned long flags; void (*restorer)(void); uint64_t mask; } action = { SIG_IGN, 0, NULL, ~0ULL };
    uint64_t before = mask_set(SIG_SETMASK, ~0ULL), lower = 0;

    check_that(mask_now() == (~0ULL & ~BIT(SIGKILL) & ~BIT(SIGSTOP)), "all signals are blocked but SIGKILL and SIGSTOP");
    syscall(SYS_sigprocmask, SIG_SETMASK, &lower, NULL);
    check_that(mask_now() == (~0ULL << 32), "the older call leaves the upper 32 as they were");
    mask_set(SIG_SETMASK, before);
    syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, SET_BYTES);
    syscall(SYS_rt_sigaction, SIGUSR1, NULL, &action, SET_BYTES);
    check_that((action.mask & (BIT(SIGKILL) | BIT(SIGSTOP))) == 0, "nor can a handler block them");
    signal(SIGUSR1, SIG_DFL);
    check_that(syscall(SYS_rt_sigaction, SIGKILL, &action, (void *) -4096, SET_BYTES) == -1 && errno == EINVAL
               && syscall(SYS_sigaction, SIGSTOP, &action, (void *) -4096) == -1 && errno == EINVAL,
               "a new action for SIGKILL or SIGSTOP is refused before the old one is told: EINVAL");
}

static void
fork_check(void)
{
    mask_set(SIG_BLOCK, BIT(SIGUSR2));
    send_self(SIGUSR2);
    pid_t child = (pid_t) syscall(SYS_fork); /* the C library's would set the child's itself */
    if (child == 0)
        _exit((mask_now() & BIT(SIGUSR2)) == 0 || pending_now() != 0);
    check_that(check_wait(child) == 0, "a child has its parent's blocked signals, and not those that are pending");
    take(BIT(SIGUSR2), NULL);
    mask_set(SIG_UNBLOCK, BIT(SIGUSR2));
}

/* ---- What is thrown away ---- */

static void
discard_check(void)
{
    mask_set(SIG_BLOCK, BIT(SIGTSTP) | BIT(SIGCONT) | BIT(SIGCHLD) | BIT(SIGTTIN));
    send_self(SIGTSTP);
    send_self(SIGTTIN);
    check_that((pending_now() & (BIT(SIGTSTP) | BIT(SIGTTIN))) == (BIT(SIGTSTP) | BIT(SIGTTIN)), "stop signals are pending");
    send_self(SIGCONT);
    check_that(pending_now() == BIT(SIGCONT), "SIGCONT throws them away");
    send_self(SIGTSTP);
    check_that(pending_now() == BIT(SIGTSTP), "and a stop signal throws SIGCONT away");
    send_self(SIGCONT);
    take(BIT(SIGCONT), NULL);
    send_self(SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    check_that(pending_now() == 0, "setting SIGCHLD to its default, which ignores it, throws away what is pending");
    mask_set(SIG_UNBLOCK, BIT(SIGTSTP) | BIT(SIGCONT) | BIT(SIGCHLD) | BIT(SIGTTIN));
}

/* ---- Order ---- */

static int order[4];
static volatile int taken;

static void
note(int signal)
{
    order[taken++ % 4] = signal;
}

static void
order_check(void)
{
    siginfo_t info;

    signal(SIGUSR1, note);
    signal(SIGSEGV, note);
    mask_set(SIG_BLOCK, BIT(SIGUSR1) | BIT(SIGSEGV) | BIT(HIDDEN));
    send_self(SIGUSR1);
    send_self(SIGSEGV);
    mask_set(SIG_UNBLOCK, BIT(SIGUSR1) | BIT(SIGSEGV));
    check_that(taken == 2 && order[0] == SIGUSR1 && order[1] == SIGSEGV,
               "a fault is taken before other signals, so that its handler is interrupted by theirs");
    send_self(HIDDEN);
    send_self(HIDDEN);
    check_that(take(BIT(HIDDEN), &info) == HIDDEN && take(BIT(HIDDEN), &info) == HIDDEN && take(BIT(HIDDEN), &info) == -1,
               "signal 32 is queued like any real-time signal");
    mask_set(SIG_UNBLOCK, BIT(HIDDEN));
    signal(SIGUSR1, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
}

/* ---- Calls ---- */

static void
calls_check(void)
{
    struct itimerval soon = { { 0, 0 }, { 0, 20000 } };
    struct sigaction action;
    uint64_t set = BIT(SIGUSR2);
    long seconds[2] = { 5, 0 };

    syscall(SYS_signal, SIGUSR1, note);
    sigaction(SIGUSR1, NULL, &action);
    check_that((action.sa_flags & (SA_RESETHAND | SA_NODEFER)) == (SA_RESETHAND | SA_NODEFER),
               "the older signal() is for once, and does not block");
    signal(SIGALRM, note);
    setitimer(ITIMER_REAL, &soon, NULL);
    check_that(syscall(SYS_rt_sigtimedwait, &set, NULL, seconds, SET_BYTES) == -1 && errno == EINTR,
               "sigtimedwait ends with EINTR for a signal of no interest");
    signal(SIGALRM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
}

static void
how_check(void)
{
    uint64_t set = 0;

    for (int how = -1; how <= SIG_SETMASK + 1; how += SIG_SETMASK + 2)
        check_that(syscall(SYS_rt_sigprocmask, how, &set, NULL, SET_BYTES) == -1 && errno == EINVAL
                   && syscall(SYS_rt_sigprocmask, how, NULL, &set, SET_BYTES) == 0, "to block in way %d is EINVAL, unless there is nothing to block", how);
}

/* To another process nobody may say that the kernel sent it, or kill; that comes before all else, but for the address. */
static void
queue_check(void)
{
    siginfo_t info = { .si_code = SI_USER };
    pid_t child = check_fork_standing_by();

    if (child == 0)
        check_stand_by();
    check_that(syscall(SYS_rt_sigqueueinfo, child, 0, &info) == -1 && errno == EPERM
               && syscall(SYS_rt_tgsigqueueinfo, child, child, 0, &info) == -1 && errno == EPERM, "a signal that says kill sent it: EPERM");
    check_that(syscall(SYS_rt_sigqueueinfo, child, 0, 16) == -1 && errno == EFAULT
               && syscall(SYS_rt_tgsigqueueinfo, child, child, 0, 16) == -1 && errno == EFAULT, "one that says nothing: EFAULT");
    info.si_code = SI_QUEUE;
    check_that(syscall(SYS_rt_sigqueueinfo, child, 0, &info) == 0
               && syscall(SYS_rt_tgsigqueueinfo, child, child, 0, &info) == 0, "as sigqueue says it, it is sent");
    kill(child, SIGKILL);
    check_wait(child);
}

/* ---- Waiting for signals ---- */

static void
stop_awaited_body(void)
{
    uint64_t set = BIT(SIGSTOP) | BIT(SIGKILL);
    long seconds[2] = { 1, 0 };

    syscall(SYS_rt_sigtimedwait, &set, NULL, seconds, SET_BYTES);
}

static void
urgent_awaited_body(void)
{
    uint64_t set = BIT(SIGURG);
    long nanoseconds[2] = { 0, 100000000 };

    _exit(syscall(SYS_rt_sigtimedwait, &set, NULL, nanoseconds, SET_BYTES) != -1 || errno != EAGAIN);
}

/* A child that waits for a signal when it is sent. */
static pid_t
waiting_child(void (*body)(void))
{
    pid_t child = check_fork();

    if (child == 0) {
        body();
        _exit(0);
    }
    usleep(20000);
    return child;
}

static void
awaited_check(void)
{
    int status;
    pid_t child = waiting_child(stop_awaited_body);

    kill(child, SIGSTOP);
    check_that(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "who waits for SIGSTOP is stopped by it");
    kill(child, SIGKILL);
    check_wait(child);
    child = waiting_child(urgent_awaited_body);
    kill(child, SIGURG);
    check_that(check_wait(child) == 0, "a signal that is ignored is not seen by who waits for it without having blocked it");
}

/* To a process that is stopped, so that both are there when it goes on. */
static void
kill_check(void)
{
    int status;
    pid_t child = waiting_child(stop_awaited_body);

    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    kill(child, SIGSEGV);
    kill(child, SIGKILL);
    check_that(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL comes before all others");
}

/* Its first thread is there until it has been waited for. */
static void
ended_check(void)
{
    pid_t child = check_fork();
    siginfo_t info;

    if (child == 0)
        _exit(0);
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    check_that(kill(child, SIGTERM) == 0 && syscall(SYS_tkill, child, SIGTERM) == 0 && syscall(SYS_tgkill, child, child, SIGTERM) == 0,
               "one that has ended can be sent a signal");
    check_that(refused(syscall(SYS_tgkill, getpid(), child, 0), ESRCH) && refused(syscall(SYS_tkill, child, 65), EINVAL),
               "if there is such a signal, by the numbers that it has");
    check_that(check_wait(child) == 0 && refused(syscall(SYS_tkill, child, 0), ESRCH), "until it has been waited for: ESRCH");
}

/* ---- Permission ---- */

/* A child with these ids that waits to be killed; `group` 0: it begins one. It is ready when it is in its group. */
static pid_t
target_start(unsigned real, unsigned effective, unsigned saved, pid_t group)
{
    pid_t child = check_fork_standing_by();

    if (child != 0)
        return child;
    setpgid(0, group);
    setresuid(real, effective, saved);
    check_stand_by();
}

static void
target_end(pid_t target)
{
    kill(target, SIGKILL);
    waitpid(target, NULL, 0);
}

/* What a call in a child of these users comes to: 0 or errno; -1 if it dies of it. */
static int
as_users(unsigned real, unsigned effective, long (*attempt)(pid_t target), pid_t target)
{
    pid_t child = check_fork();

    if (child == 0) {
        setresuid(real, effective, effective);
        _exit(attempt(target) == 0 ? 0 : errno);
    }
    int status = check_wait(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
as_user(long (*attempt)(pid_t target), pid_t target)
{
    return as_users(ONE, ONE, attempt, target);
}

static long kill_attempt(pid_t target) { return kill(target, 0); }
static long group_attempt(pid_t target) { return kill(-target, 0); }
static long tkill_attempt(pid_t target) { return syscall(SYS_tkill, target, 0); }
static long continue_attempt(pid_t target) { return kill(target, SIGCONT); }
static long tgkill_attempt(pid_t target) { return syscall(SYS_tgkill, target, target, 0); }

/* All that user ONE may signal is a child; the caller itself is not meant. */
static long
everybody_attempt(pid_t target)
{
    bool spared = kill(-1, SIGUSR1) == 0;   /* or the caller would have died of it */

    (void) target;
    return spared ? 0 : -1;
}

static void
permission_check(void)
{
    static const struct { unsigned real, effective, saved; int expected; const char *what; } rows[] = {
        { ONE, ONE, ONE, 0, "a process of the same user" },
        { ONE, OTHER, OTHER, 0, "one whose real user it is" },
        { OTHER, OTHER, ONE, 0, "one whose saved user it is" },
        { OTHER, ONE, OTHER, EPERM, "not one whose effective user it is only" },
        { OTHER, OTHER, OTHER, EPERM, "nor one of another user" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pid_t target = target_start(rows[i].real, rows[i].effective, rows[i].saved, 0);
        int result = as_user(kill_attempt, target);

        check_that(result == rows[i].expected && as_user(tkill_attempt, target) == result && as_user(tgkill_attempt, target) == result,
                   "kill, tkill and tgkill reach %s", rows[i].what);
        target_end(target);
    }
}

/* SIGCONT, and nothing else, reaches all of a session; the target's own group is no other session. */
static void
continue_check(void)
{
    pid_t near = target_start(OTHER, OTHER, OTHER, 0), far = check_fork_standing_by();

    if (far == 0) {
        setsid();
        setresuid(OTHER, OTHER, OTHER);
        check_stand_by();
    }
    check_that(as_user(kill_attempt, near) == EPERM && as_user(continue_attempt, near) == 0, "SIGCONT reaches another user's process of the session");
    check_that(as_user(continue_attempt, far) == EPERM, "and none of another session");
    target_end(near);
    target_end(far);
}

/* Of a sender that has two users, both count. */
static void
sender_check(void)
{
    for (int i = 0; i < 2; i++) {
        pid_t target = target_start(i == 0 ? ONE : OTHER, OTHER, i == 0 ? OTHER : ONE, 0);

        check_that(as_users(ONE, THIRD, kill_attempt, target) == 0, "the sender's real user may be the target's %s", i == 0 ? "real" : "saved");
        check_that(as_users(THIRD, ONE, kill_attempt, target) == 0, "and so may the sender's effective user");
        target_end(target);
    }
}

static void
many_check(void)
{
    pid_t own = target_start(ONE, ONE, ONE, 0), foreign = target_start(OTHER, OTHER, OTHER, own);
    int status;

    check_that(as_user(group_attempt, own) == 0, "a group is signalled if one of it may be, the first");
    target_end(own);
    check_that(as_user(group_attempt, own) == EPERM, "and not if none may be");
    own = target_start(ONE, ONE, ONE, own);
    check_that(as_user(group_attempt, getpgid(own)) == 0, "or the last");
    check_that(as_user(everybody_attempt, 0) == 0, "kill of all spares the caller");
    check_that(waitpid(own, &status, 0) == own && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1, "but not another of its user's");
    check_that(waitpid(foreign, &status, WNOHANG) == 0, "and spares another user's");
    target_end(foreign);
}

static void
sender_body(void)
{
    siginfo_t info;

    setresuid(ONE, ONE, ONE);
    mask_set(SIG_BLOCK, BIT(SIGUSR1));
    kill(getpid(), SIGUSR1);
    _exit(take(BIT(SIGUSR1), &info) != SIGUSR1 || info.si_uid != ONE || info.si_pid != getpid());
}

int
main(void)
{
    blocking_check();
    fork_check();
    discard_check();
    order_check();
    calls_check();
    how_check();
    queue_check();
    awaited_check();
    kill_check();
    ended_check();
    if (geteuid() != 0) {
        check_skip("other users");
        return check_end();
    }
    permission_check();
    continue_check();
    sender_check();
    many_check();
    check_that(check_child(sender_body) == 0, "a signal says which user sent it");
    return check_end();
}
