/*
 * All stories, in the order in which a textbook tells them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const programs[] = {
    "demand", "pagetable", "nx", "overflow", "guard", "pager", "cow", "forks", "vfork", "swap", "prefetch", "dirty",
};

enum { PROGRAMS = sizeof programs / sizeof *programs };

/* Runs the program that lies in the same directory as this one. Returns whether it exited with status 0. */
static int
program_run(const char *self, const char *name)
{
    const char *slash = strrchr(self, '/');
    int directory = slash == NULL ? 0 : slash + 1 - self, status = 0;
    char *path;

    if (asprintf(&path, "%.*s%s", directory, self, name) < 0)
        return 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* Without a directory in our own name, the search path finds both or neither. */
        execlp(path, name, (char *) NULL);
        perror(path);
        _exit(EXIT_FAILURE);
    }
    free(path);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int
main(int count, char **arguments)
{
    const char *failed[PROGRAMS];
    int failures = 0;

    for (int i = 0; i < PROGRAMS; i++)
        if (!program_run(count > 0 ? arguments[0] : "tour", programs[i]))
            failed[failures++] = programs[i];

    printf("\ntour: %d programs, %d of them saw what theory says\n", PROGRAMS, PROGRAMS - failures);
    for (int i = 0; i < failures; i++)
        printf("tour: %s did not\n", failed[i]);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
