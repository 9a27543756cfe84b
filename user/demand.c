/*
 * Demand paging: a program of N pages of which a run touches U. Nothing is read
 * when the program starts; each page comes in at its first use, by a fault.
 *
 * The program is this one: `library` is N pages of code in its text segment, one
 * small function on each, and "touching" a page is calling its function.
 *
 * The cost model: with C for loading a page and F for taking a fault,
 *
 *     all at once   N * C
 *     on demand     U * (C + F)       cheaper as long as U/N < C/(C+F)
 *
 * and with m for using a page that is there, and a fault at one use in 1/p, the
 * effective access time is (1 - p) * m + p * (m + C + F) = m + p * (C + F).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

#define LIBRARY_PAGES 128 /* a macro, since the assembler needs it too */

enum {
    PAGES = LIBRARY_PAGES, /* N */
    USED = PAGES / 8,      /* U */
    STRAY = 12,            /* pages of the program's ordinary text and data that come in along the way */
    MEASUREMENTS = 5,      /* of C: the least disturbed one is taken */
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

/* Calls the function on every `step`-th page. Returns whether each was the right one. */
static bool
library_call_all(int step)
{
    bool right = true;
    for (int page = 0; page < PAGES; page += step)
        right &= library_call(page) == page;
    return right;
}

/* C: instructions that it takes to read one page, when N are read one after the other. */
static uint64_t
load_cost(void)
{
    static char buffer[PAGES * PAGE_SIZE];
    uint64_t least = UINT64_MAX;
    int file = open("/proc/self/exe", O_RDONLY);

    pages_write(buffer, PAGES, 0);
    for (int i = 0; i < MEASUREMENTS; i++) {
        uint64_t start = instructions_now();
        ssize_t got = pread(file, buffer, sizeof buffer, 0);
        uint64_t took = instructions_now() - start;
        if (got == (ssize_t) sizeof buffer && took < least)
            least = took;
    }
    close(file);
    return least == UINT64_MAX ? 0 : least / PAGES;
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
        story_skip("this program's file cannot be read, so C cannot be measured");
        return;
    }
    story_tell("Loading a page takes C = %llu instructions, a fault F = %llu, both as measured here.",
               (unsigned long long) load, (unsigned long long) fault);
    printf("    all at once  N * C       = %4d * %-13llu = %8llu\n", PAGES, (unsigned long long) load,
           (unsigned long long) load * PAGES);
    printf("    on demand    U * (C + F) = %4d * (%llu + %llu) = %8llu\n", USED, (unsigned long long) load,
           (unsigned long long) fault, (unsigned long long) (load + fault) * USED);
    story_tell("On demand is the cheaper as long as less than %llu %% of the program is used.",
               (unsigned long long) (100 * load / (load + fault)));
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
    bool right = library_call_all(PAGES / USED);
    uint64_t fault = (instructions_now() - start) / USED;
    story_counted();
    expect(right, "each function was the right one");
    /* Where the disk made the process wait, a second fault maps the page that the first has read. */
    expect_counter(switch_is("ramdisk.latency", "0", "0") ? "fault_file" : "pgmajfault", USED,
                   story_entries_vanish() ? NO_LIMIT : USED + STRAY, "U pages touched, U faults");

    story_tell("The same calls again:");
    story_count();
    start = instructions_now();
    right = library_call_all(PAGES / USED);
    uint64_t use = (instructions_now() - start) / USED;
    expect(right, "each function was the right one");
    story_counted();
    expect_counter("fault_file", 0, story_entries_vanish() ? NO_LIMIT : STRAY, "a page that is there faults no more");

    uint64_t load = load_cost();
    model_tell(load, fault);
    access_tell(use, load, fault);
    return story_end();
}
