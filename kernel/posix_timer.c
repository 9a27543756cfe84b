/*
 * POSIX timers. What the clock's interrupt changes too (alarm, overruns, the signal) is used with interrupts disabled.
 */
#include "kernel/posix_timer.h"

#include "kernel/alarm.h"
#include "kernel/lib/divide.h"
#include "kernel/process.h"
#include "kernel/reserve.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "mm/kmem.h"
#include "mm/user.h"

#include <asm/errno.h>

#define OVERRUNS_MAXIMUM INT32_MAX      /* DELAYTIMER_MAX */

struct posix_timer {
    LIST_ENTRY(posix_timer) link;       /* in process->timers */
    struct process *process;
    u32 number;
    bool is_of_day;                     /* on the clock on the wall */
    bool notifies;                      /* sends a signal */
    u32 thread;                         /* number of the thread that it is for; 0: for the process */
    struct alarm alarm;
    u64 interval;                       /* nanoseconds, or 0 */
    u32 overruns;                       /* that its latest signal tells, */
    u32 overruns_before;                /* and the one before that */
    struct signal_queued signal;        /* the one that it sends */
};

/* The structures of timer_settime and timer_gettime: an interval, and behind it the time of the first expiration. */
struct timer_form {
    u32 value_offset;                   /* bytes from the interval to the time */
    time_reader read;
    time_writer write;
};

static const struct timer_form form_narrow =
    {sizeof(struct __kernel_old_timespec), time_read_old_timespec, time_write_old_timespec};
static const struct timer_form form_wide = {sizeof(struct __kernel_timespec), time_read_timespec, time_write_timespec};

/* ---- Expiring ---- */

/* Sets a periodic timer's alarm to its next time that is to come: how many it has missed. */
static u32
timer_advance(struct posix_timer *timer, u64 now)
{
    u64 deadline = timer->alarm.deadline + timer->interval, missed = 0;

    /* Longer intervals are not missed by more than one tick, and so alarm_tick comes here again. */
    if (timer->interval <= UINT32_MAX && deadline <= now) {
        missed = divide_u64(now - deadline, (u32)timer->interval, NULL) + 1;
        deadline += missed * timer->interval;
    }
    alarm_set(&timer->alarm, deadline);
    return missed < OVERRUNS_MAXIMUM ? (u32)missed : OVERRUNS_MAXIMUM;
}

/* The thread that a timer is for. False if it was for one that has gone. */
static bool
timer_find_thread(const struct posix_timer *timer, struct thread **thread)
{
    *thread = timer->thread != 0 ? thread_find(timer->thread) : NULL;
    return timer->thread == 0 || (*thread != NULL && (*thread)->process == timer->process);
}

static struct signal_info *
timer_pending_info(struct posix_timer *timer)
{
    struct thread *thread;

    return timer_find_thread(timer, &thread) ? signal_kept_info(timer->process, thread, &timer->signal) : NULL;
}

/* Tells of one expiration and those that were missed. */
static void
timer_notify(struct posix_timer *timer, u32 missed)
{
    struct signal_info *pending = timer_pending_info(timer);
    struct thread *thread;

    if (pending != NULL) {
        timer->overruns = missed < OVERRUNS_MAXIMUM - timer->overruns ? timer->overruns + missed + 1 : OVERRUNS_MAXIMUM;
        pending->fields._timer._overrun = (int)timer->overruns;
        return;
    }
    timer->overruns_before = timer->overruns;
    timer->overruns = missed;
    timer->signal.info.fields._timer._overrun = (int)missed;
    if (timer_find_thread(timer, &thread))
        signal_send_kept(timer->process, thread, &timer->signal);
}

static void
timer_expire(struct alarm *alarm)
{
    struct posix_timer *timer = container_of(alarm, struct posix_timer, alarm);
    u32 missed = timer->interval != 0 ? timer_advance(timer, timer_nanoseconds()) : 0;

    if (timer->notifies)
        timer_notify(timer, missed);
}

/* ---- Making and deleting ---- */

static struct posix_timer *
timer_find(u32 number)
{
    struct posix_timer *timer;

    LIST_FOREACH(timer, &current_process()->timers, link) {
        if (timer->number == number)
            return timer;
    }
    return NULL;
}

static void
timer_free(struct posix_timer *timer)
{
    u32 interrupts = interrupts_save();

    alarm_cancel(&timer->alarm);
    signal_take_kept_back(&timer->signal);
    LIST_REMOVE(timer, link);
    signal_place_give_back(timer->process);
    interrupts_restore(interrupts);
    kmem_free(timer);
}

void
posix_timers_end(struct process *process)
{
    while (!LIST_EMPTY(&process->timers))
        timer_free(LIST_FIRST(&process->timers));
}

