/*
 * Sleeps longer than any test waits, or with the argument `read` waits for a line: something for ^C and kill to end.
 *
 * A shell would not do: it handles ^C itself, and misses one that comes between saying that it started and beginning to read.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 1000 };

int
main(int count, char **arguments)
{
    char line[80];

    puts("started");
    fflush(stdout);
    if (count > 1 && strcmp(arguments[1], "read") == 0)
        return read(STDIN_FILENO, line, sizeof line) < 0;
    sleep(SECONDS);
    return 1;
}
