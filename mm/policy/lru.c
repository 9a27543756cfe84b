/*
 * Least recently used, exactly: the page whose last reference lies furthest back
 * goes, on the belief that the past foretells the future. Needs every reference
 * (or, at the clock tick, samples of them); too dear for hardware, and what the
 * others try to come near to.
 *
 * The frames stand in a queue, and a reference sends a page to its end.
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"
#include "mm/policy/text.h"

struct policy_state {
    struct ring queue;
    const struct policy_environment *world;
};

static bool
lru_start(struct policy_state *lru, const struct policy_environment *world)
{
    lru->world = world;
    ring_start(&lru->queue, world->links);
    return true;
}

static void
lru_insert(struct policy_state *lru, uint32_t frame)
{
    ring_insert(&lru->queue, frame);
}

static void
lru_remove(struct policy_state *lru, uint32_t frame)
{
    ring_remove(&lru->queue, frame);
}

static void
lru_reference(struct policy_state *lru, uint32_t frame)
{
    ring_renew(&lru->queue, frame);
}

static uint32_t
lru_select(struct policy_state *lru)
{
    return lru->queue.hand;
}

static void
lru_explain(struct policy_state *lru, uint32_t victim, struct policy_text *text)
{
    text_page(text, lru->world, victim);
    text_ring(text, lru->world, " was used least recently:", &lru->queue);
}

const struct policy policy_lru = {
    .name = "lru",
    .state_bytes = sizeof(struct policy_state),
    .start = lru_start,
    .insert = lru_insert,
    .remove = lru_remove,
    .select = lru_select,
    .explain = lru_explain,
    .reference = lru_reference,
};
