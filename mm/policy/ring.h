/*
 * A ring of frames with a hand, for the policies that need an order: the frames
 * stand in a circle, and the hand at the one that is next. Every operation takes
 * constant time; the links are the environment's, so that a frame stands
 * in one ring at a time.
 *
 * Without a turning hand it is a queue: first in at the hand, last in behind it.
 */
#pragma once

#include "mm/policy.h"

struct ring {
    struct policy_link *links;
    uint32_t hand;              /* the frame in question; POLICY_NONE when empty */
    uint32_t length;
};

static inline void
ring_start(struct ring *ring, struct policy_link *links)
{
    *ring = (struct ring){.links = links, .hand = POLICY_NONE};
}

/* Behind the hand: the last one that it reaches. */
static inline void
ring_insert(struct ring *ring, uint32_t frame)
{
    struct policy_link *links = ring->links;
    uint32_t after = ring->hand, before;

    ring->length++;
    if (after == POLICY_NONE) {
        ring->hand = links[frame].next = links[frame].previous = frame;
        return;
    }
    before = links[after].previous;
    links[before].next = links[after].previous = frame;
    links[frame].next = after;
    links[frame].previous = before;
}

/* If the hand stands on it, the hand moves on. */
static inline void
ring_remove(struct ring *ring, uint32_t frame)
{
    struct policy_link *links = ring->links;
    uint32_t after = links[frame].next, before = links[frame].previous;

    ring->length--;
    links[before].next = after;
    links[after].previous = before;
    if (ring->hand == frame)
        ring->hand = ring->length ? after : POLICY_NONE;
}

static inline void
ring_advance(struct ring *ring)
{
    ring->hand = ring->links[ring->hand].next;
}

/* The frame that stands so many places before this one. */
static inline uint32_t
ring_before(const struct ring *ring, uint32_t frame, uint32_t places)
{
    while (places-- > 0)
        frame = ring->links[frame].previous;
    return frame;
}

/* To the end of the queue, as if it had just come in. */
static inline void
ring_renew(struct ring *ring, uint32_t frame)
{
    ring_remove(ring, frame);
    ring_insert(ring, frame);
}
