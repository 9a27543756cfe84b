/*
 * Numbers for tests that draw what they do: the same ones from the same state on
 * every machine, so that a seed repeats a run.
 */
#pragma once

#include <stdint.h>

/* Where the sequence stands; set it to the seed, which must not be 0. A forked child goes on from a copy. */
extern uint32_t random_state;

/* The next number, below `limit` (Marsaglia, Xorshift RNGs, 2003). */
uint32_t draw(uint32_t limit);
