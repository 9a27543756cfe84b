/*
 * Making room.
 *
 * A victim is chosen by the policy among the evictable frames. What becomes of
 * it depends on its owner:
 *
 *   object's page     a copy is in the file: dropped
 *   anon, clean       a copy is in its slot: dropped
 *   anon, dirty       written to its slot, or to a new one
 *
 * When the swap area is full, slots of anons that are in memory anyway are taken
 * back first: their copy is a convenience.
 */
#include "mm/reclaim.h"

#include <asm/errno.h>

#include "kernel/assert.h"
#include "kernel/scheduler.h"
#include "mm/anon.h"
#include "mm/counters.h"
#include "mm/evictable.h"
#include "mm/object.h"
#include "mm/pmap.h"
#include "mm/swap.h"

static bool (*kill_somebody)(void);

/* Where the search for slots to take back goes on, and whether it may find any:
 * false after a fruitless turn, until the next victim is wanted. */
static u32 slot_hand;
static bool slots_to_take;

void
reclaim_set_killer(bool (*killer)(void))
{
    kill_somebody = killer;
}

/* Takes the slot of some anon in memory, which then counts as dirty. */
static bool
slot_take_back(void)
{
    for (u32 i = 0; i < frame_limit; i++) {
        struct frame *frame;
        struct anon *anon;

        slot_hand = slot_hand + 1 < frame_limit ? slot_hand + 1 : 0;
        frame = frame_descriptor((frame_t){slot_hand});
        anon = frame->owner;
        if (frame->state != FRAME_ANONYMOUS || frame->busy || !anon || !anon->slot.number)
            continue;
        anon_drop_slot(anon);
        frame->dirty = true;
        return true;
    }
    slots_to_take = false;
    return false;
}

/* Makes sure that the anon has a slot to be written to. */
static bool
anon_find_slot(struct anon *anon)
{
    if (!anon->slot.number)
        anon->slot = swap_allocate();
    if (!anon->slot.number && slots_to_take && slot_take_back())
        anon->slot = swap_allocate();
    return anon->slot.number != 0;
}

/* A victim's fate counts for the system, and for the address space that maps it
 * first, if any does. */
#define COUNT(pmap, name) ((pmap) ? (void)PMAP_COUNT(pmap, name) : (void)counters.name++)

/* Writes a dirty anon's page out and frees its frame. False if the device failed. */
static bool
anon_write_out(struct anon *anon, struct frame *frame)
{
    int error;

    evictable_begin(frame);
    error = swap_write(anon->slot, frame);
    if (!evictable_end(frame))
        return true;            /* the anon went meanwhile, and the frame with it */
    if (error)
        return false;
    anon->frame = NULL;
    frame->dirty = false;
    evictable_disown(frame);
    return true;
}

static bool
anon_evict(struct frame *frame)
{
    struct anon *anon = frame->owner;
    struct pmap *owner = frame->first.pmap;
    bool must_write;

    pmap_frame_harvest_dirty(frame);
    must_write = frame->dirty || !anon->slot.number;
    if (must_write && !anon_find_slot(anon))
        return false;
    COUNT(owner, pgsteal);
    pmap_frame_remove(frame);
    if (must_write) {
        if (owner)
            owner->counters->pswpout++;
        COUNT(owner, reclaim_write_back);
        return anon_write_out(anon, frame);
    }
    COUNT(owner, reclaim_clean_drop);
    anon->frame = NULL;
    evictable_disown(frame);
    return true;
}

static void
object_evict(struct frame *frame)
{
    COUNT(frame->first.pmap, pgsteal);
    COUNT(frame->first.pmap, reclaim_clean_drop);
    object_forget(frame);
}

/* Takes the frame from its owner; false if there is no place for its contents. */
static bool
frame_evict(struct frame *frame)
{
    if (frame->state == FRAME_ANONYMOUS)
        return anon_evict(frame);
    assert(frame->state == FRAME_OBJECT);
    object_evict(frame);
    return true;
}

bool
reclaim_evict_one(void)
{
    u32 candidates = frame_count(FRAME_ANONYMOUS) + frame_count(FRAME_OBJECT);

    slots_to_take = true;
    for (u32 tries = 0; tries < candidates; tries++) {
        u32 number = evictable_policy->select();
        struct frame *frame = frame_descriptor((frame_t){number});

        if (number == POLICY_NONE)
            return false;
        assert(number < frame_limit && frame->evictable && !frame->pins && !frame->busy);
        evictable_remove(frame);
        if (!pmap_frame_is_locked(frame) && frame_evict(frame))
            return true;
        evictable_insert(frame);
    }
    return false;
}

int
reclaim_try(u32 frames)
{
    while (frame_free_count() < frames)
        if (!reclaim_evict_one())
            return -ENOMEM;
    return 0;
}

int
reclaim_ensure(u32 frames)
{
    while (reclaim_try(frames) < 0) {
        if (!kill_somebody || !kill_somebody())
            return -ENOMEM;
        scheduler_yield();
    }
    return 0;
}