/* 0, -EINVAL for a clock that is not there, or -EOPNOTSUPP for one by which no timer runs. */
static int
timer_check_clock(u32 clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
        return 0;
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

/* A signal that exists, and a thread of the process if it is for one. SIGEV_THREAD is the C library's to do. */
static int
timer_check_event(const struct sigevent *event)
{
    const struct thread *thread;

    if (event->sigev_notify == SIGEV_NONE)
        return 0;
    if ((event->sigev_notify & ~SIGEV_THREAD_ID) != SIGEV_SIGNAL && event->sigev_notify != SIGEV_THREAD)
        return -EINVAL;
    if (event->sigev_signo <= 0 || event->sigev_signo > SIGNAL_COUNT)
        return -EINVAL;
    if (event->sigev_notify != SIGEV_THREAD_ID)
        return 0;
    thread = thread_find((u32)event->sigev_notify_thread_id);
    return thread != NULL && thread->process == current_process() ? 0 : -EINVAL;
}

static void
timer_fill(struct posix_timer *timer, u32 clock, const struct sigevent *event)
{
    struct signal_queued *signal = &timer->signal;

    timer->process = current_process();
    timer->number = timer->process->next_timer;
    timer->is_of_day = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
    timer->notifies = event->sigev_notify != SIGEV_NONE;
    timer->thread = event->sigev_notify == SIGEV_THREAD_ID ? (u32)event->sigev_notify_thread_id : 0;
    timer->alarm.expire = timer_expire;
    signal->is_kept = true;
    signal->signal = event->sigev_signo;
    signal->info.code = SI_TIMER;
    signal->info.fields._timer._tid = (int)timer->number;
    signal->info.fields._timer._sigval = event->sigev_value;
}

/* With a place for its signal, or NULL. */
static struct posix_timer *
timer_allocate(struct process *process)
{
    struct posix_timer *timer;

    if (!signal_place_keep(process))
        return NULL;
    timer = reserve_is_reached() ? NULL : kmem_allocate_zeroed(sizeof(*timer));
    if (timer == NULL)
        signal_place_give_back(process);
    return timer;
}

s32
sys_timer_create(u32 clock, u32 event_address, u32 number_address)
{
    struct process *process = current_process();
    struct sigevent event = {.sigev_signo = SIGALRM, .sigev_value.sival_int = (int)process->next_timer};
    struct posix_timer *timer;
    int error = timer_check_clock(clock);

    if (error < 0)
        return error;
    if (event_address != 0 && user_copy_in(&event, event_address, sizeof(event)) < 0)
        return -EFAULT;
    error = timer_check_event(&event);
    if (error < 0)
        return error;
    timer = timer_allocate(process);
    if (timer == NULL)
        return -EAGAIN;
    timer_fill(timer, clock, &event);
    if (user_write_word(number_address, timer->number) < 0) {
        signal_place_give_back(process);
        kmem_free(timer);
        return -EFAULT;
    }
    process->next_timer++;
    LIST_INSERT_HEAD(&process->timers, timer, link);
    return 0;
}

s32
sys_timer_delete(u32 number)
{
    struct posix_timer *timer = timer_find(number);

    if (timer == NULL)
        return -EINVAL;
    timer_free(timer);
    return 0;
}

/* ---- Setting and asking ---- */

/* Until the next expiration: 0 if there is none to come. */
static u64
timer_left(const struct posix_timer *timer)
{
    u64 left = time_left(timer->alarm.deadline);

    /* One that is armed never reads as 0, which would mean the opposite. */
    return !timer->alarm.armed ? 0 : left > 0 ? left : 1;
}

static int
timer_write(const struct timer_form *form, u32 address, u64 interval, u64 left)
{
    if (form->write(address, interval) < 0)
        return -EFAULT;
    return form->write(address + form->value_offset, left);
}

/* The deadline, in timer_nanoseconds(), of a time on the timer's clock. */
static u64
timer_deadline(const struct posix_timer *timer, u64 time)
{
    u64 ahead = timer->is_of_day ? time_since_epoch() - timer_nanoseconds() : 0;

    return time > ahead ? time - ahead : 0;
}

static void
timer_set(struct posix_timer *timer, u64 interval, u64 value, bool absolute)
{
    u32 interrupts = interrupts_save();

    alarm_cancel(&timer->alarm);
    timer->interval = value != 0 ? interval : 0;
    timer->overruns = timer->overruns_before = 0;
    if (value != 0)
        alarm_set(&timer->alarm, absolute ? timer_deadline(timer, value) : time_deadline(value));
    interrupts_restore(interrupts);
}

static s32
timer_settime(u32 number, u32 flags, u32 value_address, u32 old, const struct timer_form *form)
{
    struct posix_timer *timer;
    u64 interval, value, old_interval, left;
    int error = value_address == 0 ? -EINVAL : form->read(value_address, &interval);

    if (error == 0)
        error = form->read(value_address + form->value_offset, &value);
    if (error < 0)
        return error;
    timer = timer_find(number);
    if (timer == NULL)
        return -EINVAL;
    old_interval = timer->interval;
    left = timer_left(timer);
    timer_set(timer, interval, value, flags & TIMER_ABSTIME);
    return old != 0 ? timer_write(form, old, old_interval, left) : 0;
}

s32
sys_timer_settime(u32 number, u32 flags, u32 value, u32 old)
{
    return timer_settime(number, flags, value, old, &form_narrow);
}

s32
sys_timer_settime64(u32 number, u32 flags, u32 value, u32 old)
{
    return timer_settime(number, flags, value, old, &form_wide);
}

static s32
timer_gettime(u32 number, u32 value, const struct timer_form *form)
{
    const struct posix_timer *timer = timer_find(number);

    return timer == NULL ? -EINVAL : timer_write(form, value, timer->interval, timer_left(timer));
}

s32
sys_timer_gettime(u32 number, u32 value)
{
    return timer_gettime(number, value, &form_narrow);
}

s32
sys_timer_gettime64(u32 number, u32 value)
{
    return timer_gettime(number, value, &form_wide);
}

/* The overruns that the signal told which was taken last. */
s32
sys_timer_getoverrun(u32 number)
{
    struct posix_timer *timer = timer_find(number);
    u32 interrupts, overruns;

    if (timer == NULL)
        return -EINVAL;
    interrupts = interrupts_save();
    overruns = timer_pending_info(timer) != NULL ? timer->overruns_before : timer->overruns;
    interrupts_restore(interrupts);
    return (s32)overruns;
}
