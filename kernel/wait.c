/*
 * Sleeping and waking. Everything here runs with interrupts disabled, because wake-ups come from interrupt
 * handlers too.
 *
 * thread->woken remembers a wake-up that came after the thread enlisted, or after its last wait_block, and
 * before it fell asleep.
 */
#include "kernel/wait.h"

#include "drivers/timer.h"
#include "kernel/alarm.h"
#include "kernel/assert.h"
#include "kernel/processor_time.h"
#include "kernel/scheduler.h"
#include "kernel/signal.h"
#include "kernel/thread.h"

#include <asm/errno.h>

struct wait_deadline {
    struct alarm alarm;
    struct thread *thread;
};

static void
wait_make_runnable(struct thread *thread)
{
    thread->state = THREAD_RUNNABLE;
    scheduler_add(thread);
}

static void
wait_expire(struct alarm *alarm)
{
    struct thread *thread = container_of(alarm, struct wait_deadline, alarm)->thread;

    if (thread->state == THREAD_SLEEPING)
        wait_make_runnable(thread);
}

/* What ends the wait even without a wake-up, as the negative errno to return; 0 if nothing does. */
static int
wait_ended(const struct thread *thread, enum wait_mode mode, u64 deadline)
{
    if (mode == WAIT_INTERRUPTIBLE && thread->work != 0 && signal_pending(thread))
        return -ERESTARTSYS;
    if (mode == WAIT_KILLABLE && signal_kill_pending(thread))
        return -EINTR;
    if (deadline != WAIT_FOREVER && timer_nanoseconds() >= deadline)
        return -ETIMEDOUT;
    return 0;
}

static void
wait_fall_asleep(struct thread *thread, enum wait_mode mode, u64 deadline)
{
    struct wait_deadline limit;

    thread->wait_mode = mode;
    thread->state = THREAD_SLEEPING;
    thread->switches_voluntary++;
    if (deadline == WAIT_FOREVER) {
        schedule();
        return;
    }
    limit.thread = thread;
    limit.alarm.expire = wait_expire;
    limit.alarm.armed = false;
    alarm_set(&limit.alarm, deadline);
    schedule();
    alarm_cancel(&limit.alarm);
}

int
wait_block(enum wait_mode mode, u64 deadline_nanoseconds)
{
    struct thread *thread = current_thread();
    u32 interrupts = interrupts_save();
    int ended = 0;

    if (!thread->woken) {
        ended = wait_ended(thread, mode, deadline_nanoseconds);
        if (ended == 0) {
            wait_fall_asleep(thread, mode, deadline_nanoseconds);
            if (!thread->woken)
                ended = wait_ended(thread, mode, deadline_nanoseconds);
        }
    }
    thread->woken = false;
    interrupts_restore(interrupts);
    return ended;
}

static void
wait_insert(struct wait_queue *queue, struct wait_entry *entry, struct thread *thread)
{
    entry->thread = thread;
    entry->queue = queue;
    if (TAILQ_EMPTY(&queue->entries))
        TAILQ_INIT(&queue->entries);
    TAILQ_INSERT_TAIL(&queue->entries, entry, link);
}

void
wait_enlist(struct wait_queue *queue, struct wait_entry *entry)
{
    struct thread *thread = current_thread();
    u32 interrupts = interrupts_save();

    assert(thread != NULL);
    thread->woken = false;
    wait_insert(queue, entry, thread);
    interrupts_restore(interrupts);
}

void
wait_watch(struct wait_queue *queue, struct wait_entry *entry)
{
    u32 interrupts = interrupts_save();

    wait_insert(queue, entry, NULL);
    interrupts_restore(interrupts);
}

void
wait_delist(struct wait_entry *entry)
{
    u32 interrupts = interrupts_save();

    TAILQ_REMOVE(&entry->queue->entries, entry, link);
    interrupts_restore(interrupts);
}

static int
wait_on(struct wait_queue *queue, enum wait_mode mode, u64 deadline)
{
    struct wait_entry entry;
    int ended;

    wait_enlist(queue, &entry);
    ended = wait_block(mode, deadline);
    wait_delist(&entry);
    return ended;
}

void
wait_sleep(struct wait_queue *queue)
{
    wait_on(queue, WAIT_UNINTERRUPTIBLE, WAIT_FOREVER);
}

int
wait_interruptible(struct wait_queue *queue)
{
    return wait_on(queue, WAIT_INTERRUPTIBLE, WAIT_FOREVER);
}

int
wait_killable(struct wait_queue *queue)
{
    return wait_on(queue, WAIT_KILLABLE, WAIT_FOREVER);
}

int
wait_timeout(struct wait_queue *queue, u64 deadline_nanoseconds)
{
    struct wait_queue nobody_wakes = {0};

    return wait_on(queue != NULL ? queue : &nobody_wakes, WAIT_INTERRUPTIBLE, deadline_nanoseconds);
}

int
wait_uninterruptible_timeout(struct wait_queue *queue, u64 deadline_nanoseconds)
{
    u32 interrupts = interrupts_save();
    int ended;

    /* Another's transfer may be over: the clock ticks seldom, compared with a disk. */
    alarm_tick(timer_nanoseconds());
    processor_time_waiters++;
    ended = wait_on(queue, WAIT_UNINTERRUPTIBLE, deadline_nanoseconds);
    processor_time_waiters--;
    interrupts_restore(interrupts);
    return ended;
}

/*
 * True if a thread was asleep: an entry whose thread is already on its way out of the queue, or that has none, does not
 * use up a wake-up.
 */
static inline bool
wait_wake_entry(struct wait_entry *entry, u32 events)
{
    struct thread *thread = entry->thread;

    if (thread == NULL) {
        entry->notify(entry, events);
        return false;
    }
    thread->woken = true;
    if (thread->state != THREAD_SLEEPING)
        return false;
    wait_make_runnable(thread);
    return true;
}

void
wait_wake_events(struct wait_queue *queue, u32 events)
{
    struct wait_entry *entry;
    u32 interrupts;

    if (TAILQ_EMPTY(&queue->entries))
        return;
    interrupts = interrupts_save();
    TAILQ_FOREACH(entry, &queue->entries, link)
        wait_wake_entry(entry, events);
    interrupts_restore(interrupts);
}

void
wait_wake_all(struct wait_queue *queue)
{
    wait_wake_events(queue, WAIT_ANY_EVENT);
}

void
wait_wake_one(struct wait_queue *queue)
{
    struct wait_entry *entry;
    u32 interrupts = interrupts_save();

    TAILQ_FOREACH(entry, &queue->entries, link) {
        if (wait_wake_entry(entry, WAIT_ANY_EVENT))
            break;
    }
    interrupts_restore(interrupts);
}

void
wait_interrupt(struct thread *thread)
{
    u32 interrupts = interrupts_save();

    if (thread->state == THREAD_SLEEPING && wait_ended(thread, thread->wait_mode, WAIT_FOREVER) != 0)
        wait_make_runnable(thread);
    interrupts_restore(interrupts);
}
