/*
 * Processes: how they end and are waited for, what exec keeps and refuses, sessions and
 * groups, limits, priorities.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

#define SCRATCH "/tmp/processes"

static const char *self;                    /* this program's own path */
static volatile int *volatile nowhere;      /* address 16, which the compiler does not know */

static pid_t
child_start(void (*body)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(EXIT_SUCCESS);
    }
    return child;
}

/* ---- Ends ------------------------------------------------------------------------------------------------------------- */

static void
exit_large(void)
{
    _exit(0x1234);
}

static void
exit_negative(void)
{
    _exit(-1);
}

static void
abort_now(void)
{
    abort();
}

static void
divide_by_zero(void)
{
    __asm__ volatile("div %0" : : "r" (0) : "eax", "edx");
}

static void
store_nowhere(void)
{
    *nowhere = 1;
}

static void
execute_illegal(void)
{
    __asm__ volatile("ud2");
}

static void
breakpoint(void)
{
    __asm__ volatile("int3");
}

static void
privileged(void)
{
    __asm__ volatile("hlt");
}

static void
wait_forever(void)
{
    for (;;)
        pause();
}

static void
ends_show(void)
{
    outcome_of_child(exit_large, "_exit(0x1234)");
    outcome_of_child(exit_negative, "_exit(-1)");
    outcome_of_child(abort_now, "abort");
    outcome_of_child(divide_by_zero, "division by zero");
    outcome_of_child(store_nowhere, "store to address 16");
    outcome_of_child(execute_illegal, "illegal instruction");
    outcome_of_child(breakpoint, "breakpoint");
    outcome_of_child(privileged, "privileged instruction");
}

/* ---- Waiting ------------------------------------------------------------------------------------------------------------ */

static void
waitid_show(idtype_t kind, pid_t which, int options, const char *what, pid_t child)
{
    siginfo_t information = { 0 };

    if (outcome(waitid(kind, which, &information, options), "waitid %s", what) == 0)
        tell("  %s, code %d, status %d, uid %d, from the child: %d", signal_name(information.si_signo), information.si_code,
             information.si_status, (int) information.si_uid, information.si_pid == child);
}

static void
stopping_show(void)
{
    int status = 0;
    pid_t child = child_start(wait_forever);

    outcome(waitpid(child, &status, WNOHANG), "waitpid WNOHANG on a running child");
    kill(child, SIGSTOP);
    tell("a stopped child, WUNTRACED: it is %d", waitpid(child, &status, WUNTRACED) == child);
    tell("  %s", status_text(status));
    outcome(waitpid(child, &status, WUNTRACED | WNOHANG), "once more");
    kill(child, SIGCONT);
    waitid_show(P_PID, child, WCONTINUED | WNOWAIT, "WCONTINUED WNOWAIT", child);
    tell("a continued child, WCONTINUED: it is %d", waitpid(child, &status, WCONTINUED) == child);
    tell("  %s", status_text(status));
    kill(child, SIGTSTP);    /* ignored: nobody could continue this group */
    kill(child, SIGSTOP);
    waitid_show(P_PID, child, WSTOPPED, "WSTOPPED", child);
    kill(child, SIGKILL);
    waitid_show(P_PID, child, WEXITED | WNOWAIT, "WEXITED WNOWAIT", child);
    waitid_show(P_PID, child, WEXITED, "WEXITED", child);
    waitid_show(P_PID, child, WEXITED, "WEXITED once more", child);
}

