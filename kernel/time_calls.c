/*
 * The system calls that tell time and let time pass. Each clock call exists twice, with seconds of 32 and of 64
 * bits.
 */
#include "kernel/permission.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "mm/user.h"

#include <asm/errno.h>
#include <linux/times.h>

/* ---- Telling ---- */

/*
 * A negative number is the clock of the processor time that some process or thread has used, as clock_getcpuclockid
 * and pthread_getcpuclockid make it: the complement of its number, or of 0 for the caller, above these bits.
 */
#define CPU_CLOCK_SHIFT 3
#define CPU_CLOCK_OF_THREAD 4u
#define CPU_CLOCK_KINDS 3u
#define CPU_CLOCK_ALL 0u
#define CPU_CLOCK_USER 1u       /* without the time in the kernel */
#define CPU_CLOCK_NONE 3u       /* belongs to clocks that are files, which are not there */

static u64
time_used_by_process(const struct process *process, u32 kind)
{
    struct process_usage usage;

    process_usage_so_far(process, &usage);
    return time_from_ticks(usage.user_ticks + (kind == CPU_CLOCK_USER ? 0 : usage.system_ticks));
}

static u64
time_used_by_thread(const struct thread *thread, u32 kind)
{
    return time_from_ticks(thread->user_ticks + (kind == CPU_CLOCK_USER ? 0 : thread->system_ticks));
}

/* A thread's clock is for the threads of its own process, a process's for everybody. */
static int
clock_now_of_others(u32 clock, u64 *nanoseconds)
{
    u32 number = (u32)~((s32)clock >> CPU_CLOCK_SHIFT);
    u32 kind = clock & CPU_CLOCK_KINDS;

    if (kind == CPU_CLOCK_NONE)
        return -EINVAL;
    if (clock & CPU_CLOCK_OF_THREAD) {
        const struct thread *thread = number != 0 ? thread_find(number) : current_thread();

        if (thread == NULL || thread->process != current_process())
            return -EINVAL;
        *nanoseconds = time_used_by_thread(thread, kind);
    } else {
        const struct process *process = number != 0 ? process_find(number) : current_process();

        if (process == NULL)
            return -EINVAL;
        *nanoseconds = time_used_by_process(process, kind);
    }
    return 0;
}

/* The present time of a clock: 0, or -EINVAL for one that is not there. */
static int
clock_now(u32 clock, u64 *nanoseconds)
{
    const struct thread *thread = current_thread();

    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        *nanoseconds = time_since_epoch();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *nanoseconds = timer_nanoseconds();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        *nanoseconds = time_used_by_process(thread->process, CPU_CLOCK_ALL);
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *nanoseconds = time_used_by_thread(thread, CPU_CLOCK_ALL);
        return 0;
    default:
        return (s32)clock < 0 ? clock_now_of_others(clock, nanoseconds) : -EINVAL;
    }
}

static s32
clock_gettime_call(u32 clock, u32 address, time_writer write)
{
    u64 now;

    if (clock_now(clock, &now) < 0)
        return -EINVAL;
    return write(address, now);
}

s32
sys_clock_gettime(u32 clock, u32 time)
{
    return clock_gettime_call(clock, time, time_write_old_timespec);
}

s32
sys_clock_gettime64(u32 clock, u32 time)
{
    return clock_gettime_call(clock, time, time_write_timespec);
}

static s32
clock_getres_call(u32 clock, u32 address, time_writer write)
{
    bool by_tick = clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME
        && clock != CLOCK_MONOTONIC_RAW && clock != CLOCK_TAI;
    u64 now;

    if (clock_now(clock, &now) < 0)
        return -EINVAL;
    return address != 0 ? write(address, by_tick ? TIMER_TICK_NANOSECONDS : 1) : 0;
}

s32
sys_clock_getres(u32 clock, u32 resolution)
{
    return clock_getres_call(clock, resolution, time_write_old_timespec);
}

s32
sys_clock_getres_time64(u32 clock, u32 resolution)
{
    return clock_getres_call(clock, resolution, time_write_timespec);
}

s32
sys_time(u32 address)
{
    u32 seconds = time_seconds();

    if (address != 0 && user_write_word(address, seconds) < 0)
        return -EFAULT;
    return (s32)seconds;
}

s32
sys_times(u32 buffer)
{
    const struct process *process = current_process();
    struct process_usage usage;
    struct tms times;

    process_usage_so_far(process, &usage);
    times.tms_utime = (__kernel_clock_t)usage.user_ticks;
    times.tms_stime = (__kernel_clock_t)usage.system_ticks;
    times.tms_cutime = (__kernel_clock_t)process->children_usage.user_ticks;
    times.tms_cstime = (__kernel_clock_t)process->children_usage.system_ticks;
    if (buffer != 0 && user_copy_out(buffer, &times, sizeof(times)) < 0)
        return -EFAULT;
    return (s32)timer_ticks();
}

/* ---- Setting ---- */

/* What gettimeofday says of the time zone; nothing else comes of it. */
static struct timezone time_zone;

