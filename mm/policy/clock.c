/*
 * Clock, or second chance: frames stand in a ring, and a hand goes round. A page
 * that was used since the hand's last visit is passed over and its reference bit
 * cleared; the first one that was not is the victim. An approximation of LRU at
 * the cost of FIFO (Corbato 1968).
 *
 *          hand
 *            v
 *    [1] -> [1] -> [0] -> [1] -> ...      bits after: [1] [0] victim [1]
 *
 * A new page comes in behind the hand, where the victim stood. Amortised O(1):
 * each bit cleared was set by a use. Needs `referenced`.
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"
#include "mm/policy/text.h"

struct policy_state {
    struct ring ring;
    const struct policy_environment *world;
    uint32_t left;              /* steps that the last search had left, of two turns */
};

static bool
clock_start(struct policy_state *clock, const struct policy_environment *world)
{
    clock->world = world;
    ring_start(&clock->ring, world->links);
    return true;
}

static void
clock_insert(struct policy_state *clock, uint32_t frame)
{
    ring_insert(&clock->ring, frame);
}

static void
clock_remove(struct policy_state *clock, uint32_t frame)
{
    ring_remove(&clock->ring, frame);
}

/* Ends after one turn at the latest: by then every bit is cleared. (A bit that
 * cannot be cleared would make it endless, so two turns are the limit.) */
static uint32_t
clock_select(struct policy_state *clock)
{
    uint32_t steps;

    for (steps = 2 * clock->ring.length; steps > 0; steps--) {
        if (!clock->world->referenced(clock->world, clock->ring.hand))
            break;
        ring_advance(&clock->ring);
    }
    clock->left = steps;
    return clock->ring.hand;
}

static uint32_t
clock_first(struct policy_state *clock)
{
    return clock->ring.hand;
}

static void
clock_explain(struct policy_state *clock, uint32_t victim, struct policy_text *text)
{
    uint32_t passed = 2 * clock->ring.length - clock->left, named = passed < TEXT_CANDIDATES ? passed : TEXT_CANDIDATES;
    uint32_t frame = ring_before(&clock->ring, victim, named);

    text_add(text, "hand:");
    text_skipped(text, passed - named);
    for (uint32_t i = 0; i < named; i++, frame = clock->ring.links[frame].next) {
        text_add(text, " ");
        text_page(text, clock->world, frame);
        text_add(text, "(used)");
    }
    text_add(text, " ");
    text_page(text, clock->world, victim);
    text_add(text, clock->left ? "(not used since its last visit)" : "(all are in use)");
}

const struct policy policy_clock = {
    .name = "clock",
    .state_bytes = sizeof(struct policy_state),
    .start = clock_start,
    .insert = clock_insert,
    .remove = clock_remove,
    .select = clock_select,
    .explain = clock_explain,
    .first = clock_first,
};
