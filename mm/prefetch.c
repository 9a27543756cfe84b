/*
 * Anticipatory paging: neighbours join a page's transfer.
 */
#include "mm/prefetch.h"

#include "kernel/command_line.h"
#include "mm/evictable.h"
#include "mm/pool.h"

u32 prefetch_pages;
BOOT_NUMBER(prefetch, prefetch_pages, 0, CLUSTER_FRAMES - 1, "neighbours read with each page from file or swap");

/* A neighbour needs a frame above the reserve, and room in the quota, if there is one. */
static bool
neighbour_has_room(const struct cluster *cluster)
{
    return frame_free_count() > PREFETCH_RESERVE && pool_current->frames + cluster->count < pool_current->quota;
}

struct frame *
prefetch_claim(struct cluster *cluster, enum frame_state state, void *owner, u32 index)
{
    struct frame *frame;

    if (cluster->count > 0 && !neighbour_has_room(cluster))
        return NULL;
    frame = frame_allocate(state);
    if (!frame)
        return NULL;
    frame->owner = owner;
    frame->index = index;
    evictable_begin(frame);
    return cluster->frames[cluster->count++] = frame;
}

bool
prefetch_end(struct cluster *cluster)
{
    for (u32 i = 1; i < cluster->count; i++)
        evictable_end(cluster->frames[i]);
    return evictable_end(cluster->frames[0]);
}
