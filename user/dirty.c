/*
 * What the dirty bit saves: a victim that has not been written since it came in
 * from the swap area is the same as its copy there, and is dropped without a
 * write. One that has been written must be written out again.
 *
 * An array larger than memory is swept again and again. In steady state each
 * page that comes in throws another one out:
 *
 *     sweeps that read   victims are clean:  one transfer for each page  (in)
 *     sweeps that write  victims are dirty:  two transfers               (in, out)
 *
 * Under dirty=software there is no such bit: the kernel write-protects a page
 * that came in clean, and the first write traps. The counts are the same.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "user/lib/counters.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    SWEEPS = 3,          /* of each kind */
    EXCESS_PERCENT = 50, /* the array is larger than the free memory by so much, if the swap area has room for it */
    LEAST_PERCENT = 5,   /* with less excess than this there is nothing to be seen */
    MARGIN = 64,         /* slots of the swap area left to others */
    MOST = 512 << 20,    /* bytes: more would only take long */
};

/*
 * Reads each page and then writes it, in two instructions: the page comes in for
 * the read, so that the write is the first thing that makes it dirty.
 */
static void
pages_change(char *base, size_t pages)
{
    for (size_t page = 0; page < pages; page++) {
        volatile char *byte = base + page * PAGE_SIZE;
        char value = *byte;
        *byte = value;
    }
}

/* How many pages the array shall have, or 0 where memory and swap area do not fit the experiment. */
static size_t
array_pages(void)
{
    uint64_t memory = memory_bytes("MemFree") / PAGE_SIZE, swap = memory_bytes("SwapFree") / PAGE_SIZE;
    uint64_t pages = memory + memory * EXCESS_PERCENT / 100;

    if (swap < MARGIN)
        return 0;
    if (pages > swap - MARGIN)
        pages = swap - MARGIN;
    return pages < memory + memory * LEAST_PERCENT / 100 || pages > MOST / PAGE_SIZE ? 0 : pages;
}

static void
read_show(char *base, size_t pages)
{
    story_tell("%d sweeps that only read:", SWEEPS);
    story_count();
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        pages_read(base, pages);
    story_counted();
    expect_counter("reclaim_write_back", 0, pages + MARGIN, "a page that is only read is written out at most once");
    if (story_counter("pgsteal") != COUNTER_MISSING)
        expect(story_counter("reclaim_clean_drop") + (long long) pages + MARGIN >= story_counter("pgsteal"),
               "other victims are clean, and dropped: %lld writes saved", story_counter("reclaim_clean_drop"));
}

static void
write_show(char *base, size_t pages)
{
    story_tell("%d sweeps that read and write:", SWEEPS);
    story_count();
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        pages_change(base, pages);
    story_counted();
    if (story_counter("pgsteal") != COUNTER_MISSING)
        expect(story_counter("reclaim_clean_drop") <= (long long) pages + MARGIN,
               "a page is clean at most once, as the other sweeps left it; then its victims are written: %lld writes",
               story_counter("reclaim_write_back"));
    if (switch_is("dirty", "hardware", "software"))
        expect_counter("fault_dirty", 1, NO_LIMIT, "the kernel learns of each first write by a trap");
    else
        expect_counter("fault_dirty", 0, 0, "the processor notes each first write: no trap");
}

int
main(void)
{
    story_begin("dirty", "Clean and dirty victims. A page that has not been written since it came from the swap area "
                "need not be written to it again.");
    size_t pages = array_pages();
    if (pages == 0) {
        story_skip("%llu MiB of RAM and %llu MiB of swap area are free; the array must be larger than the one and fit "
                   "into the other: boot with mem=64M swap=40M",
                   (unsigned long long) memory_bytes("MemFree") >> 20,
                   (unsigned long long) memory_bytes("SwapFree") >> 20);
        return story_end();
    }

    char *base = pages_map(pages);
    story_tell("Filling an array of %zu pages, %zu MiB, with %llu MiB of RAM free (dirty=%s):", pages,
               pages * PAGE_SIZE >> 20, (unsigned long long) memory_bytes("MemFree") >> 20,
               switch_value("dirty", "hardware"));
    story_count();
    pages_write(base, pages, 'd');
    story_counted();
    expect_counter("reclaim_write_back", 1, NO_LIMIT, "fresh pages have no copy: they are written when they go");

    read_show(base, pages);
    write_show(base, pages);
    expect(pages_hold(base, pages, 'd'), "every page is what it was");
    return story_end();
}
