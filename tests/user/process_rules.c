/*
 * Rules of processes and threads that hardly any program needs to know, and that hold all the same: what clone is asked for, what a
 * child is limited by, whom wait finds and what it says, who hears of an end, and what an end takes along.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/system.h"
#include "user/lib/thread.h"

enum { ROOM = 32 << 20, BUSY_MILLISECONDS = 50, TURNS = 50, STATUS = 7, USER = 4242 };

static void
nap(int milliseconds)
{
    nanosleep(&(struct timespec) { .tv_nsec = milliseconds * 1000000L }, NULL);
}

/* ---- What clone is asked for ---- */

/* As fork: the child has a copy of all that the flags do not name. */
static pid_t
clone_child(int flags, pid_t *number)
{
    return (pid_t) syscall(SYS_clone, flags, NULL, NULL, NULL, number);
}

static void
clone_check(void)
{
    static pid_t number;
    sigset_t set;
    siginfo_t info;

    pid_t child = clone_child(CLONE_CHILD_SETTID | SIGCHLD, &number);
    if (child == 0)
        _exit(number != getpid());
    check_that(check_wait(child) == 0 && number == 0, "CLONE_CHILD_SETTID writes the child's number in its memory");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_IGN);
    child = clone_child(SIGUSR1, NULL);
    if (child == 0)
        _exit(STATUS);
    check_that(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == CLD_EXITED,
               "a child's end is told by the signal that clone was given");
    check_that(waitpid(child, NULL, 0) == -1 && errno == ECHILD, "such a child is not what wait waits for by itself");
    check_that(waitpid(-1, NULL, __WCLONE) == child, "but with __WCLONE, though SIGCHLD is ignored");
    child = clone_child(0, NULL);
    if (child == 0)
        _exit(STATUS);
    check_that(waitpid(child, NULL, __WALL) == child, "or with __WALL, as one whose end no signal tells");
    signal(SIGCHLD, SIG_DFL);
    child = check_fork();
    if (child == 0)
        _exit(STATUS);
    check_that(waitpid(-1, NULL, __WCLONE) == -1 && errno == ECHILD && waitpid(-1, NULL, 0) == child, "__WCLONE means no others");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void
limited_body(void)
{
    setrlimit(RLIMIT_AS, &(struct rlimit) { ROOM, ROOM });
    pid_t child = check_fork();
    if (child == 0)
        _exit(mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED || errno != ENOMEM);
    _exit(check_wait(child));
}

static void
nothing_body(void)
{
}

/* As root it may have a child, as a user none. */
static void
crowded_body(void)
{
    setrlimit(RLIMIT_NPROC, &(struct rlimit) { 1, 1 });
    if (check_child(nothing_body) != 0)
        _exit(1);
    setresuid(USER, USER, USER);
    _exit(fork() != -1 || errno != EAGAIN);
}

static void
user_body(void)
{
    setresuid(USER, USER + 1, USER + 2);
    pid_t child = check_fork();
    if (child == 0) {
        uid_t real, effective, saved;
        _exit(getresuid(&real, &effective, &saved) != 0 || real != USER || effective != USER + 1 || saved != USER + 2);
    }
    _exit(check_wait(child));
}

/* Nobody but root may raise a hard limit; what it is already is no more than that. */
static void
hard_limit_body(void)
{
    struct rlimit limit;

    setresuid(USER, USER, USER);
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max = 4096;
    if (setrlimit(RLIMIT_CORE, &limit) != 0 || setrlimit(RLIMIT_CORE, &limit) != 0)
        _exit(1);
    limit.rlim_max++;
    _exit(setrlimit(RLIMIT_CORE, &limit) != -1 || errno != EPERM);
}

static void
yield_check(void)
{
    volatile int *turns = check_shared(sizeof *turns);
    int changes = 0;
    pid_t child = check_fork();

    if (child == 0) {
        for (;; sched_yield())
            ++*turns;
    }
    while (*turns == 0)
        sched_yield();
    for (int i = 0; i < TURNS; i++) {
        int before = *turns;
        sched_yield();
        changes += *turns != before;
    }
    kill(child, SIGKILL);
    check_wait(child);
    /* Linux, which divides the time justly, may let the same one run many times. */
    check_that(!system_is_belady() || changes >= TURNS / 2, "who yields lets another run");
}

/* ---- vfork ---- */

