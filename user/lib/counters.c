/*
 * Readings of the kernel's counters. See counters.h.
 *
 * A reading is kept as the text that the kernel gave: taking one is then a
 * single read into memory that is there already, which disturbs what is being
 * counted as little as can be.
 */
#include "user/lib/counters.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/system.h"

/* What each counter counts, in the textbook's words. Counters that are not listed are not printed. */
static const struct {
    const char *name;
    const char *meaning;
} meanings[] = {
    {"pgfault", "page faults in all"},
    {"pgmajfault", "of them, had to read a block device"},
    {"fault_zero_fill", "a fresh frame of zeroes for a first write"},
    {"fault_zero_map", "first read: the shared frame of zeroes mapped"},
    {"fault_file", "a page of a file mapped"},
    {"fault_file_copy", "private write to a file's page: copied"},
    {"fault_cow_copy", "copy on write: copied"},
    {"fault_cow_reuse", "copy on write: last sharer, nothing copied"},
    {"fault_swap_in", "brought in from the swap area"},
    {"fault_soft", "only the table entry was missing"},
    {"fault_dirty", "first write seen by software"},
    {"fault_accessed", "first access seen by software"},
    {"fault_protection", "refused: the protection forbids it"},
    {"fault_execute", "refused: the page must not be executed"},
    {"fault_unmapped", "refused: nothing is mapped there"},
    {"fault_bus", "refused: beyond the end of the file"},
    {"fault_stack_growth", "the stack region was extended"},
    {"pswpin", "pages read from the swap area"},
    {"pswpout", "pages written to the swap area"},
    {"device_read", "transfers that read pages"},
    {"prefetch_read", "pages that came along with one that was wanted"},
    {"prefetch_useful", "of them, those that were used"},
    {"prefetch_useless", "of them, those that went unused"},
    {"zero_pool_hit", "zero fills from the pool of cleared frames"},
    {"zero_pool_miss", "zero fills that had to clear a frame"},
    {"pgsteal", "victims in all"},
    {"reclaim_clean_drop", "clean victims, dropped without a write"},
    {"reclaim_write_back", "dirty victims, written"},
    {"fork_lazy", "forks that shared the chunks"},
    {"fork_cow", "forks that shared the pages"},
    {"fork_copy", "forks that copied the pages"},
    {"fork_page_copy", "pages copied at fork"},
    {"vfork", "vforks, which shared everything"},
    {"chunk_split", "chunks split after a fork"},
    {"table_alloc", "page tables allocated"},
    {"table_free", "page tables freed"},
    {"process_suspend", "processes suspended by load control"},
    {"process_resume", "and resumed"},
    {"oom_kill", "processes killed for want of memory"},
    {"failslab", "allocations that failed on purpose"},
};

void
counters_prepare(struct counters *counters, const char *path)
{
    char *text = file_text(path);
    /* Twice as long as it is now: the numbers will have grown by then. */
    counters->capacity = 2 * (text == NULL ? 0 : strlen(text)) + 1;
    counters->text = realloc(text, counters->capacity);
    if (counters->text == NULL) {
        perror("counters");
        exit(EXIT_FAILURE);
    }
    memset(counters->text, 0, counters->capacity);
}

void
counters_take(struct counters *counters, const char *path)
{
    size_t length = 0;
    int file = open(path, O_RDONLY);
    ssize_t got;

    while (length < counters->capacity - 1
           && (got = read(file, counters->text + length, counters->capacity - 1 - length)) > 0)
        length += got;
    counters->text[length] = '\0';
    if (file >= 0)
        close(file);
}

long long
counter_value(const struct counters *counters, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = counters->text; *line != '\0'; line += *line == '\n') {
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return atoll(line + length);
        line += strcspn(line, "\n");
    }
    return COUNTER_MISSING;
}

long long
counter_difference(const struct counters *before, const struct counters *after, const char *name)
{
    long long from = counter_value(before, name), to = counter_value(after, name);
    return from == COUNTER_MISSING || to == COUNTER_MISSING ? COUNTER_MISSING : to - from;
}

enum counters_kind
counter_kind(const char *name)
{
    return strstr(name, "fault") != NULL ? COUNTERS_FAULTS : COUNTERS_OTHERS;
}

void
counters_print(const struct counters *before, const struct counters *after, enum counters_kind kinds)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        const char *name = meanings[i].name;
        long long difference = before == NULL ? counter_value(after, name) : counter_difference(before, after, name);
        if (difference > 0 && counter_kind(name) & kinds)
            printf("    %-20s %+8lld  %s\n", name, difference, meanings[i].meaning);
    }
}
