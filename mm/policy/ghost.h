/*
 * Ghosts: pages that are out, remembered by name only, for the policies that learn
 * from what comes back. They stand in queues, as frames do: a ring whose numbers
 * are those of ghosts, oldest at the hand. Constant time, by a hash table.
 */
#pragma once

#include "mm/policy.h"
#include "mm/policy/ring.h"

struct ghost {
    policy_page_t page;
    uint32_t mark;              /* of the queue that it stands in */
    uint32_t next;              /* in the same bucket; POLICY_NONE at the end */
};

struct ghosts {
    const struct policy_environment *world;
    struct policy_link *links;  /* of the queues, by ghost; 0 is not used */
    struct ghost *names;
    uint32_t *buckets;          /* the first ghost of each */
    uint32_t mask;              /* number of buckets - 1; it is a power of two */
    struct ring unused;
};

/* Room for so many, in all queues together. False if there is no memory: nothing is kept then. */
bool ghosts_start(struct ghosts *ghosts, const struct policy_environment *world, uint32_t capacity);
void ghosts_stop(struct ghosts *ghosts);

/* The ghost of that page, or POLICY_NONE. */
uint32_t ghosts_find(const struct ghosts *ghosts, policy_page_t page);

/* Remembers a page that has no ghost. The queue's mark tells its ghosts from those of others. If there is no room, the
 * queue's oldest makes it; if it has none, nothing is remembered. */
void ghosts_add(struct ghosts *ghosts, struct ring *queue, uint32_t mark, policy_page_t page);

/* Forgets a ghost of that queue. */
void ghosts_drop(struct ghosts *ghosts, struct ring *queue, uint32_t ghost);

/* The mark of the ghost's queue. */
static inline uint32_t
ghosts_mark(const struct ghosts *ghosts, uint32_t ghost)
{
    return ghosts->names[ghost].mark;
}
