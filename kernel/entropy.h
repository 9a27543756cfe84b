/*
 * Random bytes for programs (AT_RANDOM, getrandom). They come from the generator that seed= starts, so that
 * runs repeat; they are not fit for secrets, which this machine has none of.
 */
#pragma once

#include "kernel/types.h"

struct transfer;

/* Fills kernel memory. Never sleeps. */
void entropy_fill(void *bytes, usize count);

/* Writes as many to a transfer, as transfer_out: how many could be. May sleep. */
u32 entropy_transfer(struct transfer *transfer, u32 bytes);
