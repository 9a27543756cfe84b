/*
 * Frames that may be evicted, and those that are busy with a device.
 *
 * Owners of frames (anon, object) say here when a frame has got its contents and
 * when it goes; who copies from one pins it. A frame is known to its pool's policy
 * exactly while it is a candidate.
 *
 *     taken ──begin──> busy: a device fills it
 *       │                │ end
 *       │ insert         v            ──pin──>
 *       └──────────> candidate                   pinned, or locked by a mapping
 *                        │            <─unpin──
 *                        │ a dirty victim: begin
 *                        v
 *                      busy: a device reads it ──end_leaving──> free
 *
 * The owner can give it up (disown) at any point: then it is free at once, or, while it
 * is busy or pinned, an orphan that is freed when that is over.
 */
#pragma once

#include "kernel/assert.h"
#include "mm/frame.h"
#include "mm/pmap.h"
#include "mm/pool.h"
#include "mm/pool_page.h"
#include "mm/swap.h"

/* Whether a frame may be evicted: it has an owner, is neither pinned, busy nor locked,
 * and there is a place for its contents (a file, or the swap area if there is one). */
static inline bool
evictable_is_candidate(const struct frame *frame)
{
    return frame->owner && !frame->pins && !frame->busy
        && (frame->state == FRAME_OBJECT || swap_total() > 0)
        && !(frame->first.pmap && pmap_frame_is_locked(frame));
}

/* Tells the policy of the frame, if it is a candidate; or to forget it. */
void evictable_insert(struct frame *frame);

static inline void
evictable_remove(struct frame *frame)
{
    if (frame->evictable)
        pool_remove(frame);
}

/* A pinned frame stays in memory. Pins count. */
void evictable_pin(struct frame *frame);
void evictable_unpin(struct frame *frame);

/* A device begins to fill or read the frame: it is busy, and who needs it waits. */
static inline void
evictable_begin(struct frame *frame)
{
    assert(!frame->busy);
    evictable_remove(frame);
    if (pool_watchful)
        pool_begin(frame);
    frame->busy = true;
}

/* The transfer is over; wakes who waits. False if the owner has gone meanwhile:
 * then the frame has been freed. */
bool evictable_end(struct frame *frame);

/* The same of a victim that is written out: it does not become a candidate again. */
bool evictable_end_leaving(struct frame *frame);

/* Sleeps until the frame's transfer is over, or its owner has given it up. What came in is no
 * victim before the waiter runs: it finds it, however long it took to get the processor. */
void evictable_wait(struct frame *frame);

/* The owner gives the frame up: it is freed now, or when its transfer ends. Its
 * mappings must be gone. */
void evictable_disown(struct frame *frame);