/* It is its parent's memory, and what it may have its parent's matter. */
static void
vfork_limit_check(void)
{
    if (vfork() == 0) {
        static const struct rlimit limit = { ROOM, ROOM };
        setrlimit(RLIMIT_AS, &limit);
        _exit(0);
    }
    wait(NULL);
    void *memory = mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_that(memory != MAP_FAILED, "a limit that a child of vfork sets is its own");
    munmap(memory, ROOM);
}

/* The child of a vfork lives on for a while; who called it is killed meanwhile. */
static void
vfork_check(void)
{
    int ends[2];
    char byte = 0;

    pipe(ends);
    pid_t parent = check_fork();
    if (parent == 0) {
        if (vfork() == 0) {
            nap(3 * THREAD_NAP_MILLISECONDS);
            write(ends[1], "x", 1);
            _exit(0);
        }
        _exit(1);
    }
    thread_nap();
    kill(parent, SIGKILL);
    int status = check_wait(parent);
    check_that(WIFSIGNALED(status) && poll(&(struct pollfd) { ends[0], POLLIN, 0 }, 1, 0) == 0, "who waits for a child of vfork can be killed");
    close(ends[1]);
    check_that(read(ends[0], &byte, 1) == 1 && read(ends[0], &byte, 1) == 0, "and the child goes on, and ends");
    close(ends[0]);
    wait(NULL);     /* init adopts it */
}

/* ---- What waitid and wait4 look at ---- */

static pid_t
child_ended(int status)
{
    pid_t child = check_fork();

    if (child == 0)
        _exit(status);
    waitid(P_PID, (id_t) child, &(siginfo_t) { 0 }, WEXITED | WNOWAIT);
    return child;
}