static void
waiting_show(void)
{
    int status;
    struct rusage usage;

    outcome(waitpid(-1, &status, 0), "waitpid without children");
    outcome(waitpid(1, &status, 0), "waitpid for one that is no child");
    outcome(waitpid(-77, &status, 0), "waitpid for a group that is not there");
    outcome(waitpid(-1, &status, 0x4000), "waitpid with a wrong option");
    outcome(waitid(P_ALL, 0, NULL, WNOHANG), "waitid that waits for nothing");
    outcome(waitid((idtype_t) 77, 0, NULL, WEXITED), "waitid for a wrong kind");
    stopping_show();

    pid_t child = child_start(exit_large);
    outcome(waitpid(-getpgrp(), NULL, 0) == child, "waitpid for this group finds the child");
    child = child_start(exit_large);
    outcome(wait4(0, &status, 0, &usage) == child && usage.ru_utime.tv_sec == 0, "wait4 for 0 finds the child");
    signal(SIGCHLD, SIG_IGN);
    child_start(exit_large);
    outcome(waitpid(-1, &status, 0), "one that ends while SIGCHLD is ignored leaves nothing");
    signal(SIGCHLD, SIG_DFL);
}

/* ---- exec ---------------------------------------------------------------------------------------------------------------- */

static void
scratch_write(const char *text, size_t length, mode_t mode)
{
    unlink(SCRATCH);
    int file = open(SCRATCH, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    write(file, text, length);
    fchmod(file, mode);
    close(file);
}

static void
exec_error(const char *path, const char *what)
{
    char *const arguments[] = { (char *) "x", NULL };
    fflush(stdout);
    outcome(execve(path, arguments, NULL), "exec of %s", what);
}

static void
exec_errors_show(void)
{
    static char large[200000];
    char *const too_large[] = { large, NULL };

    exec_error("/nowhere", "nothing");
    exec_error("", "the empty name");
    exec_error("/tmp", "a directory");
    exec_error("/bin/init/x", "what is below a file");
    scratch_write("", 0, 0700);
    exec_error(SCRATCH, "an empty file");
    scratch_write("text", 4, 0700);
    exec_error(SCRATCH, "text");
    scratch_write("\177ELF\1\1\1", 7, 0700);
    exec_error(SCRATCH, "a torn ELF header");
    scratch_write("#!/nowhere\n", 11, 0700);
    exec_error(SCRATCH, "a script whose interpreter is missing");
    scratch_write("#!\n", 3, 0700);
    exec_error(SCRATCH, "a script without an interpreter");
    scratch_write("text", 4, 0600);
    exec_error(SCRATCH, "what has no x bit, by root");
    exec_error("/dev/null", "a device");
    memset(large, 'x', sizeof large - 1);
    outcome(execve(self, too_large, NULL), "exec with an argument that is too long");
    outcome(execve((char *) nowhere, NULL, NULL), "exec of a bad pointer");
    int busy = open(SCRATCH, O_WRONLY);
    chmod(SCRATCH, 0700);
    exec_error(SCRATCH, "a file that is open for writing");
    close(busy);
}

/* What an executed program finds: see main. */
static void
exec_self(void)
{
    char *const arguments[] = { (char *) "own name", (char *) "inspect", (char *) "", (char *) "a b", NULL };
    char *const environment[] = { (char *) "A=1", (char *) "B=", NULL };

    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, (void (*)(int)) exec_self);
    sigprocmask(SIG_BLOCK, &(sigset_t){ { 1UL << (SIGTERM - 1) } }, NULL);
    raise(SIGTERM);
    umask(027);
    alarm(1000);
    dup2(STDOUT_FILENO, 20);
    dup3(STDOUT_FILENO, 21, O_CLOEXEC);
    chdir("/proc");
    execve(self, arguments, environment);
}

static void
inspect(int count, char **arguments, char **environment)
{
    struct sigaction one, two;
    sigset_t pending, blocked;
    char name[32] = "";

    for (int i = 0; i < count; i++)
        tell("argument %d: [%s]", i, arguments[i]);
    for (; *environment != NULL; environment++)
        tell("environment: [%s]", *environment);
    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGUSR2, NULL, &two);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    tell("still ignored: %d, handler gone: %d", one.sa_handler == SIG_IGN, two.sa_handler == SIG_DFL);
    tell("SIGTERM blocked: %d, pending: %d", sigismember(&blocked, SIGTERM), sigismember(&pending, SIGTERM));
    tell("umask %03o, alarm left: %d", umask(0), alarm(0) > 900);
    tell("directory %s", getcwd(name, sizeof name));
    prctl(PR_GET_NAME, name);
    tell("name %s", name);
    outcome(fcntl(20, F_GETFD), "descriptor 20");
    outcome(fcntl(21, F_GETFD), "descriptor 21, closed on exec");
}

