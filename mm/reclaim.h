/*
 * Making room: the only place where a frame changes its owner by force.
 *
 *   select a victim -> revoke every mapping (harvesting dirty) -> clean, with a
 *   copy: drop it; dirty: write it to its slot first -> free the frame
 *
 * Frames are taken by anon, object and the rest without asking here: they fail
 * when none is free. So each system call and each fault asks at its beginning,
 * where nothing is half done, for what it can need. When the reserve that is kept
 * free in this way is used up, nothing deadlocks: evicting allocates nothing.
 */
#pragma once

#include "kernel/types.h"
#include "mm/cluster.h"
#include "mm/frame.h"
#include "mm/units.h"

/* Below this many free frames a system call or a fault asks for room before it
 * begins, and then for POOL_SYSCALL_FRAMES. */
#define RECLAIM_LOW 64u

/* Makes at least frames free; may sleep and evict. -ENOMEM if there are no victims
 * left: for what can fail cleanly, such as fork. Where memory thrashes others take each
 * frame as soon as it is free; so having evicted RECLAIM_PATIENCE times as many as were
 * missing it keeps the next ones for itself until there are enough: frames more at most. */
#define RECLAIM_PATIENCE 8u
int reclaim_try(u32 frames);

/* Before a system call: makes frames free, but does no more than its share of the work: after
 * as many evictions as frames were missing, RECLAIM_LOW free frames are enough; after
 * RECLAIM_PATIENCE times as many it gives up. May sleep and evict. */
void reclaim_share(u32 frames);

/* Makes at least frames free; may sleep, evict, and have a process killed.
 * -ENOMEM if nothing helped, or the calling process is being killed. */
int reclaim_ensure(u32 frames);

/* The same; and if that takes no killing, makes wanted frames free, which are not fewer. */
int reclaim_ensure_more(u32 frames, u32 wanted);

/* Called when memory and swap are exhausted: kills a process. False if there is
 * none to kill, or the caller's own is dying. */
void reclaim_set_killer(bool (*killer)(void));

/* Whether each eviction is explained in the log, in one line (explain=). */
extern unsigned reclaim_explain;

/* Takes up the policy that policy= names now, and evicts as much as it needs for what it
 * remembers. 0, -EINVAL or -ENOMEM, as pool_set_policy. */
int reclaim_switch_policy(void);

/* Evicts one frame: of the pool in use, or of the pool most above its quota. False if there
 * is no victim. A frame that an instruction under way needs (frame->needed) is none. May sleep. */
bool reclaim_evict_own(void);
bool reclaim_evict_one(void);

/* Pages on their way out together, in one transfer: busy until it is over. */
struct reclaim_batch {
    swap_slot_t first;          /* of the slots, one behind the other */
    struct cluster cluster;
};

/* Evicts this frame, which is a candidate, or adds it to the batch to be written; passes over
 * one that is needed. False, and the frame is as it was, if the batch must be written first.
 * May sleep where a file's page is written. */
bool reclaim_gather(struct reclaim_batch *batch, struct frame *frame);

/* Writes the batch and frees its frames. What cannot be written stays in memory. The
 * batch is empty then. May sleep. */
void reclaim_write(struct reclaim_batch *batch);

/* Evicts this frame, if it is a candidate and has a place to go. May sleep. */
void reclaim_evict(struct frame *frame);
