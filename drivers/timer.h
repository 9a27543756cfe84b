/* The clock: PIT channel 0 at 100 Hz, and the time since boot read from its counter. */
#pragma once

#include "kernel/types.h"

#define TIMER_HERTZ 100
#define TIMER_TICK_NANOSECONDS (1000000000 / TIMER_HERTZ)
#define NANOSECONDS_PER_SECOND 1000000000u
#define NANOSECONDS_PER_MILLISECOND 1000000u
#define NANOSECONDS_PER_MICROSECOND 1000u

/* Starts the ticks. Needs interrupts_start(). */
void timer_start(void);

/* Ticks since timer_start(). */
u64 timer_ticks(void);

/* Nanoseconds since timer_start(), never going back; as fine as the PIT counts (838 ns). */
u64 timer_nanoseconds(void);

/* What they were at the last tick: without asking the PIT, which takes long. */
u64 timer_tick_nanoseconds(void);

/*
 * `function` is called at every tick, in the interrupt handler, in the order of registration. cpu()->interrupted_user
 * is valid then.
 */
void timer_on_tick(void (*function)(void));