static void
script_run(void)
{
    char *const arguments[] = { (char *) "ignored", (char *) "more", NULL };
    char text[128];

    scratch_write(text, (size_t) snprintf(text, sizeof text, "#! %s inspect this \n", self), 0700);
    execve(SCRATCH, arguments, NULL);
}

/* ---- Sessions, groups, limits ------------------------------------------------------------------------------------------------ */

static void
session_body(void)
{
    outcome(setsid() == getpid(), "setsid gives the own number");
    outcome(setsid(), "setsid by a leader");
    outcome(getsid(0) == getpid() && getpgrp() == getpid(), "it leads session and group");
    outcome(setpgid(0, 0), "setpgid of a session's leader");
    outcome(open("/dev/tty", O_RDONLY), "it has no terminal");
}

static void
groups_show(void)
{
    pid_t child = child_start(wait_forever);

    outcome(setpgid(child, child), "setpgid of a child to itself");
    outcome(getpgid(child) == child, "getpgid agrees");
    outcome(setpgid(child, 1), "setpgid to a group of another session");
    outcome(setpgid(child, -1), "setpgid to a negative group");
    outcome(setpgid(1, 0), "setpgid of one that is no child");
    outcome(getpgid(99999), "getpgid of nobody");
    outcome(getsid(99999), "getsid of nobody");
    outcome(kill(-child, SIGTERM), "kill of its group");
    waitpid(child, NULL, 0);
    outcome(kill(-child, 0), "kill of a group that has gone");
    outcome(kill(child, 0), "kill of a process that has gone");
    outcome_of_child(session_body, "a session");
}

static void
limits_show(void)
{
    struct rlimit limit;

    outcome(getrlimit(RLIMIT_CORE, &limit), "getrlimit CORE");
    outcome(getrlimit(77, &limit), "getrlimit of nothing");
    outcome(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 20, 10 }), "setrlimit soft above hard");
    outcome(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 10, 20 }), "setrlimit NOFILE 10 of 20");
    outcome(dup2(0, 9), "dup2 to 9");
    outcome(dup2(0, 10), "dup2 to 10");
    outcome(fcntl(0, F_DUPFD, 10), "F_DUPFD from 10");
    outcome(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit NOFILE");
    tell("  %ld of %ld", (long) limit.rlim_cur, (long) limit.rlim_max);
}

static void
priorities_show(void)
{
    outcome(getpriority(PRIO_PROCESS, 0), "getpriority");
    outcome(nice(5), "nice 5");
    outcome(nice(100), "nice 100");
    outcome(setpriority(PRIO_PROCESS, 0, -30), "setpriority -30");
    outcome(getpriority(PRIO_PROCESS, 0), "getpriority");
    outcome(setpriority(PRIO_PROCESS, 99999, 0), "setpriority of nobody");
    outcome(setpriority(7, 0, 0), "setpriority of a wrong kind");
    outcome(syscall(SYS_getpriority, PRIO_PROCESS, 0), "getpriority as the kernel says it");
    outcome(sched_getscheduler(0), "sched_getscheduler");
    outcome(sched_yield(), "sched_yield");
}

int
main(int count, char **arguments, char **environment)
{
    if (count > 1 && strncmp(arguments[1], "inspect", strlen("inspect")) == 0)
        inspect(count, arguments, environment);
    if (count > 1)
        return EXIT_SUCCESS;
    self = "/linux/processes";
    nowhere = (volatile int *) 16;
    ends_show();
    waiting_show();
    exec_errors_show();
    outcome_of_child(exec_self, "exec");
    outcome_of_child(script_run, "a script");
    groups_show();
    outcome_of_child(limits_show, "limits");
    outcome_of_child(priorities_show, "priorities");
    unlink(SCRATCH);
    return EXIT_SUCCESS;
}
