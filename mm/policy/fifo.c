/*
 * First in, first out: the page that has been in memory longest goes, whether it
 * is used or not. More frames can mean more faults (Belady 1969).
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"
#include "mm/policy/text.h"

struct policy_state {
    struct ring queue;
    const struct policy_environment *world;
};

static bool
fifo_start(struct policy_state *fifo, const struct policy_environment *world)
{
    fifo->world = world;
    ring_start(&fifo->queue, world->links);
    return true;
}

static void
fifo_insert(struct policy_state *fifo, uint32_t frame)
{
    ring_insert(&fifo->queue, frame);
}

static void
fifo_remove(struct policy_state *fifo, uint32_t frame)
{
    ring_remove(&fifo->queue, frame);
}

static uint32_t
fifo_select(struct policy_state *fifo)
{
    return fifo->queue.hand;
}

static void
fifo_explain(struct policy_state *fifo, uint32_t victim, struct policy_text *text)
{
    text_page(text, fifo->world, victim);
    text_ring(text, fifo->world, " came in first:", &fifo->queue);
}

const struct policy policy_fifo = {
    .name = "fifo",
    .state_bytes = sizeof(struct policy_state),
    .start = fifo_start,
    .insert = fifo_insert,
    .remove = fifo_remove,
    .select = fifo_select,
    .explain = fifo_explain,
};
