/*
 * Types at a shell, by TIOCSTI, as a person does who waits until there is a prompt:
 *
 *     typist SCRIPT SHELL [ARGUMENT...]
 *
 * Each line of the script is typed when the shell waits for input. A line that begins with '!' is typed when a job in the
 * foreground sleeps, and without the end of a line. ^X stands for a control character: a line that has one is ended when
 * the shell waits again, having done what that asks for. Lines that begin with '#' are not typed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "user/lib/outcome.h"
#include "user/lib/system.h"

enum {
    LOOK = 10000,           /* us from one look to the next */
    QUIET = 4,              /* looks in a row that must find the same */
    PATIENCE = 1500,        /* looks until the typist gives up */
};

static int terminal;
static pid_t shell;

/* Whether a process sleeps, and who is in the foreground of its terminal. */
static bool
sleeps(pid_t process, pid_t *foreground)
{
    char path[32], state = '\0';
    int group = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", process);
    char *text = file_text(path);
    if (text != NULL)
        sscanf(strrchr(text, ')') + 2, "%c %*d %*d %*d %*d %d", &state, &group);
    free(text);
    *foreground = group;
    return state == 'S';
}

/* Whether the shell waits for input, or a job in the foreground for something else. */
static bool
is_ready(bool for_job)
{
    pid_t foreground, ignored;
    int unread = 0;

    bool shell_sleeps = sleeps(shell, &foreground);
    ioctl(terminal, FIONREAD, &unread);
    if (!shell_sleeps || unread > 0)
        return false;
    return for_job ? foreground != shell && sleeps(foreground, &ignored) : foreground == shell;
}

static void
wait_until_ready(bool for_job)
{
    int quiet = 0;

    for (int look = 0; look < PATIENCE && quiet < QUIET; look++) {
        usleep(LOOK);
        quiet = is_ready(for_job) ? quiet + 1 : 0;
    }
    if (quiet == QUIET || waitpid(shell, NULL, WNOHANG) == shell)
        return;
    kill(shell, SIGKILL);
    puts("typist: nothing has been waiting for input");
    exit(EXIT_FAILURE);
}

static void
type(const char *text)
{
    for (; *text != '\0'; text++) {
        char key = *text;

        if (key == '^' && text[1] != '\0')
            key = (char) (*++text & 0x1f);
        ioctl(terminal, TIOCSTI, &key);
    }
}

/* The shell leads the group in the foreground, as a login shell does. */
static _Noreturn void
shell_run(char **arguments)
{
    signal(SIGTTOU, SIG_IGN);
    setpgid(0, 0);
    tcsetpgrp(terminal, getpid());
    signal(SIGTTOU, SIG_DFL);
    close(terminal);
    execv(arguments[0], arguments);
    _exit(127);
}

int
main(int count, char **arguments)
{
    struct winsize size = { .ws_row = 25, .ws_col = 80 };
    char *script = count > 2 ? file_text(arguments[1]) : NULL;
    int status = 0;

    if (script == NULL)
        return EXIT_FAILURE;
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    ioctl(terminal, TIOCSWINSZ, &size);
    shell = fork();
    if (shell == 0)
        shell_run(arguments + 2);
    setpgid(shell, shell);
    for (char *line = strtok(script, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (*line == '#')
            continue;
        wait_until_ready(*line == '!');
        type(*line == '!' ? line + 1 : line);
        if (*line == '!')
            continue;
        if (strchr(line, '^') != NULL)
            wait_until_ready(false);
        type("\r");
    }
    waitpid(shell, &status, 0);
    tell("the shell: %s", status_text(status));
    return EXIT_SUCCESS;
}
