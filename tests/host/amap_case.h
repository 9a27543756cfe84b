/*
 * What the tests of amaps share. Anons are told apart by their swap slots: none has a frame here, so that nothing else takes part.
 */
#pragma once

#include "mm/amap.h"
#include "mm/counters.h"
#include "mm/swap.h"
#include "tests/host/host.h"

#define SLOTS 4096u

static inline void
begin(void)
{
    check(swap_start(host_device_create((u64)SLOTS << PAGE_SHIFT)));
    host_objects = 0;
}

/* An anon in the swap area. */
static inline struct anon *
new_anon(void)
{
    static struct frame frame;
    struct anon *anon;

    frame = (struct frame){.pins = 1};      /* not known to the policy */
    anon = anon_create(&frame);
    check(anon != NULL);
    anon->frame = NULL;
    anon->slot = swap_allocate();
    check(anon->slot.number != 0);
    return anon;
}

/* As a write fault does. */
static inline struct anon *
put(struct amap *amap, u32 page)
{
    bool split;
    struct chunk *chunk = amap_own_chunk(amap, (page_t){page}, &split);
    struct anon *anon = new_anon(), *old;

    check(chunk != NULL);
    old = amap_replace(chunk, (page_t){page}, anon);
    if (old)
        anon_release(old);
    return anon;
}

static inline struct anon *
at(const struct amap *amap, u32 page)
{
    return amap_lookup(amap, (page_t){page});
}

static inline struct amap *
create(u32 start, u32 end)
{
    struct amap *amap = amap_create((page_t){start}, (page_t){end});

    check(amap != NULL);
    return amap;
}

/* Everything has been given back. */
static inline void
nothing_is_left(void)
{
    check_equal(anon_count(), 0);
    check_equal(swap_free_count(), swap_total());
    check_equal(host_objects, 0);
}
