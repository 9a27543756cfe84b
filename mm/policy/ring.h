/*
 * A ring of frames with a hand, for the policies that need an order. Two arrays of
 * neighbours, indexed by frame number, so that every operation takes constant time.
 */
#pragma once

#include "mm/policy.h"

struct ring {
    uint32_t *next, *previous;
    uint32_t hand;              /* the frame in question; POLICY_NONE when empty */
    uint32_t length;
};

/* An empty ring; false if there is no memory. */
static inline bool
ring_start(struct ring *ring, const struct policy_environment *environment)
{
    ring->next = environment->allocate(environment->frames * sizeof(uint32_t));
    ring->previous = environment->allocate(environment->frames * sizeof(uint32_t));
    ring->hand = POLICY_NONE;
    ring->length = 0;
    return ring->next && ring->previous;
}

/* Behind the hand: the last one that it reaches. */
static inline void
ring_insert(struct ring *ring, uint32_t frame)
{
    uint32_t after = ring->hand, before;

    ring->length++;
    if (after == POLICY_NONE) {
        ring->hand = ring->next[frame] = ring->previous[frame] = frame;
        return;
    }
    before = ring->previous[after];
    ring->next[before] = ring->previous[after] = frame;
    ring->next[frame] = after;
    ring->previous[frame] = before;
}

/* If the hand stands on it, the hand moves on. */
static inline void
ring_remove(struct ring *ring, uint32_t frame)
{
    uint32_t after = ring->next[frame], before = ring->previous[frame];

    ring->length--;
    ring->next[before] = after;
    ring->previous[after] = before;
    if (ring->hand == frame)
        ring->hand = ring->length ? after : POLICY_NONE;
}

static inline void
ring_advance(struct ring *ring)
{
    ring->hand = ring->next[ring->hand];
}
