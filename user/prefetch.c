/*
 * Anticipatory paging: with each page that must be read come N that follow it, in
 * one transfer.
 *
 *     N = 0    p      p+1    p+2    p+3        4 waits for the disk
 *     N = 3    p p+1 p+2 p+3                   1 wait
 *
 * The same pages are swept in order, where every neighbour is wanted a moment
 * later, and touched at random, a few of them, where most neighbours are not. Once
 * they are pages of a file (this program's own), once private memory in the swap
 * area.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "user/lib/measure.h"
#include "user/lib/story.h"
#include "user/lib/system.h"

#define SETTING     "/proc/sys/vm/prefetch"
#define SWEPT_PAGES 128 /* a macro, since the assembler needs it too */

enum {
    PAGES = SWEPT_PAGES,
    FRAMES = 2 * PAGES,     /* for them, and for the program */
    TOUCHED = PAGES / 8,    /* of them, at random */
    GAIN = 4,               /* at least, of the largest N on a slow disk */
    STRAY = 2,              /* further pages of the program that may come in along the way */
};

static const int neighbours[] = { 0, 1, 2, 4, 8, 16, 32 };
enum { ROUNDS = sizeof neighbours / sizeof *neighbours };

#define STRING(x)       #x
#define STRING_VALUE(x) STRING(x)

/* Pages of the program's file; the first byte of each is its number. */
extern const char file_pages[];
__asm__(".pushsection .rodata.pages, \"a\"\n"
        ".balign " STRING_VALUE(PAGE_SIZE) "\n"
        "file_pages:\n"
        ".set number, 0\n"
        ".rept " STRING_VALUE(SWEPT_PAGES) "\n"
        ".byte number\n"
        ".balign " STRING_VALUE(PAGE_SIZE) "\n"
        ".set number, number + 1\n"
        ".endr\n"
        ".popsection\n");

/* What one sweep did. */
struct sweep {
    long long faults, transfers, useful, useless;
    uint64_t microseconds;
};

static void
neighbours_set(int n)
{
    char value[16];

    snprintf(value, sizeof value, "%d\n", n);
    if (!setting_write(SETTING, value))
        expect(false, "%s takes %d (%s)", SETTING, n, strerror(errno));
}

/* Touches pages in this order. Returns whether each was the right one. */
static bool
pages_touch(const char *base, const int *order, int count)
{
    bool right = true;
    for (int i = 0; i < count; i++)
        right &= *(const volatile char *) (base + order[i] * PAGE_SIZE) == (char) order[i];
    return right;
}

static void
pages_evict(const char *base)
{
    madvise((void *) (uintptr_t) base, PAGES * PAGE_SIZE, MADV_PAGEOUT);
}

/* With all pages out of memory, touches some and puts all out again. What was read for nothing is known then. */
static struct sweep
sweep_run(const char *base, const int *order, int count, int n)
{
    struct sweep sweep;

    neighbours_set(n);
    pages_evict(base);
    story_count();
    uint64_t start = microseconds_now();
    bool right = pages_touch(base, order, count);
    sweep.microseconds = microseconds_now() - start;
    pages_evict(base);
    story_counted_silently();
    if (!right)
        expect(false, "every page is what it was (N = %d)", n);
    sweep.faults = story_counter("pgmajfault");
    sweep.transfers = story_counter("device_read");
    sweep.useful = story_counter("prefetch_useful");
    sweep.useless = story_counter("prefetch_useless");
    return sweep;
}

static void
sweep_print(int n, const struct sweep *sweep)
{
    printf("    %2d  %12lld  %9lld  %6lld  %7lld  %8llu us\n", n, sweep->faults, sweep->transfers, sweep->useful, sweep->useless,
           (unsigned long long) sweep->microseconds);
}

static void
sweeps_run(const char *base, const int *order, int count, struct sweep *sweeps)
{
    sweep_run(base, order, count, 0); /* brings in what the measuring itself needs */
    printf("     N  major faults  transfers  useful  useless       time\n");
    for (int i = 0; i < ROUNDS; i++) {
        sweeps[i] = sweep_run(base, order, count, neighbours[i]);
        sweep_print(neighbours[i], &sweeps[i]);
    }
}

