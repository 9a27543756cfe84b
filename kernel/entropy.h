/*
 * Random bytes for programs (AT_RANDOM, getrandom). They come from the generator that seed= starts, so that
 * runs repeat; they are not fit for secrets, which this machine has none of.
 */
#pragma once

#include "kernel/types.h"

void entropy_fill(void *bytes, usize count);
