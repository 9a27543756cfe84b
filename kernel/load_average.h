/*
 * The load: how many threads could run, or wait for a device, on average. What happened counts the less the longer
 * ago it was: after one minute, five or fifteen its weight is 1/e.
 *
 * A load is in fixed point, as sysinfo(2) has it: LOAD_ONE stands for one thread.
 */
#pragma once

#include "kernel/types.h"

#define LOAD_AVERAGES 3u                        /* of the last minute, of five minutes and of fifteen */
#define LOAD_ONE 65536u
#define LOAD_SAMPLE_SECONDS 5u

/* The present average of one of these periods. */
u32 load_average(u32 index);

/* What an average becomes when, LOAD_SAMPLE_SECONDS after the last look, so many threads could run. */
u32 load_average_next(u32 average, u32 index, u32 threads);

/* Begins to sample. Once, at boot. */
void load_average_start(void);
