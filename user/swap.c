/*
 * More memory than there is: this program writes more pages than RAM has free,
 * so that some must live in the swap area, and then finds every one unchanged.
 *
 *     |<---------------- written ---------------->|
 *     |<------- free frames ------->|<- swapped ->|
 *
 * Reading the pages again in the same order is the worst case for policies that
 * evict what has not been used for longest: each page is gone just before its
 * turn. Reading them in the opposite order finds the youngest in memory.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "user/lib/counters.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    EXCESS = 8 << 20,       /* bytes beyond what is free, if the swap area has twice that */
    KERNEL_PART = 64,       /* page tables and the like take less than one byte for so many of a program's */
};

/* What is written to a page: its number, scrambled, so that no two pages are alike. */
static uint32_t
page_mark(size_t page)
{
    return (page + 1) * 2654435761U;
}

static void
marks_write(char *base, size_t pages)
{
    for (size_t page = 0; page < pages; page++) {
        uint32_t *words = (uint32_t *) (base + page * PAGE_SIZE);
        words[0] = page_mark(page);
        words[PAGE_SIZE / sizeof *words - 1] = ~page_mark(page);
    }
}

static bool
mark_right(const char *base, size_t page)
{
    const uint32_t *words = (const uint32_t *) (base + page * PAGE_SIZE);
    return words[0] == page_mark(page) && words[PAGE_SIZE / sizeof *words - 1] == ~page_mark(page);
}

/* Reads all pages, forwards or backwards. Returns how many were not what they should be. */
static size_t
marks_wrong(const char *base, size_t pages, bool backwards)
{
    size_t wrong = 0;
    for (size_t i = 0; i < pages; i++)
        wrong += !mark_right(base, backwards ? pages - 1 - i : i);
    return wrong;
}

/* How many pages are more than there is room for in RAM, and not too many; 0, and why is said, if no number is. */
static size_t
pages_to_write(uint64_t memory, uint64_t swap)
{
    size_t excess = swap / 2 < EXCESS ? swap / 2 : EXCESS;

    if (swap == 0)
        story_skip("there is no swap area: boot with swap=32M");
    else if (memory + excess > UINT32_MAX / 4)
        story_skip("%llu MiB are free, too many to fill: boot with mem=64M", (unsigned long long) memory >> 20);
    else if (excess + memory / KERNEL_PART > swap)
        story_skip("%llu MiB of swap area are too few for %llu MiB of free RAM: boot with swap=64M or mem=64M",
                   (unsigned long long) swap >> 20, (unsigned long long) memory >> 20);
    else
        return (memory + excess) / PAGE_SIZE;
    return 0;
}

int
main(void)
{
    uint64_t memory = memory_bytes("MemFree"), swap = memory_bytes("SwapFree");

    story_begin("swap", "More memory than there is. What does not fit into RAM lives in the swap area, and comes back "
                "when it is touched.");
    size_t pages = pages_to_write(memory, swap);
    if (pages == 0)
        return story_end();
    story_tell("%llu MiB of RAM and %llu MiB of swap area are free. Writing %zu pages, %zu MiB (policy=%s):",
               (unsigned long long) memory >> 20, (unsigned long long) swap >> 20, pages, pages * PAGE_SIZE >> 20,
               switch_value("policy", "clock"));
    char *base = pages_map(pages);
    story_count();
    marks_write(base, pages);
    story_counted();
    expect_counter("fault_zero_fill", pages, NO_LIMIT, "each page was zero-filled at its first write");
    expect_counter("pswpout", 1, NO_LIMIT, "some had to be written to the swap area");

    story_tell("Reading them all, from the first to the last:");
    story_count();
    size_t wrong = marks_wrong(base, pages, false);
    story_counted();
    expect(wrong == 0, "every page is what it was (%zu are not)", wrong);
    expect_counter("fault_swap_in", 1, NO_LIMIT, "the missing ones came back");
    long long forwards = story_counter("fault_swap_in");

    story_tell("Reading them all, from the last to the first:");
    story_count();
    wrong = marks_wrong(base, pages, true);
    story_counted();
    expect(wrong == 0, "every page is what it was (%zu are not)", wrong);
    if (forwards != COUNTER_MISSING)
        story_tell("Swapped in: %lld forwards, %lld backwards.", forwards, story_counter("fault_swap_in"));
    return story_end();
}
