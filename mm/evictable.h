/*
 * Frames that may be evicted, as the policy knows them.
 *
 * Owners of frames (anon, object) say here when a frame has got its contents and
 * when it goes; reclaim says when it is pinned. Behind it stands the policy that
 * policy= names. A frame is known to the policy exactly while it is a candidate.
 */
#pragma once

#include "mm/frame.h"
#include "mm/policy.h"
#include "mm/swap.h"

/* The policy in force; never NULL once evictable_start has run. */
extern const struct policy *evictable_policy;
extern struct policy_state *evictable_state;

/* Starts the policy that policy= names; refuses to boot without memory for it. */
void evictable_start(void);

/* Whether a frame may be evicted: it has an owner, is neither pinned nor busy, and
 * there is a place for its contents (a file, or the swap area if there is one). */
static inline bool
evictable_is_candidate(const struct frame *frame)
{
    return frame->owner && !frame->pins && !frame->busy
        && (frame->state == FRAME_OBJECT || swap_total() > 0);
}

/* The number of the policy's next victim; POLICY_NONE if there is no candidate. */
static inline u32
evictable_select(void)
{
    return evictable_policy->select(evictable_state);
}

/* The clock tick, for policies that heed it. To those that go by references, each
 * page used since the last tick is reported as referenced once. Linear in memory,
 * except for policies that go by bits alone. Process context. */
void evictable_tick(void);

/* Tells the policy of the frame, if it is a candidate. */
void evictable_insert(struct frame *frame);
void evictable_remove(struct frame *frame);

/* The same as evictable_remove, for a victim: a frame that the policy knows. */
void evictable_evict(struct frame *frame);

/* A pinned frame stays in memory. Pins count. */
void evictable_pin(struct frame *frame);
void evictable_unpin(struct frame *frame);

/* A device begins to fill or read the frame: it is busy, and who needs it waits. */
void evictable_begin(struct frame *frame);

/* The transfer is over; wakes who waits. False if the owner has gone meanwhile:
 * then the frame has been freed. */
bool evictable_end(struct frame *frame);

/* Sleeps until the frame is not busy; it may belong to somebody else then. */
void evictable_wait(const struct frame *frame);

/* The owner gives the frame up: it is freed now, or when its transfer ends. Its
 * mappings must be gone. */
void evictable_disown(struct frame *frame);
