/*
 * The ring of a pipe: slots of a page each, filled one after the other.
 *
 *      slot     slot        slot       slot          taken, put: slots ever emptied and filled, since the ring was
 *     ┌─────┬─────────┬─────────────┬──────────┐                 last empty; modulo count in the ring
 *     │     │ ..bytes │ bytes bytes │ bytes..  │
 *     └─────┴────│────┴──────│──────┴────│─────┘
 *            own frame    lent anon   own frame
 *
 * Bytes that are written are copied into a frame of the pipe's own, which stays with the slot. A page that is
 * spliced is not copied: the slot holds the anon on loan. What a write has beyond whole pages goes behind the bytes
 * in the last slot, if all of it fits there and the frame is the pipe's own; all else takes slots of its own. So a
 * write of up to a page (PIPE_BUF) is never cut.
 *
 * Whoever calls these holds the pipe's mutex; reading and writing may sleep for a page of the user's.
 */
#pragma once

#include "kernel/transfer.h"
#include "kernel/types.h"
#include "mm/anon.h"

#define PIPE_RING_SLOTS 16u    /* of a new pipe: 64 KiB */

struct pipe_slot {
    struct frame *frame;       /* the pipe's own; NULL: none yet */
    struct anon_loan loan;     /* not empty: the bytes lie there */
    u32 start, end;            /* bytes [start, end) of the page */
};

struct pipe_ring {
    struct pipe_slot *slots;   /* `initial`, or allocated */
    u32 count;                 /* of slots: a power of two */
    u32 taken, put;
    u32 bytes;                 /* in all slots */
    struct pipe_slot initial[PIPE_RING_SLOTS];
};

/* Prepares a zeroed ring, with its first page: false if memory is short. And its end: pages and loans go back. */
bool pipe_ring_start(struct pipe_ring *ring);
void pipe_ring_end(struct pipe_ring *ring);

/*
 * Of a write of so many bytes, those that fit now; and slots that can be filled: an empty ring has room, however short
 * memory is.
 */
u32 pipe_ring_room(const struct pipe_ring *ring, u32 bytes);
u32 pipe_ring_free_slots(const struct pipe_ring *ring);

/* The slot next to be emptied (the ring must not be empty), or filled. */
static inline struct pipe_slot *
pipe_ring_first(const struct pipe_ring *ring)
{
    return &ring->slots[ring->taken & (ring->count - 1)];
}

static inline struct pipe_slot *
pipe_ring_next(const struct pipe_ring *ring)
{
    return &ring->slots[ring->put & (ring->count - 1)];
}

/*
 * Copies bytes in, at most the room; or -ENOMEM or -EFAULT if none could be. A piece is counted as there only after
 * all of it was copied.
 */
s32 pipe_ring_write(struct pipe_ring *ring, struct transfer *transfer, u32 bytes);

/*
 * Moves or copies out what is there, at most what the transfer wants: bytes, fewer where the reader's memory cannot
 * be written, or -EFAULT, -EIO, -ENOMEM if none. A lent page that fills a page of the reader's is mapped there.
 */
s32 pipe_ring_read(struct pipe_ring *ring, struct transfer *transfer);

/*
 * Takes the current page of the transfer's user memory on loan into a free slot, or copies it where it cannot be
 * lent. Bytes, or an error as pipe_ring_write.
 */
s32 pipe_ring_lend(struct pipe_ring *ring, struct transfer *transfer);

/* The next slot has been filled with bytes [start, end) of its page. */
void pipe_ring_filled(struct pipe_ring *ring, u32 start, u32 end);

/* Takes away the first bytes of the first slot, as many as there are at most. */
void pipe_ring_skip(struct pipe_ring *ring, u32 bytes);

/*
 * Gives at most `bytes` bytes of a slot of one ring to the next, free, slot of another: what is lent is shared, what
 * is not is copied. Bytes, or -ENOMEM.
 */
s32 pipe_ring_share(struct pipe_ring *to, const struct pipe_slot *from, u32 bytes);

/* Changes the number of slots to a power of two. -EBUSY if more are full, -ENOMEM. */
int pipe_ring_resize(struct pipe_ring *ring, u32 count);
