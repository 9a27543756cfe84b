/*
 * A pager in user space: a handler for SIGSEGV that maps a page where one is missing,
 * so that the instruction which faulted can run again. It does what the kernel
 * does, one level up: it keeps at most so many pages mapped, and evicts the one
 * that came first (FIFO).
 *
 * Its second act is Belady's anomaly: the reference string below causes 9 faults
 * with three frames, and 10 with four. More memory, more faults.
 */
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "user/lib/story.h"

enum {
    PAGES = 32,      /* in the paged area */
    FEW = 3,         /* frames for the anomaly ... */
    MORE = 4,        /* ... and one more */
    FEW_FAULTS = 9,  /* theory */
    MORE_FAULTS = 10,
};

static const int references[] = { 1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5 };
enum { REFERENCES = sizeof references / sizeof *references };

static char *area;                 /* PAGES pages, none of which is mapped at first */
static int frames;                 /* how many may be mapped at a time */
static char *resident[PAGES];      /* those that are, a ring in the order of their coming */
static volatile unsigned faults;

/* What the pager puts on a page: the square of its number. */
static int
page_contents(int page)
{
    return page * page;
}

static void
page_in(int signal, siginfo_t *information, void *context)
{
    uintptr_t offset = (char *) information->si_addr - area;
    char *page = area + offset / PAGE_SIZE * PAGE_SIZE, **slot = &resident[faults % frames];

    (void) signal;
    (void) context;
    if (information->si_code != SEGV_MAPERR || offset >= PAGES * PAGE_SIZE)
        abort();
    if (*slot != NULL)
        munmap(*slot, PAGE_SIZE);
    if (mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page)
        abort();
    *(int *) page = page_contents(offset / PAGE_SIZE);
    *slot = page;
    faults++;
}

static void
pager_start(int limit)
{
    munmap(area, PAGES * PAGE_SIZE);
    for (int i = 0; i < PAGES; i++)
        resident[i] = NULL;
    frames = limit;
    faults = 0;
}

/* Reads the page's contents; on the way there may be a fault. Returns whether they are right. */
static int
page_right(int page)
{
    return *(volatile int *) (area + page * PAGE_SIZE) == page_contents(page);
}

static unsigned
anomaly_run(int limit)
{
    pager_start(limit);
    printf("    %d frames: ", limit);
    for (int i = 0; i < REFERENCES; i++) {
        unsigned before = faults;
        int right = page_right(references[i]);
        printf(" %d%c%s", references[i], faults > before ? '*' : ' ', right ? "" : "?");
    }
    printf("  %u faults\n", faults);
    return faults;
}

int
main(void)
{
    struct sigaction action = { .sa_sigaction = page_in, .sa_flags = SA_SIGINFO };
    int right = 0;

    story_begin("pager", "A pager in user space. A SIGSEGV handler maps the page that is missing; then the "
                "instruction that faulted runs again.");
    sigaction(SIGSEGV, &action, NULL);
    area = pages_map(PAGES);

    story_tell("Reading %d pages, twice, of which none is mapped at first:", PAGES);
    pager_start(PAGES);
    story_count();
    for (int i = 0; i < 2 * PAGES; i++)
        right += page_right(i % PAGES);
    story_counted();
    expect(faults == PAGES, "the pager was called once for each page: %u times", faults);
    expect(right == 2 * PAGES, "every read got what the pager had put there");
    expect_counter("fault_unmapped", PAGES, PAGES, "the kernel found nothing mapped as often");

    story_tell("Belady's anomaly: pages are referenced in this order, * marks a fault, FIFO evicts.");
    unsigned few = anomaly_run(FEW), more = anomaly_run(MORE);
    expect(few == FEW_FAULTS && more == MORE_FAULTS, "more frames, more faults: %u with %d, %u with %d", few, FEW,
           more, MORE);
    return story_end();
}
