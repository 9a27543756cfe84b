/*
 * Bringing an anon's page back from the swap area.
 */
#include "mm/pagein.h"

#include "kernel/scheduler.h"
#include "mm/amap.h"
#include "mm/evictable.h"
#include "mm/swap.h"

/* Adds neighbours to the wanted anon's transfer, as long as their slots follow. */
static void
pagein_claim_neighbours(struct cluster *cluster, swap_slot_t first, const struct prefetch *prefetch)
{
    while (cluster->count <= prefetch->pages) {
        struct anon *anon = amap_lookup(prefetch->amap, page_add(prefetch->page, cluster->count));

        if (!anon || anon->frame || anon->slot.number != first.number + cluster->count)
            return;
        anon->frame = prefetch_claim(cluster, FRAME_ANONYMOUS, anon, 0);
        if (!anon->frame)
            return;
    }
}

/* The device has not delivered this one. */
static void
pagein_give_up(struct frame *frame)
{
    struct anon *anon = frame->owner;

    if (!anon)
        return;                 /* it has gone meanwhile */
    anon->frame = NULL;
    evictable_disown(frame);
}

static enum pagein_result
pagein_read(struct anon *anon, struct prefetch *prefetch)
{
    u64 switches = scheduler_switches;
    struct cluster cluster;
    u32 read;

    cluster.count = 0;
    anon->frame = prefetch_claim(&cluster, FRAME_ANONYMOUS, anon, 0);
    if (!anon->frame)
        return PAGEIN_NO_MEMORY;
    if (prefetch)
        pagein_claim_neighbours(&cluster, anon->slot, prefetch);
    anon_slot_hand = frame_number(anon->frame).number;
    read = swap_read(anon->slot, &cluster);
    anon_slots_to_take = true;
    if (prefetch && read > 0)
        prefetch->read = read - 1;
    for (u32 i = read; i < cluster.count; i++)
        pagein_give_up(cluster.frames[i]);
    if (!prefetch_end(&cluster))
        return read ? PAGEIN_SLEPT : PAGEIN_ERROR;
    return scheduler_switches == switches ? PAGEIN_READ : PAGEIN_SLEPT;
}

enum pagein_result
pagein_anon(struct anon *anon, struct prefetch *prefetch)
{
    if (!anon->frame)
        return pagein_read(anon, prefetch);
    if (!anon->frame->busy)
        return PAGEIN_HERE;
    evictable_wait(anon->frame);
    return PAGEIN_WAITED;
}
