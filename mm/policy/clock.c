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
 * A new page comes in behind the hand, where the victim stood.
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"

static struct ring ring;
static const struct policy_environment *world;

static bool
clock_start(const struct policy_environment *environment)
{
    world = environment;
    return ring_start(&ring, environment);
}

static void
clock_insert(uint32_t frame)
{
    ring_insert(&ring, frame);
}

static void
clock_remove(uint32_t frame)
{
    ring_remove(&ring, frame);
}

/* Ends after one turn at the latest: by then every bit is cleared. (A bit that
 * cannot be cleared would make it endless, so two turns are the limit.) */
static uint32_t
clock_select(void)
{
    for (uint32_t steps = 2 * ring.length; steps > 0; steps--) {
        if (!world->referenced(ring.hand))
            break;
        ring_advance(&ring);
    }
    return ring.hand;
}

const struct policy policy_clock = {"clock", clock_start, clock_insert, clock_remove, clock_select};
