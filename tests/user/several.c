/*
 * Runs programs of /test one after the other, so that a boot serves many:
 *
 *     several NAME...
 *
 * Before each stands the line "== NAME", behind it "== NAME: exited 0" (tests/harness.py reads them). Each is a session's
 * leader, as a program is that the kernel starts; whatever it leaves running is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/outcome.h"

static void
program_start(const char *name)
{
    char path[64];

    setsid();
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        close(i);
    open("/dev/console", O_RDWR);
    dup(STDIN_FILENO);
    dup(STDIN_FILENO);
    ioctl(STDIN_FILENO, TIOCSCTTY, 1);
    snprintf(path, sizeof path, "/test/%s", name);
    execl(path, path, NULL);
    _exit(127);
}

static void
program_run(const char *name)
{
    int status = 0;

    tell("== %s", name);
    pid_t program = fork();
    if (program == 0)
        program_start(name);
    if (program < 0) {
        tell("== %s: not started", name);
        return;
    }
    waitpid(program, &status, 0);
    kill(-1, SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    tell("== %s: %s", name, status_text(status));
}

int
main(int count, char **names)
{
    for (int i = 1; i < count; i++)
        program_run(names[i]);
    return 0;
}
