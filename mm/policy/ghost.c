/*
 * A bounded set of page names, by hash.
 */
#include "mm/policy/ghost.h"

/* Knuth's multiplicative hash. */
#define HASH_FACTOR 2654435761u
#define HASH_BITS 32u

static uint32_t *
bucket_of(const struct ghosts *ghosts, policy_page_t page)
{
    uint32_t hash = ((uint32_t)page ^ (uint32_t)(page >> HASH_BITS) * HASH_FACTOR) * HASH_FACTOR;

    return &ghosts->buckets[(hash >> HASH_BITS / 2 ^ hash) & ghosts->mask];
}

bool
ghosts_start(struct ghosts *ghosts, const struct policy_environment *world, uint32_t capacity)
{
    uint32_t buckets = 1;

    while (buckets < capacity)
        buckets *= 2;
    *ghosts = (struct ghosts){
        .world = world,
        .links = world->allocate((capacity + 1) * sizeof(*ghosts->links)),
        .names = world->allocate((capacity + 1) * sizeof(*ghosts->names)),
        .buckets = world->allocate(buckets * sizeof(*ghosts->buckets)),
        .mask = buckets - 1,
    };
    if (!ghosts->links || !ghosts->names || !ghosts->buckets) {
        ghosts_stop(ghosts);
        return false;
    }
    ring_start(&ghosts->unused, ghosts->links);
    for (uint32_t ghost = 1; ghost <= capacity; ghost++)
        ring_insert(&ghosts->unused, ghost);
    return true;
}

void
ghosts_stop(struct ghosts *ghosts)
{
    ghosts->world->release(ghosts->links);
    ghosts->world->release(ghosts->names);
    ghosts->world->release(ghosts->buckets);
}

uint32_t
ghosts_find(const struct ghosts *ghosts, policy_page_t page)
{
    uint32_t ghost = *bucket_of(ghosts, page);

    while (ghost != POLICY_NONE && ghosts->names[ghost].page != page)
        ghost = ghosts->names[ghost].next;
    return ghost;
}

void
ghosts_add(struct ghosts *ghosts, struct ring *queue, uint32_t mark, policy_page_t page)
{
    uint32_t *bucket = bucket_of(ghosts, page), ghost;

    if (ghosts->unused.length == 0 && queue->length > 0)
        ghosts_drop(ghosts, queue, queue->hand);
    ghost = ghosts->unused.hand;
    if (ghost == POLICY_NONE)
        return;
    ring_remove(&ghosts->unused, ghost);
    ghosts->names[ghost] = (struct ghost){page, mark, *bucket};
    *bucket = ghost;
    ring_insert(queue, ghost);
}

void
ghosts_drop(struct ghosts *ghosts, struct ring *queue, uint32_t ghost)
{
    uint32_t *link = bucket_of(ghosts, ghosts->names[ghost].page);

    while (*link != ghost)
        link = &ghosts->names[*link].next;
    *link = ghosts->names[ghost].next;
    ring_remove(queue, ghost);
    ring_insert(&ghosts->unused, ghost);
}
