/*
 * Load control: how many processes may compete for memory.
 *
 * Beyond some number of processes none has the frames that it needs: each page that comes in pushes out one that
 * another needs at once. All wait for the disk, and the processor falls idle. That is thrashing, and its cure is to let
 * fewer processes run:
 *
 *   control=off          nobody looks
 *   control=workingset   each process needs its working set (Denning 1968); whole processes are suspended while the sum
 *                        is more than there is
 *   control=pff          page-fault frequency (Chu and Opderbeck 1972): a process that takes in pages at a higher rate
 *                        than pff_upper, per second of its own time, is given frames, and one below pff_lower gives
 *                        back those of pages that it has not used lately; when there are none to give, processes are
 *                        suspended
 *
 * A kernel thread looks each CONTROL_PERIOD_MILLISECONDS, and makes one decision: control_choice.h says which. Each is
 * one line in the log, and counted (process_suspend, process_resume). init, and a process whose references are traced,
 * is never suspended; nobody is without a swap area. Suspending: suspension.h.
 */
#pragma once

#define CONTROL_PERIOD_MILLISECONDS 50

/* Puts control= into force, at boot and whenever it has been changed. 0, or -ENOMEM. */
int control_apply(void);
