/*
 * What prctl remembers of a process: the signal at its parent's end, whether it may be
 * dumped, that it gains nothing by set-user-id; and what of that fork and exec keep.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

#define COPY "/tmp/prctl_copy"

enum { NOBODY = 65534, KEPT = 1, LOST = 2 };

static bool
option_refused(int option, unsigned long argument, unsigned long third)
{
    return prctl(option, argument, third, 0, 0) == -1 && errno == EINVAL;
}

static int
parent_end_signal(void)
{
    int signal = -1;

    prctl(PR_GET_PDEATHSIG, &signal);
    return signal;
}

/* ---- The signal at the parent's end ---- */

/* A child whose parent ends at once says what it was sent, and by whom, through a pipe. */
static void
orphan_run(int told, int ready, pid_t parent)
{
    sigset_t awaited;
    siginfo_t info;
    char answer = 'n';

    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    write(ready, "r", 1);
    if (sigwaitinfo(&awaited, &info) == SIGUSR1 && info.si_code == SI_USER && info.si_pid == parent)
        answer = 'y';
    write(told, &answer, 1);
    _exit(0);
}

static void
parent_end_check(void)
{
    int told[2], ready[2];
    char answer = 0;

    check_that(parent_end_signal() == 0, "nothing is sent at the parent's end, to begin with");
    check_that(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0 && parent_end_signal() == SIGUSR2, "a signal can be asked for");
    check_that(option_refused(PR_SET_PDEATHSIG, 65, 0) && parent_end_signal() == SIGUSR2, "65 is none: EINVAL");
    pid_t child = check_fork();
    if (child == 0)
        _exit(parent_end_signal());
    check_that(check_wait(child) == 0, "a child begins without");
    check_that(prctl(PR_SET_PDEATHSIG, 0) == 0 && parent_end_signal() == 0, "0 takes it back");

    pipe(told);
    pipe(ready);
    child = check_fork();
    if (child == 0) {
        pid_t own = getpid();
        if (fork() == 0)
            orphan_run(told[1], ready[1], own);
        read(ready[0], &answer, 1);
        _exit(0);
    }
    check_wait(child);
    close(told[1]);
    check_that(read(told[0], &answer, 1) == 1 && answer == 'y', "it is sent when the parent ends, in the parent's name");
}

/* ---- What exec and fork keep ---- */

static bool
copy_make(void)
{
    static char bytes[4096];
    int from = open("/proc/self/exe", O_RDONLY), to = open(COPY, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    ssize_t count;

    while ((count = read(from, bytes, sizeof bytes)) > 0)
        write(to, bytes, count);
    return close(from) == 0 && close(to) == 0;
}

static int
remembered(void)
{
    return (prctl(PR_GET_DUMPABLE) == 1 ? LOST : 0) | (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? KEPT : 0);
}

/* This program again, as a file with this mode that is root's, run by nobody: the status it ends with. */
static int
run_again(const char *what, mode_t mode, bool restrained)
{
    pid_t child = check_fork();

    if (child == 0) {
        chmod(COPY, mode);
        prctl(PR_SET_DUMPABLE, 0);
        prctl(PR_SET_KEEPCAPS, 1);
        if (restrained)
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (mode & S_ISUID)
            setuid(NOBODY);
        execl(COPY, COPY, what, NULL);
        _exit(99);
    }
    return WEXITSTATUS(check_wait(child));
}

static void
dumpable_check(void)
{
    check_that(prctl(PR_GET_DUMPABLE) == 1, "a process may be dumped");
    check_that(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0, "it can refuse that");
    check_that(option_refused(PR_SET_DUMPABLE, 3, 0), "or 1, nothing else: EINVAL");
    pid_t child = check_fork();
    if (child == 0)
        _exit(prctl(PR_GET_DUMPABLE));
    check_that(check_wait(child) == 0, "its child refuses too");
    prctl(PR_SET_DUMPABLE, 1);
}

static void
privileges_check(void)
{
    check_that(option_refused(PR_SET_NO_NEW_PRIVS, 0, 0) && option_refused(PR_SET_NO_NEW_PRIVS, 1, 1)
                   && option_refused(PR_GET_NO_NEW_PRIVS, 1, 0),
               "privileges cannot be had back, and other arguments are 0: EINVAL");
    check_that(run_again("remembered", 0755, false) == LOST, "after exec a process may be dumped again");
    check_that(run_again("remembered", 0755, true) == (KEPT | LOST), "but gains no privileges still");
    check_that(run_again("user", 04755, false) == 0, "set-user-id makes root of nobody");
    check_that(run_again("user", 04755, true) == 1, "not of one that gains no privileges");
}

static void
slack_check(void)
{
    int first = prctl(PR_GET_TIMERSLACK);

    check_that(first > 0 && prctl(PR_SET_TIMERSLACK, 7) == 0 && prctl(PR_GET_TIMERSLACK) == 7, "a thread remembers its timer slack");
    pid_t child = check_fork();
    if (child == 0)
        _exit(prctl(PR_SET_TIMERSLACK, 8) != 0 || prctl(PR_SET_TIMERSLACK, 0) != 0 || prctl(PR_GET_TIMERSLACK) != 7);
    check_that(check_wait(child) == 0, "a child's goes back to what it began with");
    check_that(prctl(PR_SET_TIMERSLACK, 0) == 0 && prctl(PR_GET_TIMERSLACK) == first, "and its parent's");
}

static void
constant_check(void)
{
    int tsc = 0;

    check_that(prctl(PR_CAPBSET_READ, 0) == 1 && option_refused(PR_CAPBSET_READ, 64, 0), "all capabilities that there are can be had");
    check_that(prctl(PR_GET_SECUREBITS) == 0 && prctl(PR_GET_SECCOMP) == 0, "nothing is forbidden");
    check_that(prctl(PR_GET_TSC, &tsc) == 0 && tsc == PR_TSC_ENABLE, "the counter of cycles can be read");
    check_that(prctl(PR_GET_TIMING) == PR_TIMING_STATISTICAL && prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL) == 0
               && option_refused(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0), "time is counted by the tick");
    check_that(option_refused(0, 0, 0) && option_refused(-1, 0, 0), "there is no option 0, nor -1: EINVAL");
}

