/*
 * ps: the processes, as /proc shows them, with what each has in memory and in the
 * swap area.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/system.h"

enum { PID_WIDTH = 5 };

/* The number behind `name` in a text of "name value" lines; 0 where there is none. */
static long
field_number(const char *text, const char *name)
{
    const char *field = text == NULL ? NULL : strstr(text, name);
    return field == NULL ? 0 : atol(field + strlen(name));
}

/* A file below /proc/PID, to be freed; NULL where it cannot be read. */
static char *
process_text(const char *pid, const char *name)
{
    char *path, *text;

    if (asprintf(&path, "/proc/%s/%s", pid, name) < 0)
        return NULL;
    text = file_text(path);
    free(path);
    return text;
}

/* /proc/PID/stat reads: pid (name) state parent ...; the name may hold anything, so its end is the last parenthesis. */
static void
process_print(const char *pid)
{
    char *stat = process_text(pid, "stat"), *status = process_text(pid, "status");
    char *name = stat == NULL ? NULL : strchr(stat, '('), *end = stat == NULL ? NULL : strrchr(stat, ')');
    char state;
    int parent;

    if (name != NULL && end != NULL && sscanf(end + 1, " %c %d", &state, &parent) == 2)
        printf("%*s %*d %c %8ld %8ld %.*s\n", PID_WIDTH, pid, PID_WIDTH, parent, state,
               field_number(status, "VmRSS:"), field_number(status, "VmSwap:"), (int) (end - name - 1), name + 1);
    free(stat);
    free(status);
}

static int
entry_is_process(const struct dirent *entry)
{
    return isdigit((unsigned char) entry->d_name[0]);
}

static int
entries_compare(const struct dirent **a, const struct dirent **b)
{
    return atoi((*a)->d_name) - atoi((*b)->d_name);
}

int
main(void)
{
    struct dirent **entries;
    int count = scandir("/proc", &entries, entry_is_process, entries_compare);

    if (count < 0) {
        perror("/proc");
        return EXIT_FAILURE;
    }
    printf("%*s %*s S  RSS KiB SWAP KiB NAME\n", PID_WIDTH, "PID", PID_WIDTH, "PPID");
    for (int i = 0; i < count; i++)
        process_print(entries[i]->d_name);
    return EXIT_SUCCESS;
}
