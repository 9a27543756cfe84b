/*
 * clone with CLONE_FS, CLONE_FILES, CLONE_SIGHAND and CLONE_VM in any combination that there is: what is asked for is one
 * for both processes, and the rest each one's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/clone.h"

enum { STACK = 65536, MASK = 0123, CHILD_MASK = 0077 };

static volatile int word;
static int opened;

static void
handler(int signal)
{
    (void) signal;
}

/* Changes all that there is to share. Nothing of the C library's that a thread would need. */
static int
child_body(void *unused)
{
    (void) unused;
    word = 1;
    opened = dup(0);
    umask(CHILD_MASK);
    sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handler }, NULL);
    return chdir("/tmp") == 0 ? opened : 255;
}

static void
sharing_check(int flags)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), here[16] = "";
    struct sigaction action;
    char name[64];
    int status;

    snprintf(name, sizeof name, "%s%s%s%s", flags & CLONE_FS ? " FS" : "", flags & CLONE_FILES ? " FILES" : "", flags & CLONE_SIGHAND ? " SIGHAND" : "",
             flags & CLONE_VM ? " VM" : "");
    word = 0;
    chdir("/");
    umask(MASK);
    signal(SIGUSR1, SIG_DFL);
    pid_t child = clone(child_body, stack + STACK, flags | SIGCHLD, NULL);
    check_that(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) < 255, "clone%s: a child that ends well", name);
    check_that(word == !!(flags & CLONE_VM), "memory is%s shared", flags & CLONE_VM ? "" : " not");
    getcwd(here, sizeof here);
    check_that(strcmp(here, flags & CLONE_FS ? "/tmp" : "/") == 0 && umask(MASK) == (flags & CLONE_FS ? CHILD_MASK : MASK), "directory and umask are%s", flags & CLONE_FS ? "" : " not");
    check_that((fcntl(WEXITSTATUS(status), F_GETFD) == 0) == !!(flags & CLONE_FILES), "descriptors are%s", flags & CLONE_FILES ? "" : " not");
    sigaction(SIGUSR1, NULL, &action);
    check_that((action.sa_handler == handler) == !!(flags & CLONE_SIGHAND), "signal actions are%s", flags & CLONE_SIGHAND ? "" : " not");
    if (flags & CLONE_FILES)
        close(WEXITSTATUS(status));
    munmap(stack, STACK);
}

static void
refused_check(int flags, const char *what)
{
    int result = (int) syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

    if (result == 0)
        _exit(0);
    check_that(result == -1 && errno == EINVAL, "%s: EINVAL", what);
}

/* Sharing ends with the process: its own child after a plain fork has actions of its own. */
static int
forking_body(void *unused)
{
    (void) unused;
    pid_t child = (pid_t) syscall(SYS_fork);
    if (child == 0) {
        signal(SIGUSR1, SIG_IGN);
        _exit(chdir("/tmp"));
    }
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

static void
fork_check(void)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), here[16] = "";
    struct sigaction action;

    chdir("/");
    signal(SIGUSR1, SIG_DFL);
    pid_t child = clone(forking_body, stack + STACK, CLONE_VM | CLONE_SIGHAND | CLONE_FS | SIGCHLD, NULL);
    check_that(check_wait(child) == 0, "a child that shares forks another");
    getcwd(here, sizeof here);
    sigaction(SIGUSR1, NULL, &action);
    check_that(action.sa_handler == SIG_DFL && strcmp(here, "/") == 0, "which shares with nobody");
    munmap(stack, STACK);
}

static pid_t
clone_numbered(int flags, volatile pid_t *parent_address, volatile pid_t *child_address)
{
    return (pid_t) syscall(SYS_clone, flags | SIGCHLD, NULL, parent_address, NULL, child_address);
}

/* Each of the two is told the child's number in its own memory; that one cannot be told is no reason not to have the child. */
static void
number_check(void)
{
    static volatile pid_t for_parent, for_child;
    volatile pid_t *nowhere = (volatile pid_t *) 1;
    pid_t child = clone_numbered(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, &for_parent, &for_child);

    if (child == 0)
        _exit(for_parent == 0 && for_child == getpid() ? 0 : 1);
    check_that(for_parent == child && for_child == 0, "the parent is told the number in its memory");
    check_that(check_wait(child) == 0, "and the child in its own");
    child = clone_numbered(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, nowhere, nowhere);
    if (child == 0)
        _exit(0);
    check_that(child > 0 && check_wait(child) == 0, "at bad addresses nobody is told, and the child lives");
}

/* With CLONE_PARENT the child is its maker's sibling: the maker has no child to wait for, and who made the maker has two. */
static void
sibling_check(void)
{
    pid_t maker = check_fork();

    if (maker == 0) {
        pid_t sibling = (pid_t) syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
        if (sibling == 0)
            _exit(5);
        _exit(sibling > 0 && waitpid(sibling, NULL, 0) == -1 && errno == ECHILD ? 4 : 1);
    }
    check_that(check_wait(maker) == 4 << 8, "who makes a sibling is not its parent");
    int status = 0;
    check_that(waitpid(-1, &status, 0) > 0 && status == 5 << 8, "but whose child the maker is");
}

/* So does exec: what the new program sets is its own. */
static int
exec_body(void *unused)
{
    (void) unused;
    execl("/proc/self/exe", "clone_sharing", "ignore", NULL);
    return 1;
}

static void
exec_check(void)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action;

    pid_t child = clone(exec_body, stack + STACK, CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL);
    check_that(check_wait(child) == 0, "a child that shares calls exec");
    sigaction(SIGUSR1, NULL, &action);
    check_that(action.sa_handler == SIG_DFL, "which shares with nobody either");
    munmap(stack, STACK);
}

/* Whoever waits for the word that CLONE_CHILD_CLEARTID names waits for the child to leave the memory, by whatever way. */
static void
leaving_check(void)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static volatile pid_t left = 1;

    pid_t child = clone_bare(exec_body, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID | SIGCHLD, &left);
    check_that(check_wait(child) == 0 && left == 0, "a child that leaves shared memory by exec clears its number there");
    munmap(stack, STACK);
}

int
main(int count, char **arguments)
{
    (void) arguments;
    if (count > 1)
        return signal(SIGUSR1, SIG_IGN) == SIG_ERR;
    exec_check();               /* before any action is set, for which exec would need a table of its own in any case */
    for (int i = 0; i < 16; i++) {
        int flags = (i & 1 ? CLONE_FS : 0) | (i & 2 ? CLONE_FILES : 0) | (i & 4 ? CLONE_SIGHAND : 0) | (i & 8 ? CLONE_VM : 0);
        if (!(flags & CLONE_SIGHAND) || flags & CLONE_VM)
            sharing_check(flags);
    }
    refused_check(CLONE_SIGHAND, "signal actions without memory");
    refused_check(CLONE_THREAD, "a thread of nothing");
    refused_check(CLONE_THREAD | CLONE_VM, "a thread without signal actions");
    fork_check();
    number_check();
    sibling_check();
    leaving_check();
    return check_end();
}
