/*
 * What page tables cost. A linear table has an entry for every page that there
 * could be; a two-level table has tables only where something is mapped:
 *
 *     linear      2^20 entries * 4 bytes                      = 4 MiB, always
 *     two levels  1 directory + 1 table for each 4 MiB in use   (4-byte entries)
 *     PAE         likewise, 1 table for each 2 MiB in use       (8-byte entries)
 *
 * The worst case for two levels is memory used sparsely: one page in every window
 * needs a whole table for itself.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/counters.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    WINDOWS = 8,                      /* in the experiment with sparse and dense memory */
    SPARSE_STEP = (4 << 20) / PAGE_SIZE, /* pages from one to the next: a window of its own in each format */
    STRAY = 3,                        /* tables that one experiment may need beside what it is about */
};

static uintptr_t window_bytes; /* what one table maps */

/* Table pages of this process: counted by Belady, and in KiB by Linux. */
static long
tables_counted(void)
{
    struct counters counters = { NULL, 0 };
    counters_prepare(&counters, COUNTERS_OF_PROCESS);
    counters_take(&counters, COUNTERS_OF_PROCESS);
    long tables = counter_value(&counters, "nr_page_table_pages");
    free(counters.text);
    if (tables != COUNTER_MISSING)
        return tables;

    char *status = file_text("/proc/self/status");
    char *line = status == NULL ? NULL : strstr(status, "VmPTE:");
    tables = line == NULL ? 0 : atol(line + strlen("VmPTE:")) * 1024 / PAGE_SIZE;
    free(status);
    return tables;
}

/*
 * Adds the pages present in [start, end) to *pages. Returns how many windows hold at least one of
 * them; *last is the window that was counted last, so that neighbouring regions count a window once.
 */
static long
windows_used(uintptr_t start, uintptr_t end, uintptr_t *last, long *pages)
{
    long windows = 0;
    for (uintptr_t address = start; address != end; address += PAGE_SIZE) {
        if (!pagemap_present((void *) address, 1))
            continue;
        ++*pages;
        if (address / window_bytes != *last)
            windows++;
        *last = address / window_bytes;
    }
    return windows;
}

/* Walks /proc/self/maps: tables that the pages present now need. */
static long
tables_needed(long *pages)
{
    char *maps = file_text("/proc/self/maps");
    uintptr_t last = UINTPTR_MAX;
    long tables = 0;

    *pages = 0;
    for (char *line = maps == NULL ? NULL : strtok(maps, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx", &start, &end) == 2)
            tables += windows_used(start, end, &last, pages);
    }
    free(maps);
    return tables;
}

static void
process_show(int entry_bytes)
{
    long pages, needed = tables_needed(&pages), counted = tables_counted();
    long linear = (1L << 20) * entry_bytes >> 10;

    story_tell("This process has touched %ld pages, %ld KiB, and they lie in %ld windows of %lu MiB:", pages,
               pages * PAGE_SIZE >> 10, needed, (unsigned long) window_bytes >> 20);
    printf("    linear table    2^20 entries * %d bytes    %5ld KiB\n", entry_bytes, linear);
    printf("    two levels      %2ld tables in use          %5ld KiB (and the directory)\n", needed,
           needed * PAGE_SIZE >> 10);
    printf("    counted         %2ld pages of tables        %5ld KiB\n", counted, counted * PAGE_SIZE >> 10);
    expect(counted >= needed || story_entries_vanish(), "there is a table for each window in use");
    expect(counted * (PAGE_SIZE >> 10) < linear / 8, "a small part of what a linear table takes");
}

/* Touches WINDOWS pages, one every `step` pages, and returns how many pages of tables that took. */
static long
tables_taken(size_t step)
{
    /* One step more than needed, so that the area begins where a window does. */
    char *area = pages_map((WINDOWS + 1) * step);
    uintptr_t window = step * PAGE_SIZE, start = ((uintptr_t) area + window - 1) / window * window;
    long before = tables_counted();

    for (int i = 0; i < WINDOWS; i++)
        *(volatile char *) (start + i * window) = 1;
    return tables_counted() - before;
}

int
main(void)
{
    int pae = switch_is("paging", "2level", "pae");

    story_begin("pagetable", "What page tables cost: a table for each part of the address space in use, against "
                "one entry for every page there could be.");
    window_bytes = pae ? 2 << 20 : 4 << 20;
    process_show(pae ? sizeof(uint64_t) : sizeof(uint32_t));

    story_tell("%d pages side by side, then %d pages in windows of their own:", WINDOWS, WINDOWS);
    long dense = tables_taken(1), sparse = tables_taken(SPARSE_STEP);
    printf("    dense  %+3ld tables for %d pages\n    sparse %+3ld tables for %d pages\n", dense, WINDOWS, sparse,
           WINDOWS);
    expect(dense <= STRAY, "pages side by side share a table");
    if (story_entries_vanish())
        story_skip("tables are given back as their entries vanish, so they cannot be compared");
    else
        expect(sparse >= WINDOWS && sparse <= WINDOWS + STRAY, "each lonely page needs a table, as large as itself");
    return story_end();
}
