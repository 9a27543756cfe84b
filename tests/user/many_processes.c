/*
 * A thousand processes at once, each asleep: all can be made, or fork says cleanly that there is no room for more;
 * /proc lists each, and each ends when it is told to.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/check.h"

enum { MANY = 1000, LEAST = 400, STATUS = 7 };

static pid_t children[MANY];

/* Sleeps until the parent closes its end of the pipe. */
static _Noreturn void
child(const int gate[2])
{
    char byte;

    close(gate[1]);
    _exit(read(gate[0], &byte, 1) == 0 ? STATUS : 1);
}

static int
children_make(const int gate[2])
{
    int count = 0;

    while (count < MANY && (children[count] = fork()) >= 0) {
        if (children[count] == 0)
            child(gate);
        count++;
    }
    return count;
}

static int
child_index(pid_t id, int count)
{
    for (int i = 0; i < count; i++) {
        if (children[i] == id)
            return i;
    }
    return -1;
}

/* How many of them /proc lists; 0 if it lists one twice. */
static int
children_listed(int count)
{
    static bool listed[MANY];
    struct dirent *entry;
    DIR *directory = opendir("/proc");
    int found = 0;

    memset(listed, 0, sizeof listed);
    while ((entry = readdir(directory)) != NULL) {
        int i = isdigit((unsigned char) *entry->d_name) ? child_index(atoi(entry->d_name), count) : -1;
        if (i < 0)
            continue;
        if (listed[i])
            return 0;
        listed[i] = true;
        found++;
    }
    closedir(directory);
    return found;
}

static bool
has_parent(pid_t id, pid_t parent)
{
    char name[32], line[256];
    int found = -1;

    snprintf(name, sizeof name, "/proc/%d/status", id);
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "PPid: %d", &found) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return found == parent;
}

static int
children_end(int count)
{
    int ended = 0, status;

    for (int i = 0; i < count; i++)
        ended += waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) && WEXITSTATUS(status) == STATUS;
    return ended;
}

int
main(void)
{
    int gate[2], count, error;

    check_that(pipe(gate) == 0, "a pipe to hold them back");
    fflush(stdout);
    count = children_make(gate);
    error = errno;
    check_that(count == MANY || error == EAGAIN || error == ENOMEM, "%d children, or EAGAIN or ENOMEM", MANY);
    check_that(count >= LEAST, "%d at least", LEAST);
    check_that(children_listed(count) == count, "/proc lists each once");
    check_that(has_parent(children[0], getpid()) && has_parent(children[count - 1], getpid()), "as a child of this process");
    close(gate[1]);
    check_that(children_end(count) == count, "all end as they are told");
    check_that(waitpid(-1, NULL, 0) < 0 && errno == ECHILD, "and none is left");
    check_that(children_listed(count) == 0, "/proc lists none of them any more");
    check_note("there were %d children", count);
    return check_end();
}
