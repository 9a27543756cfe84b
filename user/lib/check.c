/*
 * TAP for the programs in tests/user/. See check.h.
 *
 * The numbers lie in shared memory, which is made at the first check.
 */
#include "user/lib/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct results {
    unsigned number, failed;
} *results;

static void
result_print(const char *verdict, const char *mark, const char *what, va_list arguments)
{
    if (results == NULL)
        results = check_shared(sizeof *results);
    printf("%s %u - ", verdict, ++results->number);
    vprintf(what, arguments);
    printf("%s\n", mark);
    fflush(stdout);
}

bool
check_that(bool condition, const char *what, ...)
{
    va_list arguments;

    va_start(arguments, what);
    result_print(condition ? "ok" : "not ok", "", what, arguments);
    va_end(arguments);
    results->failed += !condition;
    return condition;
}

bool
refused(long result, int error)
{
    return result == -1 && errno == error;
}

void
check_skip(const char *what, ...)
{
    va_list arguments;

    va_start(arguments, what);
    result_print("ok", " # SKIP not here", what, arguments);
    va_end(arguments);
}

void
check_note(const char *what, ...)
{
    va_list arguments;

    printf("# ");
    va_start(arguments, what);
    vprintf(what, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

int
check_end(void)
{
    if (results == NULL)
        return EXIT_FAILURE;
    printf("1..%u\n", results->number);
    fflush(stdout);
    return results->failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

pid_t
check_fork(void)
{
    if (results == NULL)
        results = check_shared(sizeof *results);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    return child;
}

/* The pipe of the latest one: the child closes its end when it stands by, and when it ends. */
static int standing_by[2];

pid_t
check_fork_standing_by(void)
{
    char byte;

    if (pipe(standing_by) != 0) {
        check_that(false, "a pipe: %s", strerror(errno));
        exit(check_end());
    }
    pid_t child = check_fork();
    if (child == 0) {
        close(standing_by[0]);
        return 0;
    }
    close(standing_by[1]);
    while (read(standing_by[0], &byte, 1) < 0 && errno == EINTR)
        continue;
    close(standing_by[0]);
    return child;
}

void
check_stand_by(void)
{
    close(standing_by[1]);
    for (;;)
        pause();
}

int
check_wait(pid_t child)
{
    int status;
    return waitpid(child, &status, 0) == child ? status : -1;
}

int
check_child(void (*body)(void))
{
    pid_t child = check_fork();
    if (child == 0) {
        body();
        fflush(stdout);
        _exit(EXIT_SUCCESS);
    }
    return check_wait(child);
}

void *
check_shared(size_t length)
{
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("check_shared");
        exit(EXIT_FAILURE);
    }
    return memory;
}