#define ZONE_MINUTES_MAXIMUM (15 * 60)

/* Sets the clock on the wall: 0, -EPERM, or -EINVAL for a time before the machine's own beginning. */
static s32
clock_set(u64 nanoseconds)
{
    if (!permission_is_root())
        return -EPERM;
    if (nanoseconds < timer_nanoseconds())
        return -EINVAL;
    time_set_since_epoch(nanoseconds);
    return 0;
}

static s32
clock_settime_call(u32 clock, u32 address, time_reader read)
{
    u64 nanoseconds;
    int error = clock == CLOCK_REALTIME ? read(address, &nanoseconds) : -EINVAL;

    return error < 0 ? error : clock_set(nanoseconds);
}

s32
sys_clock_settime(u32 clock, u32 time)
{
    return clock_settime_call(clock, time, time_read_old_timespec);
}

s32
sys_clock_settime64(u32 clock, u32 time)
{
    return clock_settime_call(clock, time, time_read_timespec);
}

s32
sys_stime(u32 address)
{
    u32 seconds;

    if (user_read_word(&seconds, address) < 0)
        return -EFAULT;
    return clock_set((u64)seconds * NANOSECONDS_PER_SECOND);
}

s32
sys_gettimeofday(u32 time, u32 zone)
{
    if (time != 0 && time_write_timeval(time, time_since_epoch()) < 0)
        return -EFAULT;
    return zone != 0 ? user_copy_out(zone, &time_zone, sizeof(time_zone)) : 0;
}

s32
sys_settimeofday(u32 time, u32 zone_address)
{
    struct timezone zone;
    u64 nanoseconds = time_since_epoch();
    int error = time != 0 ? time_read_timeval(time, &nanoseconds) : 0;

    if (error < 0)
        return error;
    if (zone_address != 0 && user_copy_in(&zone, zone_address, sizeof(zone)) < 0)
        return -EFAULT;
    if (!permission_is_root())
        return -EPERM;
    if (zone_address != 0
        && (zone.tz_minuteswest > ZONE_MINUTES_MAXIMUM || zone.tz_minuteswest < -ZONE_MINUTES_MAXIMUM))
        return -EINVAL;
    error = time != 0 ? clock_set(nanoseconds) : 0;
    if (error == 0 && zone_address != 0)
        time_zone = zone;
    return error;
}

/* ---- Sleeping ---- */

/*
 * Sleeps until the deadline. Interrupted, it leaves in the thread what restart_syscall needs, and tells the
 * user what was left; that is meaningless for a sleep until an absolute time, which has no address for it.
 */
static s32
sleep_until(const struct thread_restart *request)
{
    struct thread_restart sleep = *request;
    int ended;

    do
        ended = wait_timeout(NULL, sleep.deadline);
    while (ended == 0);
    if (ended == -ETIMEDOUT)
        return 0;
    if (sleep.remaining_address != 0) {
        int (*write)(u32 address, u64 nanoseconds) = sleep.wide ? time_write_timespec : time_write_old_timespec;

        if (write(sleep.remaining_address, time_left(sleep.deadline)) < 0)
            return -EFAULT;
    }
    sleep.resume = sleep_until;
    current_thread()->restart = sleep;
    return -ERESTART_RESTARTBLOCK;
}

s32
sys_restart_syscall(void)
{
    const struct thread_restart *restart = &current_thread()->restart;

    return restart->resume != NULL ? restart->resume(restart) : -EINTR;
}

/* The present time of a clock by which one can sleep: 0, -EINVAL, or -EOPNOTSUPP for those that can only be read. */
static int
clock_now_to_sleep(u32 clock, u64 *now)
{
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock_now(clock, now) < 0)
        return -EINVAL;
    if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_TAI)
        return 0;
    return -EOPNOTSUPP;
}

/* The sleep that nanosleep and clock_nanosleep ask for. */
static s32
clock_nanosleep_call(u32 clock, u32 flags, u32 duration_address, u32 remaining, bool wide)
{
    struct thread_restart sleep = {.wide = wide};
    u64 duration, now;
    int result = clock_now_to_sleep(clock, &now);

    if (result < 0)
        return result;
    result = (wide ? time_read_timespec : time_read_old_timespec)(duration_address, &duration);
    if (result < 0)
        return result;
    if ((flags & TIMER_ABSTIME) != 0)
        duration = duration > now ? duration - now : 0;
    else
        sleep.remaining_address = remaining;
    sleep.deadline = time_deadline(duration);
    return sleep_until(&sleep);
}

s32
sys_nanosleep(u32 duration, u32 remaining)
{
    return clock_nanosleep_call(CLOCK_MONOTONIC, 0, duration, remaining, false);
}

s32
sys_clock_nanosleep(u32 clock, u32 flags, u32 duration, u32 remaining)
{
    return clock_nanosleep_call(clock, flags, duration, remaining, false);
}

s32
sys_clock_nanosleep_time64(u32 clock, u32 flags, u32 duration, u32 remaining)
{
    return clock_nanosleep_call(clock, flags, duration, remaining, true);
}
