/*
 * Waiting for something to happen: the only way a thread gives up the processor before its slice is over.
 *
 * A wait queue holds one entry for each thread that waits for its event; the entries lie on the waiters' stacks, so
 * that waiting cannot fail for want of memory, and so that one thread can wait on several queues (poll).
 *
 * The kernel is not preempted, so a condition that only threads change may simply be tested before the call:
 *
 *     while (!condition)
 *         wait_sleep(&queue);
 *
 * A condition that an interrupt handler changes must be tested, and the wait begun, with interrupts disabled;
 * they are enabled while the thread sleeps and disabled again when the call returns. Wake-ups may be spurious:
 * always loop.
 */
#pragma once

#include <bsd/sys/queue.h>

#include "kernel/types.h"

struct thread;
struct wait_queue;

/* One thread's place in one queue, or that of somebody who is told of wake-ups instead of sleeping. */
struct wait_entry {
    struct thread *thread;             /* NULL: notify is called, */
    /* with interrupts disabled, from anywhere; `events` as wait_wake_events had them. Must not change this queue. */
    void (*notify)(struct wait_entry *entry, u32 events);
    struct wait_queue *queue;          /* NULL while not in a queue */
    TAILQ_ENTRY(wait_entry) link;
};

/* Zero-initialised, it is empty and ready. It must not be freed while somebody waits on it. */
struct wait_queue {
    TAILQ_HEAD(, wait_entry) entries;  /* longest waiter first */
};

enum wait_mode {
    WAIT_UNINTERRUPTIBLE,              /* only a wake-up or the deadline ends it: for short waits that always end */
    WAIT_KILLABLE,                     /* a pending SIGKILL ends it too */
    WAIT_INTERRUPTIBLE,                /* any signal that would be acted upon ends it too */
};

#define WAIT_FOREVER UINT64_MAX        /* the deadline that never comes */

/*
 * All of the following sleep, and must be called from a thread (not during early boot, not from an interrupt
 * handler).
 */

/* Sleep until the queue is woken. */
void wait_sleep(struct wait_queue *queue);

/* Sleep until the queue is woken: 0; or a signal waits: -ERESTARTSYS, which the system call returns as it is. */
int wait_interruptible(struct wait_queue *queue);

/* Sleep until the queue is woken: 0; or a SIGKILL waits: -EINTR. */
int wait_killable(struct wait_queue *queue);

/*
 * Sleep until the queue (NULL: none) is woken: 0; or a signal waits: -ERESTARTSYS; or timer_nanoseconds() has reached
 * the deadline: -ETIMEDOUT. WAIT_FOREVER is allowed. It never returns -ETIMEDOUT early.
 */
int wait_timeout(struct wait_queue *queue, u64 deadline_nanoseconds);

/*
 * As wait_timeout but deaf to signals, for the waits of device drivers: 0 or -ETIMEDOUT. While the processor is idle
 * meanwhile, its time counts as waiting for a device.
 */
int wait_uninterruptible_timeout(struct wait_queue *queue, u64 deadline_nanoseconds);

/* Wake all who wait, or the one that has waited longest. From anywhere, interrupt handlers included. */
void wait_wake_all(struct wait_queue *queue);
void wait_wake_one(struct wait_queue *queue);

/* As wait_wake_all, and tells watchers what has come about: POLLIN ..., or WAIT_ANY_EVENT as the other two do. */
void wait_wake_events(struct wait_queue *queue, u32 events);

#define WAIT_ANY_EVENT UINT32_MAX

/* Puts in an entry whose notify is filled in. It leaves by wait_delist. Never sleeps. */
void wait_watch(struct wait_queue *queue, struct wait_entry *entry);

/*
 * A signal has become pending: end the thread's sleep if its kind of wait listens to that. From anywhere; for
 * signal.c.
 */
void wait_interrupt(struct thread *thread);

/*
 * Waiting on several queues: enlist in each, test all conditions, and if none holds call wait_block; what wakes a
 * queue between the last enlisting and wait_block makes wait_block return at once. Then delist from each.
 * wait_block returns 0, -ERESTARTSYS, -EINTR (killable) or -ETIMEDOUT.
 */
void wait_enlist(struct wait_queue *queue, struct wait_entry *entry);
void wait_delist(struct wait_entry *entry);
int wait_block(enum wait_mode mode, u64 deadline_nanoseconds);
