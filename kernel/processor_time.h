/*
 * Where the processor's time goes: to programs, to the kernel on their behalf, or to nobody.
 *
 *     ──run──┤ idle, a thread waits for a device ├──run──┤ idle ├──run──
 *            └────────── device_wait ────────────┘       └ idle ┘
 *
 * When the processor falls idle and when it has work again is noted exactly. Busy time is divided between user and
 * system by sampling: each clock tick that finds the processor busy says what all busy time since the last such tick
 * was spent on. So the four add up to the time since boot, and utilisation is exact even where each turn on the
 * processor is much shorter than a tick, as under thrashing.
 *
 * What each address space has used is measured as exactly, at every switch, but only once somebody wants to know.
 */
#pragma once

#include "kernel/types.h"

struct thread;

struct processor_time {
    u64 user, system, idle, device_wait;       /* nanoseconds since boot */
};

/* All of them as of now. From a thread. */
struct processor_time processor_time_now(void);

/* Threads that wait for a device now; only kernel/wait.c changes it. */
extern u32 processor_time_waiters;

/* The idle thread has found nothing to do; is about to give way. With interrupts disabled. */
void processor_time_idle_begins(void);
void processor_time_idle_ends(void);

/* A clock tick found this thread running. */
void processor_time_tick(struct thread *thread, bool in_user_mode, u64 now);

/* From now on the time of each address space is measured (aspace->processor_time). */
void processor_time_measure(void);

/* Whether that is so, and what is to be done then before the processor goes to another thread. */
extern bool processor_time_measured;
void processor_time_charge(struct thread *thread, u64 now);
