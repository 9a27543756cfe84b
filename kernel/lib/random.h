/*
 * A small pseudo-random generator (xorshift, period 2^32 - 1): the same seed gives the same sequence. Not for secrets.
 * Pure.
 */
#pragma once

#include "kernel/types.h"

struct random {
    u32 state; /* never 0; changed by random_next alone */
};

/* Starts the sequence of `seed`; any seed will do. */
static inline void
random_seed(struct random *random, u32 seed)
{
    /* Zero is xorshift's fixed point, and small seeds start alike: spread them by Knuth's multiplicative hash. */
    random->state = (seed + 1) * 2654435761u;
    if (random->state == 0)
        random->state = 1;
}

/* The next number, from 1 to 2^32 - 1. */
static inline u32
random_next(struct random *random)
{
    u32 x = random->state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    random->state = x;
    return x;
}

/* A number from 0 to limit - 1; limit > 0. */
static inline u32
random_below(struct random *random, u32 limit)
{
    return random_next(random) % limit;
}
