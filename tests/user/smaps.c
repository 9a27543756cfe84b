/*
 * What memory a process uses, as /proc/PID/smaps, smaps_rollup, status and statm say it: the frame of zeroes is nobody's,
 * what is shared is divided among its sharers, and all of them say the same.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/lib/check.h"
#include "user/lib/system.h"

enum { PAGE = 4096, PAGES = 16, KB = PAGE / 1024, TEXT = 1 << 16 };

/* Linux counts resident pages in batches where several processors do: status and statm may be off by so much. */
enum { SLACK = 64 * KB };

static char text[TEXT];

static void
text_read(const char *path)
{
    int file = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t got;

    while ((got = read(file, text + length, TEXT - 1 - length)) > 0)
        length += (size_t) got;
    close(file);
    text[length] = '\0';
}

/* The number of kB behind a name at the beginning of a line from `from` on, up to the next mapping; or -1. */
static long
figure(const char *from, const char *name)
{
    for (const char *line = from; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (line != from && strncmp(line, "VmFlags:", 8) == 0)
            return -1;
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            return strtol(line + strlen(name) + 1, NULL, 10);
    }
    return -1;
}

/* The mapping that begins at `base`, in a fresh text of smaps, or "". */
static const char *
mapping(const void *base)
{
    char start[16];
    const char *found;

    text_read("/proc/self/smaps");
    snprintf(start, sizeof start, "%08lx-", (unsigned long) (uintptr_t) base);
    found = strncmp(text, start, strlen(start)) == 0 ? text : strstr(text, start);
    return found != NULL ? found : "";
}

static long
figure_of(const void *base, const char *name)
{
    return figure(mapping(base), name);
}

/* Whether VmFlags of the mapping has a flag. */
static bool
flag_of(const void *base, const char *flag)
{
    char flags[128] = "", spaced[8];
    const char *line = strstr(mapping(base), "VmFlags:");

    if (line != NULL)
        sscanf(line, "%127[^\n]", flags);
    snprintf(spaced, sizeof spaced, " %s ", flag);
    return strstr(flags, spaced) != NULL;
}

static char *
map(int flags, int file)
{
    /* A forbidden page on both sides keeps it apart from others. */
    char *base = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mmap(base + PAGE, PAGES * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file, 0);
}

static int
touch(volatile char *base, int pages, bool write)
{
    int sum = 0;

    for (int i = 0; i < pages; i++) {
        if (write)
            base[i * PAGE] = 1;
        sum += base[i * PAGE];
    }
    return sum;
}

static bool
kinds_are(const void *base, long shared_clean, long shared_dirty, long private_clean, long private_dirty)
{
    const char *here = mapping(base);
    bool alike = figure(here, "Shared_Clean") == shared_clean && figure(here, "Shared_Dirty") == shared_dirty &&
                 figure(here, "Private_Clean") == private_clean && figure(here, "Private_Dirty") == private_dirty;
    if (!alike)
        check_note("shared %ld %ld, private %ld %ld", figure(here, "Shared_Clean"), figure(here, "Shared_Dirty"),
                   figure(here, "Private_Clean"), figure(here, "Private_Dirty"));
    return alike;
}

/* ---- One process ---- */

static void
zero_check(void)
{
    char *base = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    long before, after;

    check_that(figure_of(base, "Size") == PAGES * KB && figure_of(base, "Rss") == 0, "a new mapping has a size and nothing in memory");
    text_read("/proc/self/status");
    before = figure(text, "VmRSS");
    check_that(touch(base, PAGES, false) == 0, "its pages are read");
    check_that(figure_of(base, "Rss") == 0 && figure_of(base, "Pss") == 0, "the frame of zeroes is not in Rss");
    text_read("/proc/self/status");
    after = figure(text, "VmRSS");
    check_that(before >= 0 && after - before < PAGES * KB, "nor in VmRSS");
    munmap(base, PAGES * PAGE);
}

static void
private_check(void)
{
    char *base = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);

    touch(base, PAGES / 2, true);
    check_that(figure_of(base, "Rss") == PAGES / 2 * KB && figure_of(base, "Anonymous") == PAGES / 2 * KB, "written pages are in Rss and Anonymous");
    check_that(figure_of(base, "Pss") == PAGES / 2 * KB && kinds_are(base, 0, 0, 0, PAGES / 2 * KB), "they are private and dirty, wholly this process's");
    check_that(figure_of(base, "Referenced") == PAGES / 2 * KB, "and were used");
    check_that(figure_of(base, "Locked") == 0 && mlock(base, PAGES * PAGE) == 0 && figure_of(base, "Locked") == PAGES * KB, "mlock shows in Locked");
    check_that(flag_of(base, "lo") && flag_of(base, "rd") && flag_of(base, "wr") && !flag_of(base, "ex") && !flag_of(base, "sh"), "VmFlags says so, and what is permitted");
    munlock(base, PAGES * PAGE);
    check_that(!flag_of(base, "lo") && figure_of(base, "Locked") == 0, "munlock shows too");
    madvise(base, PAGES * PAGE, MADV_PAGEOUT);
    check_that(figure_of(base, "Rss") + figure_of(base, "Swap") == PAGES * KB, "a page is in Rss or in Swap");
    madvise(base, PAGES * PAGE, MADV_DONTNEED);
    check_that(figure_of(base, "Rss") == 0 && figure_of(base, "Swap") == 0, "MADV_DONTNEED empties both");
    munmap(base, PAGES * PAGE);
}

/* ---- Files ---- */

