/*
 * vmstat          the counters of the whole system since boot, without those that are zero
 * vmstat COMMAND  runs the command and shows by how much they went up meanwhile
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/counters.h"

enum { NOT_FOUND = 127, SIGNALLED = 128 }; /* exit statuses, as in the shell */

static int
command_run(char **command)
{
    int status;
    pid_t child = vfork();

    if (child == 0) {
        execvp(command[0], command);
        fprintf(stderr, "vmstat: %s: %s\n", command[0], strerror(errno));
        _exit(NOT_FOUND);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("vmstat");
        return EXIT_FAILURE;
    }
    return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

int
main(int count, char **arguments)
{
    struct counters before = { NULL, 0 }, after = { NULL, 0 };
    int status = EXIT_SUCCESS;

    counters_prepare(&before, COUNTERS_OF_SYSTEM);
    counters_prepare(&after, COUNTERS_OF_SYSTEM);
    if (count > 1) {
        counters_take(&before, COUNTERS_OF_SYSTEM);
        status = command_run(arguments + 1);
    }
    counters_take(&after, COUNTERS_OF_SYSTEM);
    counters_print(count > 1 ? &before : NULL, &after, COUNTERS_ALL);
    return status;
}
