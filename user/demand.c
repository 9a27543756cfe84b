/*
 * Demand paging: a program of N pages of which a run touches U. Nothing is read
 * when the program starts; each page comes in at its first use, by a fault.
 *
 * The program is this one: `library` is N pages of code in its text segment, one
 * small function on each, and "touching" a page is calling its function.
 *
 * The cost model: with C for loading a page along with others, and F for taking a
 * fault, which is all that is dearer about a page that comes by itself,
 *
 *     all at once   N * C
 *     on demand     U * (C + F)       cheaper as long as U/N < C/(C+F)
 *
 * and with m for using a page that is there, and a fault at one use in 1/p, the
 * effective access time is (1 - p) * m + p * (m + C + F) = m + p * (C + F).
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

#define LATENCY  "/proc/sys/vm/ramdisk.latency"
#define PREFETCH "/proc/sys/vm/prefetch"

/* Macros, since the assembler needs the one and a text the other. */
#define LIBRARY_PAGES 128
#define NEIGHBOURS    6      /* with the first page behind a used one, they reach to the next */

enum {
    PAGES = LIBRARY_PAGES, /* N */
    STEP = NEIGHBOURS + 2, /* of so many pages one is used */
    USED = PAGES / STEP,   /* U */
    STRAY = 12,            /* pages of the program's ordinary text and data that come in along the way */
    RARE = 1000,           /* 1/p: uses to a fault, in the effective access time */
};

#define STRING(x)       #x
#define STRING_VALUE(x) STRING(x)

/* N pages of text: on each, a function that returns its page's number. */
extern const char library[];
__asm__(".pushsection .text.library, \"ax\"\n"
        ".balign " STRING_VALUE(PAGE_SIZE) "\n"
        "library:\n"
        ".set number, 0\n"
        ".rept " STRING_VALUE(LIBRARY_PAGES) "\n"
        "mov $number, %eax\n"
        "ret\n"
        ".balign " STRING_VALUE(PAGE_SIZE) "\n"
        ".set number, number + 1\n"
        ".endr\n"
        ".popsection\n");

static int
library_call(int page)
{
    int (*function)(void) = (int (*)(void)) (uintptr_t) (library + page * PAGE_SIZE);
    return function();
}

/* Calls the function on each page that is used. Returns whether each was the right one. */
static bool
library_call_all(void)
{
    bool right = true;
    for (int page = 0; page < PAGES; page += STEP)
        right &= library_call(page) == page;
    return right;
}

static uint64_t
call_cost(int page)
{
    uint64_t start = instructions_now();

    library_call(page);
    return instructions_now() - start;
}

/*
 * The least that it costs to call a function of a page behind a used one, for those from `first` on, while `neighbours`
 * come along with each page that is read. UINT64_MAX where that cannot be had.
 */
static uint64_t
behind_cost(int first, int end, const char *neighbours)
{
    uint64_t least = UINT64_MAX;

    if (!setting_write(PREFETCH, neighbours))
        return least;
    for (int page = first; page < end; page += STEP) {
        uint64_t cost = call_cost(page + 1);
        least = cost < least ? cost : least;
    }
    return least;
}

/*
 * C: instructions that it takes to load a page without a fault of its own: what each of NEIGHBOURS more makes a fault
 * dearer, on a disk that does not let us wait. 0 where that cannot be measured.
 */
static uint64_t
load_cost(void)
{
    char *latency = file_text(LATENCY), *prefetch = file_text(PREFETCH);
    uint64_t alone = UINT64_MAX, together = UINT64_MAX;

    if (latency != NULL && prefetch != NULL && setting_write(LATENCY, "0\n")) {
        alone = behind_cost(0, PAGES / 2, "0\n");
        together = behind_cost(PAGES / 2, PAGES, STRING_VALUE(NEIGHBOURS) "\n");
        setting_write(LATENCY, latency);
        setting_write(PREFETCH, prefetch);
    }
    free(latency);
    free(prefetch);
    return together == UINT64_MAX || together < alone ? 0 : (together - alone) / NEIGHBOURS;
}

/* Prints the effective access time. */
static void
access_tell(uint64_t use, uint64_t load, uint64_t fault)
{
    uint64_t effective = use + (load + fault) / RARE;

    story_tell("Using a page that is there takes m = %llu. If one use in %d faults, the effective access time is m + (C + F) / %d = %llu.",
               (unsigned long long) use, RARE, RARE, (unsigned long long) effective);
}

static void
model_tell(uint64_t load, uint64_t fault)
{
    if (load == 0) {
        story_skip("no pages can be made to come along with others here, so C cannot be measured");
        return;
    }
    story_tell("Loading a page takes C = %llu instructions, a fault F = %llu, both as measured here.",
               (unsigned long long) load, (unsigned long long) fault);
    printf("    all at once  N * C       = %4d * %-13llu = %8llu\n", PAGES, (unsigned long long) load,
           (unsigned long long) load * PAGES);
    printf("    on demand    U * (C + F) = %4d * (%llu + %llu) = %8llu\n", USED, (unsigned long long) load,
           (unsigned long long) fault, (unsigned long long) (load + fault) * USED);
    story_tell("On demand is the cheaper as long as less than %.1f %% of the program is used.",
               100.0 * (double) load / (double) (load + fault));
}

int
main(void)
{
    story_begin("demand", "Demand paging. A program is not read when it starts: each page comes in when it is first "
                "used, by a page fault.");
    story_tell("This program has N = %d pages of library code. Of them, %zu have been touched so far.", PAGES,
               pagemap_present(library, PAGES));

    story_tell("It calls a function on every 8th page, U = %d of them:", USED);
    story_count();
    uint64_t start = instructions_now();
    bool right = library_call_all();
    uint64_t load_and_fault = (instructions_now() - start) / USED;
    story_counted();
    expect(right, "each function was the right one");
    /* Where the disk made the process wait, a second fault maps the page that the first has read. */
    expect_counter(switch_is("ramdisk.latency", "0", "0") ? "fault_file" : "pgmajfault", USED,
                   story_entries_vanish() ? NO_LIMIT : USED + STRAY, "U pages touched, U faults");

    story_tell("The same calls again:");
    story_count();
    start = instructions_now();
    right = library_call_all();
    uint64_t use = (instructions_now() - start) / USED;
    expect(right, "each function was the right one");
    story_counted();
    expect_counter("fault_file", 0, story_entries_vanish() ? NO_LIMIT : STRAY, "a page that is there faults no more");

    uint64_t load = load_cost(), fault = load_and_fault > load ? load_and_fault - load : 0;
    model_tell(load, fault);
    access_tell(use, load, fault);
    return story_end();
}