static void
file_check(void)
{
    char zeroes[PAGES * PAGE] = "", name[] = "/tmp/smapsXXXXXX";
    int file = mkstemp(name);
    char *base;

    check_that(file >= 0 && write(file, zeroes, sizeof zeroes) == sizeof zeroes, "a file in /tmp");
    unlink(name);
    base = map(MAP_SHARED, file);
    check_that(figure_of(base, "Rss") == 0, "mapped and not touched, it is not in Rss");
    touch(base, PAGES, true);
    check_that(figure_of(base, "Rss") == PAGES * KB && figure_of(base, "Anonymous") == 0, "touched it is, and is not Anonymous");
    check_that(flag_of(base, "sh") && flag_of(base, "ms"), "VmFlags says that it is shared");
    munmap(base, PAGES * PAGE);
    base = map(MAP_PRIVATE, file);
    touch(base, PAGES, false);
    touch(base, 3, true);
    check_that(figure_of(base, "Rss") == PAGES * KB && figure_of(base, "Anonymous") == 3 * KB, "mapped privately, the pages written are Anonymous");
    munmap(base, PAGES * PAGE);
    close(file);
}

/* ---- Sharers ---- */

static int to_child[2], to_parent[2];

static void
step(int out, int in)
{
    char byte = 0;

    if (write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1)
        _exit(1);
}

/* After fork the pages belong to both; what one of them writes is its own from then on. */
static void
fork_check(void)
{
    char *base = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    pid_t child;

    check_that(pipe(to_child) == 0 && pipe(to_parent) == 0, "pipes");
    touch(base, PAGES, true);
    child = check_fork();
    if (child == 0) {
        touch(base, PAGES, false);
        step(to_parent[1], to_child[0]);
        touch(base, PAGES / 4, true);
        step(to_parent[1], to_child[0]);
        _exit(0);
    }
    touch(base, PAGES, false);
    check_that(read(to_parent[0], text, 1) == 1, "a child has the same pages");
    check_that(kinds_are(base, 0, PAGES * KB, 0, 0) && figure_of(base, "Pss") == PAGES * KB / 2, "they are shared, and each process's by half");
    step(to_child[1], to_parent[0]);
    check_that(kinds_are(base, 0, PAGES * 3 / 4 * KB, 0, PAGES / 4 * KB), "what the child has written is shared no more");
    check_that(figure_of(base, "Pss") == PAGES / 4 * KB + PAGES * 3 / 4 * KB / 2, "and wholly each process's own");
    check_that(write(to_child[1], text, 1) == 1 && check_wait(child) == 0, "the child ends");
    check_that(kinds_are(base, 0, 0, 0, PAGES * KB), "then everything is private");
    munmap(base, PAGES * PAGE);
}

/* Of what is swapped each process has its part as well. Linux leaves in memory what several map. */
static void
swapped_check(void)
{
    char *base;
    pid_t child;

    if (!system_is_belady() || memory_bytes("SwapFree") < 2 * PAGES * PAGE) {
        check_skip("evicting shared pages");
        return;
    }
    base = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    touch(base, PAGES, true);
    child = check_fork();
    if (child == 0) {
        step(to_parent[1], to_child[0]);
        _exit(0);
    }
    read(to_parent[0], text, 1);
    madvise(base, PAGES * PAGE, MADV_PAGEOUT);
    check_that(figure_of(base, "Swap") == PAGES * KB && figure_of(base, "SwapPss") == PAGES * KB / 2, "swapped pages that two share are each one's by half");
    check_that(write(to_child[1], text, 1) == 1 && check_wait(child) == 0, "the child ends");
    check_that(figure_of(base, "SwapPss") == PAGES * KB, "and then wholly the other's");
    munmap(base, PAGES * PAGE);
}

/* ---- All together ---- */

static long
sum_of(const char *name)
{
    long sum = 0;

    text_read("/proc/self/smaps");
    for (const char *here = text; (here = strstr(here, name)) != NULL; here += strlen(name)) {
        if (here[-1] == '\n')
            sum += strtol(here + strlen(name), NULL, 10);
    }
    return sum;
}

static void
sums_check(void)
{
    long resident = sum_of("Rss:"), proportional = sum_of("Pss:"), rollup, status, statm;
    long kinds = sum_of("Shared_Clean:") + sum_of("Shared_Dirty:") + sum_of("Private_Clean:") + sum_of("Private_Dirty:");

    check_that(resident > 0 && kinds == resident, "clean and dirty, shared and private make up Rss");
    check_that(proportional <= resident && proportional > 0, "Pss is at most that");
    text_read("/proc/self/smaps_rollup");
    check_that(strstr(text, "[rollup]\n") != NULL, "smaps_rollup is one mapping");
    rollup = figure(text, "Rss");
    check_that(labs(rollup - resident) <= 4 * KB, "its Rss is the sum");
    check_that(labs(figure(text, "Pss") - proportional) <= 4 * KB, "so is its Pss");
    check_that(labs(figure(text, "Pss_Anon") + figure(text, "Pss_File") + figure(text, "Pss_Shmem") - figure(text, "Pss")) <= 2, "which is made of three parts");
    text_read("/proc/self/status");
    status = figure(text, "VmRSS");
    check_that(labs(status - rollup) <= SLACK, "VmRSS is the same");
    check_that(figure(text, "RssAnon") + figure(text, "RssFile") + figure(text, "RssShmem") == status, "RssAnon, RssFile and RssShmem make it up");
    check_that(figure(text, "VmHWM") >= status - SLACK, "VmHWM is not less");
    text_read("/proc/self/statm");
    statm = 0;
    sscanf(text, "%*d %ld", &statm);
    check_that(labs(statm * KB - status) <= SLACK, "statm says it in pages");
}

int
main(void)
{
    zero_check();
    private_check();
    file_check();
    fork_check();
    sums_check();
    swapped_check();
    return check_end();
}
