/* Interval timers. What interrupt handlers change too is read and written with interrupts disabled. */
#include "kernel/interval.h"

#include "kernel/alarm.h"
#include "kernel/lib/divide.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"

#include <asm/errno.h>

/* An interval timer's two times: until it goes off, and from then on. */
struct interval {
    u64 left, repeat;
};

/* The fields of UAPI's struct __kernel_old_itimerval. */
#define INTERVAL_OFFSET offsetof(struct __kernel_old_itimerval, it_interval)
#define VALUE_OFFSET offsetof(struct __kernel_old_itimerval, it_value)

static void
interval_expire_real(struct alarm *alarm)
{
    struct process *process = container_of(alarm, struct process, real_alarm);

    signal_send(process, SIGALRM, NULL);
    if (process->real_interval != 0)
        alarm_set(alarm, alarm->deadline + process->real_interval);
}

static void
interval_count(struct process *process, struct process_timer *timer, int signal)
{
    if (timer->left == 0 || --timer->left > 0)
        return;
    timer->left = timer->interval;
    signal_send(process, signal, NULL);
}

void
interval_tick(struct process *process, bool in_user_mode)
{
    if (in_user_mode)
        interval_count(process, &process->virtual_timer, SIGVTALRM);
    interval_count(process, &process->profile_timer, SIGPROF);
}

static struct interval
interval_get_real(const struct process *process)
{
    struct interval interval = {.repeat = process->real_interval};

    if (!process->real_alarm.armed)
        return interval;
    /* One that is armed never reads as 0, which would mean the opposite. */
    interval.left = time_left(process->real_alarm.deadline);
    if (interval.left == 0)
        interval.left = NANOSECONDS_PER_MICROSECOND;
    return interval;
}

static void
interval_set_real(struct process *process, const struct interval *interval)
{
    process->real_alarm.expire = interval_expire_real;
    process->real_interval = interval->left != 0 ? interval->repeat : 0;
    if (interval->left == 0)
        alarm_cancel(&process->real_alarm);
    else
        alarm_set(&process->real_alarm, time_deadline(interval->left));
}

/* Rounded up: never early. */
static u32
interval_ticks(u64 nanoseconds)
{
    u64 ticks = divide_u64(nanoseconds + TIMER_TICK_NANOSECONDS - 1, TIMER_TICK_NANOSECONDS, NULL);

    return ticks > UINT32_MAX ? UINT32_MAX : (u32)ticks;
}

static struct interval
interval_get(struct process *process, u32 which)
{
    const struct process_timer *timer = which == ITIMER_VIRTUAL ? &process->virtual_timer : &process->profile_timer;
    struct interval interval = {time_from_ticks(timer->left), time_from_ticks(timer->interval)};

    return which == ITIMER_REAL ? interval_get_real(process) : interval;
}

static void
interval_set(struct process *process, u32 which, const struct interval *interval)
{
    struct process_timer *timer = which == ITIMER_VIRTUAL ? &process->virtual_timer : &process->profile_timer;
    u32 interrupts = interrupts_save();

    if (which == ITIMER_REAL)
        interval_set_real(process, interval);
    else
        *timer = (struct process_timer){interval_ticks(interval->left), interval_ticks(interval->repeat)};
    interrupts_restore(interrupts);
}

static int
interval_write(u32 address, const struct interval *interval)
{
    if (time_write_timeval(address + INTERVAL_OFFSET, interval->repeat) < 0)
        return -EFAULT;
    return time_write_timeval(address + VALUE_OFFSET, interval->left);
}

s32
sys_getitimer(u32 which, u32 value)
{
    struct interval interval;

    if (which > ITIMER_PROF)
        return -EINVAL;
    interval = interval_get(current_process(), which);
    return interval_write(value, &interval);
}

s32
sys_setitimer(u32 which, u32 value, u32 old_address)
{
    struct process *process = current_process();
    struct interval interval = {0}, old;
    int result = 0;

    if (which > ITIMER_PROF)
        return -EINVAL;
    if (value != 0)
        result = time_read_timeval(value + INTERVAL_OFFSET, &interval.repeat);
    if (value != 0 && result == 0)
        result = time_read_timeval(value + VALUE_OFFSET, &interval.left);
    if (result < 0)
        return result;
    old = interval_get(process, which);
    if (old_address != 0 && interval_write(old_address, &old) < 0)
        return -EFAULT;
    interval_set(process, which, &interval);
    return 0;
}

/* The seconds left of the former alarm, rounded to the nearest but not to 0, as Linux does: never a negative number. */
s32
sys_alarm(u32 seconds)
{
    struct process *process = current_process();
    struct interval interval = {.left = (u64)(seconds < INT32_MAX ? seconds : INT32_MAX) * NANOSECONDS_PER_SECOND};
    struct interval old = interval_get(process, ITIMER_REAL);
    u32 remainder;
    u64 left = time_split(old.left, &remainder);

    interval_set(process, ITIMER_REAL, &interval);
    if (remainder >= NANOSECONDS_PER_SECOND / 2 || (left == 0 && remainder > 0))
        left++;
    return (s32)left;
}
