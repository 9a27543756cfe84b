/*
 * Sleeps longer than any test waits, or with the argument `read` waits for a line: something for ^C and kill to end.
 * It says when it has started, and when it goes on, behind a stop, in the foreground: before that a key would be the shell's.
 *
 * A shell would not do: it handles ^C itself, and misses one that comes between saying that it started and beginning to read.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 1000 };

static void
go_on(int signal)
{
    (void) signal;
    if (tcgetpgrp(STDIN_FILENO) == getpgrp())
        write(STDOUT_FILENO, "continued\n", 10);
}

int
main(int count, char **arguments)
{
    char line[80];

    signal(SIGCONT, go_on);
    puts("started");
    fflush(stdout);
    if (count > 1 && strcmp(arguments[1], "read") == 0)
        return read(STDIN_FILENO, line, sizeof line) < 0;
    while (sleep(SECONDS) > 0)
        continue;
    return 1;
}