static void
order_sequential(int *order)
{
    for (int i = 0; i < PAGES; i++)
        order[i] = i;
}

/* All pages in a random order, the same each time. */
static void
order_random(int *order)
{
    uint32_t seed = 1;

    order_sequential(order);
    for (int i = PAGES - 1; i > 0; i--) {
        seed = seed * 1664525 + 1013904223;
        int other = (seed >> 16) % (i + 1), page = order[i];
        order[i] = order[other];
        order[other] = page;
    }
}

static void
sequential_tell(const char *base)
{
    int order[PAGES];
    struct sweep sweeps[ROUNDS];
    bool fewer = true, useful = true;

    story_tell("In order, all %d pages:", PAGES);
    order_sequential(order);
    sweeps_run(base, order, PAGES, sweeps);
    for (int i = 0; i < ROUNDS; i++) {
        int n = neighbours[i], theory = (PAGES + n) / (n + 1);
        fewer &= sweeps[i].faults >= theory && sweeps[i].faults <= theory + STRAY && sweeps[i].transfers == sweeps[i].faults;
        useful &= sweeps[i].useful >= PAGES - theory - STRAY && sweeps[i].useless <= n;
    }
    expect(fewer, "%d pages cost %d / (N + 1) major faults, and as many transfers", PAGES, PAGES);
    expect(useful, "all that came along was useful");
    if (!switch_is("ramdisk.latency", "0", "0"))
        expect(sweeps[ROUNDS - 1].microseconds < sweeps[0].microseconds / GAIN,
               "a slow disk has less to do: N = %d is more than %d times as fast as N = 0", neighbours[ROUNDS - 1], GAIN);
    else
        story_skip("how much time that saves is seen with a slow disk: ramdisk.latency=500");
}

static void
random_tell(const char *base)
{
    int order[PAGES];
    struct sweep sweeps[ROUNDS];
    bool grows = true;

    story_tell("At random, %d of the %d pages:", TOUCHED, PAGES);
    order_random(order);
    sweeps_run(base, order, TOUCHED, sweeps);
    /* With the largest N nearly all pages come in anyway: there are no more to be useless. */
    for (int i = 1; i < ROUNDS - 1; i++)
        grows &= sweeps[i].useless > sweeps[i - 1].useless;
    expect(sweeps[0].useful == 0 && sweeps[0].useless == 0, "with N = 0 nothing comes unasked");
    expect(grows, "the larger N, the more pages come for nothing, until nearly all are in");
    expect(sweeps[ROUNDS - 1].useless > sweeps[ROUNDS - 1].useful, "with N = %d most do come for nothing", neighbours[ROUNDS - 1]);
}

int
main(int count, char **arguments)
{
    story_argument(count, arguments, NULL);
    char *before = file_text(SETTING);

    story_begin("prefetch", "Anticipatory paging. With each page that must be read, N that follow it are read in the same "
                "transfer, in the hope that they will be wanted.");
    if (before == NULL)
        story_skip("there is no %s here", SETTING);
    if (before == NULL || !story_may_have(FRAMES))
        return story_end();
    expect(!setting_write(SETTING, "many\n") && errno == EINVAL, "an N that is no number is refused");
    story_tell("Pages of a file:");
    sequential_tell(file_pages);
    random_tell(file_pages);

    if (memory_bytes("SwapFree") < 2 * PAGES * PAGE_SIZE) {
        story_skip("there is no swap area to speak of: boot with swap=32M");
    } else {
        char *base = pages_map(PAGES);
        story_tell("Private memory in the swap area:");
        for (int page = 0; page < PAGES; page++)
            base[page * PAGE_SIZE] = (char) page;
        sequential_tell(base);
        random_tell(base);
    }
    setting_write(SETTING, before);
    free(before);
    return story_end();
}
