/*
 * Interval timers: setitimer and alarm. ITIMER_REAL is an alarm on the clock; ITIMER_VIRTUAL and ITIMER_PROF
 * count the ticks that are charged to the process.
 */
#pragma once

#include "kernel/types.h"

struct process;

/* A tick has been charged to the process, in user mode or not. In the clock's interrupt handler. */
void interval_tick(struct process *process, bool in_user_mode);