/* ---- Capabilities of one that ceases to be root ---- */

static bool
may_have_capabilities(void)
{
    struct { unsigned version; int process; } header = {0x20080522, 0};
    struct { unsigned effective, permitted, inheritable; } sets[2];

    return syscall(SYS_capget, &header, sets) == 0 && sets[0].permitted != 0;
}

/* Whether one that becomes nobody, having asked to keep capabilities or not, may have some then. */
static bool
kept(bool keep)
{
    pid_t child = check_fork();

    if (child == 0) {
        prctl(PR_SET_KEEPCAPS, keep);
        if (setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(99);
        _exit(may_have_capabilities() ? KEPT : LOST);
    }
    return WEXITSTATUS(check_wait(child)) == KEPT;
}

static void
capabilities_check(void)
{
    int word = 0, mine;

    check_that(prctl(PR_GET_KEEPCAPS) == 0 && !kept(false), "who ceases to be root loses its capabilities");
    check_that(kept(true), "PR_SET_KEEPCAPS keeps them");
    check_that(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1 && prctl(PR_GET_SECUREBITS) == 1 << 4,
               "it is one of the secure bits");
    check_that(prctl(PR_SET_SECUREBITS, 0) == 0 && prctl(PR_GET_KEEPCAPS) == 0, "which root sets");
    check_that(option_refused(PR_SET_KEEPCAPS, 2, 0), "2 is nothing: EINVAL");
    check_that(run_again("keepcaps", 0755, false) == LOST, "exec forgets it");
    pid_t child = check_fork();
    if (child == 0) {
        setresuid(NOBODY, NOBODY, NOBODY);
        _exit(prctl(PR_SET_KEEPCAPS, 1) != 0 || !refused(prctl(PR_SET_SECUREBITS, 0), EPERM));
    }
    check_that(check_wait(child) == 0, "nobody may ask for it, but sets no secure bits: EPERM");
    mine = (int) syscall(SYS_set_tid_address, &word);
    if (prctl(PR_GET_TID_ADDRESS, &word) == 0)
        check_that(mine == getpid() && word == (int) (long) &word, "PR_GET_TID_ADDRESS tells where a thread's number is cleared");
    else
        check_skip("this kernel was built without PR_GET_TID_ADDRESS");
}

/* A process that is born in the place of one that has gone has nothing of it. */
static void
fresh_check(void)
{
    bool fresh = true;

    for (int turn = 0; turn < 3; turn++) {
        pid_t child = check_fork();
        if (child == 0) {
            int reaper = 1;
            prctl(PR_GET_CHILD_SUBREAPER, &reaper);
            prctl(PR_SET_CHILD_SUBREAPER, 1);
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            _exit(reaper);
        }
        fresh &= check_wait(child) == 0;
    }
    check_that(fresh, "a new process is no reaper");
}

static int
personality_of_child(void)
{
    pid_t child = check_fork();

    if (child == 0)
        _exit(personality(0xffffffff) != (PER_LINUX32 | ADDR_NO_RANDOMIZE));
    return check_wait(child);
}

static void
personality_check(void)
{
    int old = personality(0xffffffff);

    check_that(personality(PER_LINUX32 | ADDR_NO_RANDOMIZE) == old, "personality tells the old one");
    check_that(personality(0xffffffff) == (PER_LINUX32 | ADDR_NO_RANDOMIZE), "and keeps the new one");
    check_that(personality_of_child() == 0, "so does a child");
    check_that(personality((unsigned long) old) == (PER_LINUX32 | ADDR_NO_RANDOMIZE) && personality(0xffffffff) == old, "and back");
}

/* What the program is run again for; its status. */
static int
asked(const char *question)
{
    if (strcmp(question, "user") == 0)
        return geteuid() != 0;
    if (strcmp(question, "keepcaps") == 0)
        return prctl(PR_GET_KEEPCAPS) == 0 ? LOST : KEPT;
    return remembered();
}

int
main(int count, char **arguments)
{
    if (count > 1)
        return asked(arguments[1]);
    parent_end_check();
    dumpable_check();
    if (geteuid() == 0 && copy_make()) {
        privileges_check();
        capabilities_check();
    } else {
        check_skip("needs root, and a copy of itself");
    }
    slack_check();
    constant_check();
    fresh_check();
    personality_check();
    unlink(COPY);
    return check_end();
}
