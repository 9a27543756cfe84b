/*
 * Working sets (Denning 1968): the pages that a process has used in the last
 * stretch of its own processor time, the window.
 *
 *     used:   a b a c | a a b a b |          processor time ──>
 *                     └─ window ──┘          working set = {a, b}
 *
 * Pages are counted whether or not they are in memory: the set says what the
 * process needs, not what it has.
 *
 * The record of one address space is a tree of spans, each with the time of last
 * use of neighbouring pages:
 *
 *     working_set ──> span 0x08040: - - 131 131 7 ...     milliseconds
 *                 └─> span 0x5ff80: - 128 ...
 *
 * The page-table layer notes uses here: when the clock tick samples the accessed
 * bits (pmap_sample), and when an entry loses its bit to a replacement policy or
 * goes with an evicted page, so that no use is missed between two samples. What is
 * sampled still counts for the policy: the bit is harvested into frame->referenced.
 *
 * A sample walks the page tables, some twenty instructions for each resident page
 * and a flush of the TLB, an eighth of a window after the last one and not more often
 * than the clock ticks. With accessed=software it is taken at each tick. That is all
 * the cost; an address space without a record, which is one that nobody has asked
 * about, has none.
 */
#pragma once

#include <bsd/sys/tree.h>

#include "kernel/types.h"
#include "mm/units.h"

#define WORKING_SET_SPAN_PAGES 64u

/* Samples in a window: the precision to which the time of a use is known. */
#define WORKING_SET_SAMPLES 8u

/* The window, in milliseconds of processor time (workingset_window=). */
extern u32 working_set_window;

struct working_set_span {
    RB_ENTRY(working_set_span) link;
    u32 first;                              /* page number, a multiple of WORKING_SET_SPAN_PAGES */
    u32 used[WORKING_SET_SPAN_PAGES];       /* time of last use, plus 1; 0: none known */
};

RB_HEAD(working_set_tree, working_set_span);

struct working_set {
    struct working_set_tree spans;
    struct working_set_span *recent;        /* the one last found, or NULL */
    u32 time;                               /* milliseconds of processor time so far; the address space's */
    u32 sampled;                            /* time of the last sample */
};

/* Records in being: there is something to do at clock ticks. */
extern u32 working_set_count;

/* An empty record at this time; NULL if there is no memory. */
struct working_set *working_set_create(u32 time);
void working_set_destroy(struct working_set *set);

/* The page is in use now. False if there is no memory to note it; the last free
 * frames are left to others. Neither sleeps nor evicts. */
bool working_set_note(struct working_set *set, page_t page);

/* Whether it is time for a sample. */
static inline bool
working_set_is_due(const struct working_set *set)
{
    return set->time - set->sampled >= working_set_window / WORKING_SET_SAMPLES;
}

/* A sample has been taken: forgets what has left the window. */
void working_set_expire(struct working_set *set);

/* Pages used in the window that ends now; or of these only those that counts says yes to. */
u32 working_set_pages(const struct working_set *set);
u32 working_set_select(const struct working_set *set, bool (*counts)(void *context, page_t page), void *context);

/* Whether the page is in the set. */
bool working_set_has(struct working_set *set, page_t page);

/* NULL, or what is wrong. */
const char *working_set_check(const struct working_set *set);
