/*
 * Copy on write: after fork, parent and child share every frame. A page is
 * copied when one of them first writes it, and not at all when the other has
 * gone by then.
 *
 *     after fork          child has written      child has gone
 *
 *     parent  child       parent  child          parent
 *        \     /             |      |               |
 *         frame            frame  copy            frame: written in place
 *
 * Under fork=copy there is nothing to share, which is what the others save.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "user/lib/story.h"
#include "user/lib/system.h"

enum {
    PAGES = 64,
    WRITTEN = PAGES / 2, /* by the child: the first half */
    STRAY = 8,           /* pages of stack, data and library that are copied along the way */
};

static uint64_t frames[PAGES]; /* behind each page, as the parent saw them before the fork */

/* How many of the pages from `first` up to `end` lie in the frame where they lay before the fork. */
static int
frames_kept(const char *base, int first, int end)
{
    int kept = 0;
    for (int page = first; page < end; page++)
        kept += pagemap_frame(base + page * PAGE_SIZE) == frames[page];
    return kept;
}

/* Whether frame numbers can be seen at all: without privilege Linux shows zeroes. */
static bool
frames_visible(void)
{
    return frames[0] != 0;
}

static void
child_run(char *base, bool copied)
{
    pages_read(base, PAGES);
    if (frames_visible())
        expect(frames_kept(base, 0, PAGES) == (copied ? 0 : PAGES), copied
               ? "fork=copy: the child has frames of its own from the start"
               : "child: after reading, all %d pages lie in the parent's frames", PAGES);

    story_count();
    pages_write(base, WRITTEN, 'c');
    story_counted();
    expect_counter("fault_cow_copy", copied ? 0 : WRITTEN, copied ? 0 : WRITTEN + STRAY,
                   copied ? "child: nothing is left to copy" : "child: each page it writes is copied once");
    if (frames_visible() && !copied) {
        expect(frames_kept(base, 0, WRITTEN) == 0, "child: the %d written pages moved to new frames", WRITTEN);
        expect(frames_kept(base, WRITTEN, PAGES) == PAGES - WRITTEN, "child: the other %d are shared as before",
               PAGES - WRITTEN);
    }
    story_leave();
}

/* The parent writes all pages when the child has gone: the faults tell the kernel so, but nothing is copied. */
static void
parent_write(char *base, bool copied)
{
    story_count();
    pages_write(base, PAGES, 'w');
    story_counted();
    expect_counter("fault_cow_copy", 0, STRAY, "nothing is copied for the last sharer");
    /* Where entries vanish, some pages have come back since, writable already. */
    if (!copied && !story_entries_vanish())
        expect_counter("fault_cow_reuse", PAGES, NO_LIMIT, "each page is made writable where it lies");
    if (frames_visible())
        expect(frames_kept(base, 0, PAGES) == PAGES, "the parent's pages still lie in their first frames");
}

int
main(void)
{
    bool copied = switch_is("fork", "lazy", "copy");

    story_begin("cow", "Copy on write. After fork, parent and child share their frames, and a page is copied only when "
                "one of the two writes it.");
    char *base = pages_map(PAGES);
    story_tell("The parent writes %d pages and forks (fork=%s).", PAGES, switch_value("fork", "lazy"));
    pages_write(base, PAGES, 'p');
    for (int page = 0; page < PAGES; page++)
        frames[page] = pagemap_frame(base + page * PAGE_SIZE);
    if (!frames_visible())
        story_skip("frame numbers are not shown to this user");

    story_tell("The child reads all of them, then writes the first %d:", WRITTEN);
    pid_t child = story_fork();
    if (child == 0)
        child_run(base, copied);
    story_await(child, "the child");

    expect(pages_hold(base, PAGES, 'p'), "the parent sees nothing of what the child wrote");
    story_tell("The child has gone. Now the parent writes all %d:", PAGES);
    parent_write(base, copied);
    return story_end();
}
