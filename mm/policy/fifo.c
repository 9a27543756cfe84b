/*
 * First in, first out: the page that has been in memory longest goes, whether it
 * is used or not. More frames can mean more faults (Belady 1969).
 */
#include "mm/policy.h"
#include "mm/policy/ring.h"

static struct ring ring;

static bool
fifo_start(const struct policy_environment *environment)
{
    return ring_start(&ring, environment);
}

static void
fifo_insert(uint32_t frame)
{
    ring_insert(&ring, frame);
}

static void
fifo_remove(uint32_t frame)
{
    ring_remove(&ring, frame);
}

static uint32_t
fifo_select(void)
{
    return ring.hand;
}

const struct policy policy_fifo = {"fifo", fifo_start, fifo_insert, fifo_remove, fifo_select};