static void
waitid_check(void)
{
    siginfo_t info = { .si_pid = 0 };
    pid_t child = child_ended(STATUS);
    int status;

    check_that(waitid(P_PID, (id_t) child, &info, WSTOPPED) == -1 && errno == ECHILD, "waitid without WEXITED has nothing to wait for where a child has ended");
    check_that(waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL, "waitid for nothing: EINVAL");
    check_that(waitid(P_PID, 0, &info, WEXITED) == -1 && errno == EINVAL, "waitid for number 0: EINVAL");
    check_that(waitid(P_PGID, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child, "waitid for group 0 means one's own");
    check_that(waitpid(-getpgrp(), &status, WNOHANG) == child, "a group is named by its number, negated");
    child = check_fork();
    if (child == 0) {
        setpgid(0, 0);
        raise(SIGSTOP);
        raise(SIGKILL);
    }
    check_that(waitid(P_PID, (id_t) child, &info, WSTOPPED | WNOWAIT) == 0 && info.si_code == CLD_STOPPED, "with WNOWAIT a stop is told");
    check_that(waitpid(0, &status, WNOHANG) == -1 && errno == ECHILD, "a child of another group is none of one's own");
    check_that(waitpid(child, &status, WUNTRACED | WNOHANG) == child && WIFSTOPPED(status), "and told again");
    check_that(waitpid(child, &status, WUNTRACED | WNOHANG) == 0, "once");
    kill(child, SIGCONT);
    check_that(waitid(P_PID, (id_t) child, &info, WEXITED) == 0 && info.si_code == CLD_KILLED && info.si_status == SIGKILL, "a child that was killed");
}

/* Standard signals are not queued, and the first is the one that stays: it tells what the parent hears first. */
static void
stopped_check(void)
{
    siginfo_t info;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid_t child = check_fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    check_that(sigwaitinfo(&set, &info) == SIGCHLD && info.si_code == CLD_STOPPED, "a child stops");
    kill(child, SIGKILL);
    check_that(sigwaitinfo(&set, &info) == SIGCHLD && info.si_code == CLD_KILLED, "killed, it does not go on before");
    check_wait(child);
    child = check_fork();
    if (child == 0) {
        raise(SIGSTOP);
        pause();
    }
    sigwaitinfo(&set, &info);
    kill(child, SIGCONT);
    sigwaitinfo(&set, &info);
    int status, first = waitpid(child, &status, WUNTRACED | WNOHANG);
    check_that(first == 0, "that a child stopped is not told once it goes on");
    kill(child, SIGSTOP);
    sigwaitinfo(&set, &info);
    check_that(waitpid(child, &status, WCONTINUED | WNOHANG) == 0, "nor that it goes on once it has stopped");
    kill(child, SIGKILL);
    check_wait(child);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- Who hears of an end ---- */

/* A child that ends with a zombie of its own, whose number is told. */
static pid_t
child_with_zombie(pid_t *zombie)
{
    pid_t child = check_fork();

    if (child == 0) {
        *zombie = child_ended(STATUS);
        _exit(0);
    }
    return child;
}

static void
adopted_body(void)
{
    pid_t *zombie = check_shared(sizeof *zombie);
    siginfo_t info;
    sigset_t set;

    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    child_with_zombie(zombie);
    sigwaitinfo(&set, &info);
    _exit(info.si_pid != *zombie || info.si_code != CLD_EXITED || info.si_status != STATUS);
}

static void
unwanted_body(void)
{
    pid_t *zombie = check_shared(sizeof *zombie);

    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    signal(SIGCHLD, SIG_IGN);
    child_with_zombie(zombie);
    _exit(wait(NULL) != -1 || errno != ECHILD);
}

/* The number, or whatever else was the child's, may be another's soon. */
static void
alarm_check(void)
{
    pid_t child = check_fork();
    if (child == 0) {
        setitimer(ITIMER_REAL, &(struct itimerval) { .it_value = { .tv_usec = 10000 } }, NULL);
        _exit(0);
    }
    check_wait(child);
    child = check_fork();
    if (child == 0) {
        nap(2 * THREAD_NAP_MILLISECONDS);
        _exit(0);
    }
    check_that(check_wait(child) == 0, "an alarm ends with its process");
}

/* ---- What they have used ---- */

static long
milliseconds_of(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void *
thread_compute(void *argument)
{
    struct timespec used;

    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    while (used.tv_sec == 0 && used.tv_nsec < BUSY_MILLISECONDS * 1000000L);
    return argument;
}

static void
grandchild_body(void)
{
    thread_compute(NULL);
}

static void
child_body(void)
{
    check_child(grandchild_body);
}

static void
usage_check(void)
{
    long before = milliseconds_of(RUSAGE_SELF);

    thread_join(thread_start(thread_compute, NULL));
    check_that(milliseconds_of(RUSAGE_SELF) - before >= BUSY_MILLISECONDS / 2, "what a thread used counts after its end");
    before = milliseconds_of(RUSAGE_CHILDREN);
    check_child(child_body);
    check_that(milliseconds_of(RUSAGE_CHILDREN) - before >= BUSY_MILLISECONDS / 2, "what a child's children used, too");
}

/* ---- What a thread begins with ---- */

static struct { void *next; long offset; void *pending; } robust_list = { &robust_list, 0, NULL };

static void *
thread_set_list(void *unused)
{
    (void) unused;
    syscall(SYS_set_robust_list, &robust_list, sizeof robust_list);
    return NULL;
}

static void *
thread_get_list(void *unused)
{
    void *head = NULL;
    size_t bytes;

    (void) unused;
    syscall(SYS_get_robust_list, 0, &head, &bytes);
    return head;
}

static void
robust_check(void)
{
    void *head = NULL;

    for (int i = 0; i < 3 && head == NULL; i++) {
        thread_join(thread_start(thread_set_list, NULL));
        thread_nap();
        head = thread_join(thread_start(thread_get_list, NULL));
    }
    check_that(head == NULL, "a thread begins without a list of locks");
}

/* ---- What a script's interpreter is given ---- */

static void
script_check(const char *self)
{
    const char *script = "/tmp/process_rules.sh";
    int file = open(script, O_CREAT | O_WRONLY | O_TRUNC, 0700);

    dprintf(file, "#!%s environment\n", self);
    close(file);
    pid_t child = check_fork();
    if (child == 0) {
        execle(script, "name", "argument", NULL, (char *[]) { "ONE=1", "OTHER=2", NULL });
        _exit(1);
    }
    check_that(check_wait(child) == 0, "a script's interpreter has its option, the script, its arguments and its environment");
    unlink(script);
}

/* In the interpreter. */
static int
script_arguments(int count, char **arguments)
{
    const char *one = getenv("ONE"), *other = getenv("OTHER");

    return !(count == 4 && strcmp(arguments[2], "/tmp/process_rules.sh") == 0 && strcmp(arguments[3], "argument") == 0 && one != NULL
             && strcmp(one, "1") == 0 && other != NULL && strcmp(other, "2") == 0 && environ[2] == NULL);
}

/* ---- What a program's end frees ---- */

static void
program_check(const char *self)
{
    static char bytes[1 << 20];
    const char *copy = "/tmp/process_rules";
    int from = open(self, O_RDONLY), to = open(copy, O_CREAT | O_WRONLY | O_TRUNC, 0700);

    for (ssize_t length; (length = read(from, bytes, sizeof bytes)) > 0;)
        write(to, bytes, (size_t) length);
    close(to);
    close(from);
    pid_t child = check_fork();
    if (child == 0) {
        execl(copy, copy, "end", NULL);
        _exit(1);
    }
    check_that(check_wait(child) == 0 && (to = open(copy, O_WRONLY)) >= 0, "a program that has ended can be written to");
    close(to);
    to = open(copy, O_RDWR);
    mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    close(to);
    check_that(execl(copy, copy, "end", NULL) == -1 && errno == ETXTBSY, "and, mapped for writing, cannot be run: ETXTBSY");
    unlink(copy);
}

/* An action as the system call has it. */
struct action {
    unsigned long handler, flags, restorer, mask[2];
};

static bool
action_is_fresh(int signal, unsigned long handler)
{
    struct action action = { 77, 77, 77, { 77, 77 } };

    return syscall(SYS_rt_sigaction, signal, NULL, &action, sizeof action.mask) == 0 && action.handler == handler && action.flags == 0
        && action.restorer == 0 && action.mask[0] == 0 && action.mask[1] == 0;
}

/* In the new program: a child's end is waited for again. */
static int
actions_look(void)
{
    pid_t child = check_fork();

    if (child == 0)
        _exit(0);
    return !(action_is_fresh(SIGUSR1, 0) && action_is_fresh(SIGCHLD, 0) && action_is_fresh(SIGHUP, 1) && check_wait(child) == 0);
}

static void
actions_body(const char *self)
{
    struct sigaction action = { .sa_handler = _exit, .sa_flags = SA_RESTART };

    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGCHLD, &(struct sigaction) { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT }, NULL);
    execl(self, self, "actions", NULL);
}

int
main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "environment") == 0)
        return script_arguments(count, arguments);
    if (count > 1 && strcmp(arguments[1], "actions") == 0)
        return actions_look();
    if (count > 1)
        return strcmp(arguments[1], "limited") == 0 ? mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED : 0;
    clone_check();
    check_that(check_child(limited_body) == 0, "a child's memory is limited as its parent's");
    pid_t child = check_fork();
    if (child == 0) {
        setrlimit(RLIMIT_AS, &(struct rlimit) { ROOM, ROOM });
        execl(arguments[0], arguments[0], "limited", NULL);
    }
    check_that(check_wait(child) == 0, "and so is a new program's");
    child = check_fork();
    if (child == 0)
        actions_body(arguments[0]);
    check_that(check_wait(child) == 0, "of signals' actions a new program has only those that ignore");
    if (geteuid() == 0) {
        check_that(check_child(crowded_body) == 0, "RLIMIT_NPROC limits users, but not root: EAGAIN");
        check_that(check_child(user_body) == 0, "a child has its parent's users");
    } else {
        check_skip("other users");
    }
    check_that(getpriority(PRIO_USER, 0) != -1 || errno == 0, "a user's processes have a priority");
    check_that(check_child(hard_limit_body) == 0, "a hard limit may be set to what it is, but not raised: EPERM");
    yield_check();
    vfork_check();
    vfork_limit_check();
    waitid_check();
    stopped_check();
    check_that(check_child(adopted_body) == 0, "who adopts a child that has ended is told of its end");
    check_that(check_child(unwanted_body) == 0, "and if it does not want to know, the child is gone");
    alarm_check();
    usage_check();
    robust_check();
    char name[16];
    prctl(PR_GET_NAME, name, 0, 0, 0);
    check_that(strcmp(name, "process_rules") == 0, "a process is called what its program's path ends with");
    const char *platform = (const char *) getauxval(AT_PLATFORM);
    check_that(platform != NULL && platform[0] == 'i' && strcmp(platform + 2, "86") == 0, "and told its processor's kind");
    check_that(execve(arguments[0], (char *const[]) { arguments[0], (char *) 16, arguments[0], NULL }, NULL) == -1 && errno == EFAULT,
               "one argument from nowhere among others: EFAULT");
    script_check(arguments[0]);
    program_check(arguments[0]);
    return check_end();
}
