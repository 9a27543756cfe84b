/* The battery clock (CMOS), for the time of day. */
#pragma once

#include "kernel/types.h"

/* What the clock's registers hold: numbers as status register B says, the year without its century. */
struct clock_reading {
    u8 second, minute, hour, day, month, year;
};

/*
 * Seconds since 1970-01-01 00:00 UTC, taking the clock to run in UTC. Waits up to a few milliseconds for a stable
 * reading.
 */
u32 clock_read(void);

/* Seconds since 1970 of a reading. The years 70 to 99 are of the last century. */
u32 clock_convert(const struct clock_reading *reading, u8 status_b);

/* Seconds since 1970 of a date in UTC: month 1 to 12, day 1 to 31. */
u32 clock_seconds(u32 year, u32 month, u32 day, u32 hour, u32 minute, u32 second);
