/*
 * Clocks and the structures in which user programs see them. Inside the kernel a time is nanoseconds in a u64:
 * since boot (timer_nanoseconds) or since 1970 (time_since_epoch).
 */
#pragma once

#include "drivers/timer.h"
#include "kernel/types.h"

#include <linux/time.h>
#include <linux/time_types.h>

/* Nanoseconds since 1970-01-01 UTC, from the real-time clock read at boot; and its seconds. */
u64 time_since_epoch(void);
u32 time_seconds(void);

/*
 * The times of files, which may lie before 1970, as far as nanoseconds in 64 bits can say: from 1677 to 2262. Now, as
 * it was at the last tick, which is what Linux stamps files with; the same of some timer_tick_nanoseconds; and split
 * so that the nanoseconds are not negative.
 */
s64 time_of_file(void);
s64 time_of_file_at(u64 tick_nanoseconds);
s64 time_split_of_file(s64 nanoseconds, u32 *remainder);

/* Set the clock on the wall, which time_since_epoch reads (stime). Deadlines do not move. */
void time_set_since_epoch(u64 nanoseconds);

/* Whole seconds, and the nanoseconds that remain (remainder NULL: nobody asks). */
u64 time_split(u64 nanoseconds, u32 *remainder);

static inline u64
time_from_ticks(u64 ticks)
{
    return ticks * TIMER_TICK_NANOSECONDS;
}

/*
 * Read a duration or time from user memory: a timespec with 32-bit (struct __kernel_old_timespec) or 64-bit
 * seconds. 0, -EFAULT, or -EINVAL if it is negative or not normalised. Very large ones become as long as can
 * be.
 */
int time_read_old_timespec(u32 address, u64 *nanoseconds);
int time_read_timespec(u32 address, u64 *nanoseconds);
int time_read_timeval(u32 address, u64 *nanoseconds);

/* One of these, for calls that differ in nothing but the form of their times; and one of those that follow. */
typedef int (*time_reader)(u32 address, u64 *nanoseconds);
typedef int (*time_writer)(u32 address, u64 nanoseconds);

/* Write one: 0 or -EFAULT. */
int time_write_old_timespec(u32 address, u64 nanoseconds);
int time_write_timespec(u32 address, u64 nanoseconds);
int time_write_timeval(u32 address, u64 nanoseconds);

/* The structure itself, to be part of a larger one. */
struct __kernel_old_timeval time_to_timeval(u64 nanoseconds);

/* The absolute timer_nanoseconds() of a duration from now; WAIT_FOREVER if that is past the end of time. */
u64 time_deadline(u64 duration_nanoseconds);

/*
 * The same of a duration in user memory: WAIT_FOREVER where the address is 0, and 0, which is past, for a duration of
 * 0. Returns 0, -EFAULT or -EINVAL.
 */
int time_read_deadline(u32 address, time_reader read, u64 *deadline);

/* The time that is left until a deadline: 0 if it is past. */
u64 time_left(u64 deadline);

/* Read the real-time clock; called once at boot. */
void time_start(void);
