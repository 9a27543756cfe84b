/*
 * The first process. It prints what can be tried, runs the shell (or the program
 * that the command line names behind " -- "), takes in orphans, and ends with the
 * status of what it ran: the kernel then powers the machine off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALLED = 128 }; /* as in the shell: a status above it names a signal */

static char *const shell[] = { "/bin/mksh", "-l", NULL };

static const char banner[] =
    "\n"
    "  Belady, a kernel for reading: virtual memory as the textbook draws it.\n"
    "\n"
    "    demand     a page comes in when it is first touched\n"
    "    pagetable  what two-level tables cost, and a linear one would\n"
    "    nx         data is not executed\n"
    "    overflow   the stack grows, then ends\n"
    "    guard      an allocator that ends at a forbidden page\n"
    "    pager      a fault handler in user space, and Belady's anomaly\n"
    "    cow        copy on write after fork\n"
    "    forks      what fork costs as memory grows  vfork   what sharing saves\n"
    "    swap       more memory than there is        dirty   clean victims are free\n"
    "    threads    one page table for all of them\n"
    "    mailbox    pages handed over, not copied    ipc     three ways to pass data\n"
    "    gc         a fault starts the collection    mmapfile  a file by mapping it\n"
    "    server     a web server, built six ways\n"
    "    belady     more frames, more faults (policy=fifo)\n"
    "    policies   one workload, every policy       locality  working sets over time\n"
    "    thrash     too many processes, and the cure\n"
    "    tour       all of them, in order\n"
    "\n"
    "    vmstat COMMAND   what a command cost, by kind of fault      free, ps, ls\n"
    "    help             what else there is                         exit: power off\n"
    "\n";

/* Makes the console standard input, output and error where the kernel has not done so. */
static void
console_open(void)
{
    if (fcntl(STDIN_FILENO, F_GETFD) >= 0)
        return;
    int console = open("/dev/console", O_RDWR);
    if (console < 0)
        return;
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (descriptor != console)
            dup2(console, descriptor);
}

/* Waits for `child`, and for every orphan that ends meanwhile. Returns the status that stands for the child's. */
static int
children_reap(pid_t child)
{
    for (;;) {
        int status;
        pid_t ended = wait(&status);
        if (ended == child)
            return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
        if (ended < 0 && errno != EINTR)
            return EXIT_FAILURE;
    }
}

static void
child_run(char *const *arguments)
{
    setsid();
    /* The console becomes the session's terminal: ^C reaches what runs in the foreground. */
    ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    execvp(arguments[0], arguments);
    fprintf(stderr, "init: %s: %s\n", arguments[0], strerror(errno));
    _exit(EXIT_FAILURE);
}

int
main(int count, char **arguments)
{
    char *const *command = count > 1 ? (char *const *) arguments + 1 : shell;

    console_open();
    setenv("PATH", "/bin", 1);
    setenv("HOME", "/", 1);
    setenv("TERM", "vt100", 1);
    if (command == shell) {
        fputs(banner, stdout);
        fflush(stdout);
    }
    pid_t child = fork();
    if (child < 0) {
        perror("init: fork");
        return EXIT_FAILURE;
    }
    if (child == 0)
        child_run(command);
    return children_reap(child);
}
