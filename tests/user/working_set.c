/*
 * /proc/PID/workingset: a program goes through phases, each with pages of its own, and its working set is what it uses now.
 * Linux has no such file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

#define WINDOW_FILE "/proc/sys/vm/workingset_window"

enum {
    WINDOW = 40,            /* milliseconds */
    PHASES = 3,
    STRAY = 40,             /* pages of text, data and stack that a phase uses besides */
};

static const size_t phase_pages[PHASES] = { 300, 20, 150 };

static long
workingset_line(const char *pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/workingset", pid);
    char *text = file_text(path), *line = text == NULL ? NULL : strstr(text, name);
    long value = line == NULL || line[strlen(name)] != '\t' ? -1 : atol(line + strlen(name));

    free(text);
    return value;
}

/* What writing this to the setting comes to: 0 or an errno. */
static int
window_write(const char *text)
{
    int file = open(WINDOW_FILE, O_WRONLY);
    int error = file < 0 || write(file, text, strlen(text)) < 0 ? errno : 0;

    if (file >= 0)
        close(file);
    return error;
}

/* Processor time of this process, nearly all of the machine's while nobody else runs. */
static long
milliseconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Uses some pages again and again, for three windows. */
static void
phase_run(char *base, size_t pages)
{
    for (long end = milliseconds_now() + 3 * WINDOW; milliseconds_now() < end;)
        for (size_t page = 0; page < pages; page++)
            base[page * PAGE_SIZE]++;
}

static void
phases_check(void)
{
    for (int phase = 0; phase < PHASES; phase++) {
        size_t pages = phase_pages[phase];
        char *base = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        phase_run(base, pages);
        long set = workingset_line("self", "Pages:");
        check_that(set >= (long) pages && set <= (long) pages + STRAY, "phase %d uses %zu pages, and the working set has %ld", phase,
                   pages, set);
    }
    /* Resident is what page-table entries map, and with accessed=software these go at each clock tick. */
    if (switch_is("accessed", "hardware", "hardware"))
        check_that(workingset_line("self", "Resident:") >= (long) (phase_pages[0] + phase_pages[1] + phase_pages[2]),
                   "the pages of earlier phases are in memory still");
}

/* A child that sleeps: its own time stands still, and so does its set. */
static void
sleeper_check(void)
{
    char pid[16];
    pid_t child = check_fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(pid, sizeof pid, "%d", (int) child);
    usleep(20000);
    long before = workingset_line(pid, "Pages:");
    usleep(3 * WINDOW * 1000);
    check_that(before > 0 && workingset_line(pid, "Pages:") == before, "a process that sleeps keeps its working set of %ld pages", before);
    kill(child, SIGKILL);
    check_wait(child);
    check_that(workingset_line(pid, "Pages:") == -1, "one that has ended has none");
}

static void
setting_check(void)
{
    static const char *const bad[] = { "9", "60001", "-1", "soon" };
    char *before = file_text(WINDOW_FILE);

    check_that(before != NULL && strcmp(before, "100\n") == 0, "the window is 100 ms if nothing is said");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_that(window_write(bad[i]) == EINVAL, "a window of %s is refused", bad[i]);
    check_that(window_write("10") == 0 && window_write("60000") == 0, "10 and 60000 are the limits");
    check_that(workingset_line("self", "Window:") == 60000, "the file says which window is in force");
    free(before);
}

int
main(void)
{
    char window[16];

    if (access(WINDOW_FILE, F_OK) != 0) {
        check_skip("there is no " WINDOW_FILE " here");
        return check_end();
    }
    setting_check();
    snprintf(window, sizeof window, "%d\n", WINDOW);
    check_that(window_write(window) == 0, "the window is now %d ms", WINDOW);
    phases_check();
    sleeper_check();
    return check_end();
}
