/*
 * POSIX timers (timer_create): as many as a process wants, each an alarm on the clock that sends a signal of its own.
 *
 *     settime ──► alarm ──► expires ──► signal pending ──► taken, with how often it expired meanwhile (overruns)
 *                   ▲──────────┘ interval
 *
 * A timer's signal is pending once at most. The clocks of processor time have none.
 */
#pragma once

struct process;

/* Deletes the timers of a process that ends or executes a program. */
void posix_timers_end(struct process *process);
