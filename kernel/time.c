/* The time of day, and times in user memory. */
#include "kernel/time.h"

#include "drivers/clock.h"
#include "kernel/lib/divide.h"
#include "kernel/wait.h"
#include "mm/user.h"

#include <asm/errno.h>

/* Seconds beyond this, some 292 years, count as this many, so that nothing overflows. */
#define SECONDS_MAXIMUM (UINT64_MAX / NANOSECONDS_PER_SECOND / 2)

/* Nanoseconds from 1970 to boot. */
static u64 time_of_boot;

/* timer_nanoseconds() when the clock was set last: what is made from then on has the new time, though no tick has come. */
static u64 set_at;

void
time_start(void)
{
    time_of_boot = (u64)clock_read() * NANOSECONDS_PER_SECOND;
}

u64
time_since_epoch(void)
{
    return time_of_boot + timer_nanoseconds();
}

void
time_set_since_epoch(u64 nanoseconds)
{
    set_at = timer_nanoseconds();
    time_of_boot = nanoseconds - set_at;
}

s64
time_of_file(void)
{
    u64 tick = timer_tick_nanoseconds();

    return time_of_file_at(tick > set_at ? tick : set_at);
}

s64
time_of_file_at(u64 tick_nanoseconds)
{
    return (s64)(time_of_boot + tick_nanoseconds);
}

s64
time_split_of_file(s64 nanoseconds, u32 *remainder)
{
    s64 seconds;

    if (nanoseconds >= 0)
        return (s64)time_split((u64)nanoseconds, remainder);
    /* The second that it lies in began before. */
    seconds = -(s64)time_split(0 - (u64)nanoseconds, remainder);
    if (*remainder == 0)
        return seconds;
    *remainder = NANOSECONDS_PER_SECOND - *remainder;
    return seconds - 1;
}

u32
time_seconds(void)
{
    return (u32)time_split(time_since_epoch(), NULL);
}

u64
time_split(u64 nanoseconds, u32 *remainder)
{
    return divide_u64(nanoseconds, NANOSECONDS_PER_SECOND, remainder);
}

u64
time_deadline(u64 duration_nanoseconds)
{
    u64 now = timer_nanoseconds();

    return duration_nanoseconds < WAIT_FOREVER - now ? now + duration_nanoseconds : WAIT_FOREVER;
}

int
time_read_deadline(u32 address, time_reader read, u64 *deadline)
{
    u64 duration;
    int result;

    *deadline = WAIT_FOREVER;
    if (address == 0)
        return 0;
    result = read(address, &duration);
    if (result == 0)
        *deadline = duration == 0 ? 0 : time_deadline(duration);
    return result;
}

u64
time_left(u64 deadline)
{
    u64 now = timer_nanoseconds();

    return deadline > now ? deadline - now : 0;
}

/* Seconds and a fraction in units of `unit` nanoseconds, checked. */
static int
time_from_parts(s64 seconds, s64 fraction, u32 unit, u64 *nanoseconds)
{
    if (seconds < 0 || fraction < 0 || fraction >= NANOSECONDS_PER_SECOND / unit)
        return -EINVAL;
    if ((u64)seconds > SECONDS_MAXIMUM)
        seconds = (s64)SECONDS_MAXIMUM;
    *nanoseconds = (u64)seconds * NANOSECONDS_PER_SECOND + (u64)fraction * unit;
    return 0;
}

int
time_read_old_timespec(u32 address, u64 *nanoseconds)
{
    struct __kernel_old_timespec time;

    if (user_copy_in(&time, address, sizeof(time)) < 0)
        return -EFAULT;
    return time_from_parts(time.tv_sec, time.tv_nsec, 1, nanoseconds);
}

/* The upper half of tv_nsec is padding on 32-bit machines, and not looked at. */
int
time_read_timespec(u32 address, u64 *nanoseconds)
{
    struct __kernel_timespec time;

    if (user_copy_in(&time, address, sizeof(time)) < 0)
        return -EFAULT;
    return time_from_parts(time.tv_sec, (s32)time.tv_nsec, 1, nanoseconds);
}

int
time_read_timeval(u32 address, u64 *nanoseconds)
{
    struct __kernel_old_timeval time;

    if (user_copy_in(&time, address, sizeof(time)) < 0)
        return -EFAULT;
    return time_from_parts(time.tv_sec, time.tv_usec, NANOSECONDS_PER_MICROSECOND, nanoseconds);
}

int
time_write_old_timespec(u32 address, u64 nanoseconds)
{
    struct __kernel_old_timespec time;
    u32 remainder;

    time.tv_sec = (__kernel_old_time_t)time_split(nanoseconds, &remainder);
    time.tv_nsec = (long)remainder;
    return user_copy_out(address, &time, sizeof(time));
}

int
time_write_timespec(u32 address, u64 nanoseconds)
{
    struct __kernel_timespec time;
    u32 remainder;

    time.tv_sec = (s64)time_split(nanoseconds, &remainder);
    time.tv_nsec = remainder;
    return user_copy_out(address, &time, sizeof(time));
}

struct __kernel_old_timeval
time_to_timeval(u64 nanoseconds)
{
    struct __kernel_old_timeval time;
    u32 remainder;

    time.tv_sec = (__kernel_long_t)time_split(nanoseconds, &remainder);
    time.tv_usec = (__kernel_long_t)(remainder / NANOSECONDS_PER_MICROSECOND);
    return time;
}

int
time_write_timeval(u32 address, u64 nanoseconds)
{
    struct __kernel_old_timeval time = time_to_timeval(nanoseconds);

    return user_copy_out(address, &time, sizeof(time));
}
