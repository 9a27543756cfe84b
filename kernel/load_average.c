/* See load_average.h. The averages are changed in the interrupt handler of the clock alone. */
#include "kernel/load_average.h"

#include "drivers/timer.h"
#include "kernel/assert.h"
#include "kernel/processor_time.h"
#include "kernel/scheduler.h"

#define LOAD_SAMPLE_TICKS (LOAD_SAMPLE_SECONDS * TIMER_HERTZ)

/* What is left of an average after a sample: LOAD_ONE * exp(-5 s / 60 s), and so on. */
static const u32 load_decay[LOAD_AVERAGES] = {60296, 64453, 65173};
static u32 load_averages[LOAD_AVERAGES];

u32
load_average_next(u32 average, u32 index, u32 threads)
{
    u64 decay = load_decay[index];

    return (u32)((average * decay + threads * (LOAD_ONE - decay) * LOAD_ONE + LOAD_ONE / 2) / LOAD_ONE);
}

static void
load_average_tick(void)
{
    static u32 ticks;

    if (++ticks % LOAD_SAMPLE_TICKS != 0)
        return;
    for (u32 i = 0; i < LOAD_AVERAGES; i++)
        load_averages[i] = load_average_next(load_averages[i], i, scheduler_runnable() + processor_time_waiters);
}

u32
load_average(u32 index)
{
    assert(index < LOAD_AVERAGES);
    return load_averages[index];
}

void
load_average_start(void)
{
    timer_on_tick(load_average_tick);
}
